"""Neural networks from scratch, on every array library.

The layers, losses, optimizers and handwritten backward passes of the book
"Neural Networks from Scratch", written once against the Python Array API
standard: the same lines run on NumPy, CuPy, PyTorch and JAX.
"""

from importlib.metadata import PackageNotFoundError, version

from nnfs_xp.activations import (
    ELU,
    GELU,
    LeakyReLU,
    Linear,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from nnfs_xp.backends import (
    BACKEND_NAMES,
    Backend,
    BackendStatus,
    backend_status,
    get_backend,
    to_numpy,
)
from nnfs_xp.callbacks import (
    BatchEvent,
    Callback,
    Checkpoint,
    EarlyStopping,
    JSONLog,
    LearningRateSchedule,
    PrintEpochs,
    Progress,
    ReduceOnPlateau,
)
from nnfs_xp.errors import (
    BackendMismatchError,
    BackendUnavailableError,
    DeviceMemoryError,
    DownloadError,
    DTypeError,
    FileFormatError,
    InputError,
    KernelCompileError,
)
from nnfs_xp.history import History
from nnfs_xp.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    Normal,
    Ones,
    Orthogonal,
    Uniform,
    Zeros,
)
from nnfs_xp.layers import Dense, Dropout, Flatten, Layer, Reshape, Sequential
from nnfs_xp.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SoftmaxCrossEntropy,
)
from nnfs_xp.metrics import (
    F1,
    R2,
    Accuracy,
    BinaryAccuracy,
    ConfusionMatrix,
    Metric,
    Precision,
    Recall,
    RegressionAccuracy,
    TopKAccuracy,
)
from nnfs_xp.model import Model
from nnfs_xp.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nnfs_xp.regularizers import L1, L1L2, L2, Regularizer
from nnfs_xp.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    Schedule,
    StepDecay,
    WarmUp,
)

try:
    __version__ = version("nnfs-xp")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"

__all__ = [
    "BACKEND_NAMES",
    "ELU",
    "F1",
    "GELU",
    "L1",
    "L1L2",
    "L2",
    "R2",
    "SGD",
    "Accuracy",
    "Adagrad",
    "Adam",
    "AdamW",
    "Backend",
    "BackendMismatchError",
    "BackendStatus",
    "BackendUnavailableError",
    "BatchEvent",
    "BinaryAccuracy",
    "BinaryCrossEntropy",
    "Callback",
    "CategoricalCrossEntropy",
    "Checkpoint",
    "ConfusionMatrix",
    "Constant",
    "CosineDecay",
    "DTypeError",
    "Dense",
    "DeviceMemoryError",
    "DownloadError",
    "Dropout",
    "EarlyStopping",
    "ExponentialDecay",
    "FileFormatError",
    "Flatten",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "History",
    "Huber",
    "Initializer",
    "InputError",
    "InverseTimeDecay",
    "JSONLog",
    "KernelCompileError",
    "Layer",
    "LeakyReLU",
    "LearningRateSchedule",
    "Linear",
    "LogSoftmax",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Model",
    "Normal",
    "Ones",
    "Optimizer",
    "Orthogonal",
    "Precision",
    "PrintEpochs",
    "Progress",
    "RMSprop",
    "ReLU",
    "Recall",
    "ReduceOnPlateau",
    "RegressionAccuracy",
    "Regularizer",
    "Reshape",
    "Schedule",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "StepDecay",
    "Tanh",
    "TopKAccuracy",
    "Uniform",
    "WarmUp",
    "Zeros",
    "__version__",
    "backend_status",
    "get_backend",
    "to_numpy",
]
