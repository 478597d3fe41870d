"""Neural networks from scratch, on every array library.

The layers, losses, optimizers and handwritten backward passes of the book
"Neural Networks from Scratch", written once against the Python Array API
standard: the same lines run on NumPy, CuPy, PyTorch and JAX.
"""

from importlib.metadata import PackageNotFoundError, version

from nnfs_xp.activations import ReLU, Softmax
from nnfs_xp.backends import (
    BACKEND_NAMES,
    Backend,
    BackendStatus,
    backend_status,
    get_backend,
    to_numpy,
)
from nnfs_xp.callbacks import BatchEvent, Callback, PrintEpochs
from nnfs_xp.errors import (
    BackendMismatchError,
    BackendUnavailableError,
    DownloadError,
    DTypeError,
    FileFormatError,
    InputError,
)
from nnfs_xp.history import History
from nnfs_xp.initializers import (
    Constant,
    GlorotUniform,
    HeNormal,
    Initializer,
    Normal,
    Uniform,
    Zeros,
)
from nnfs_xp.layers import Dense, Layer
from nnfs_xp.losses import CategoricalCrossEntropy, Loss, SoftmaxCrossEntropy
from nnfs_xp.metrics import Accuracy
from nnfs_xp.model import Model
from nnfs_xp.optimizers import SGD, Adam, Optimizer

try:
    __version__ = version("nnfs-xp")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"

__all__ = [
    "BACKEND_NAMES",
    "SGD",
    "Accuracy",
    "Adam",
    "Backend",
    "BackendMismatchError",
    "BackendStatus",
    "BackendUnavailableError",
    "BatchEvent",
    "Callback",
    "CategoricalCrossEntropy",
    "Constant",
    "DTypeError",
    "Dense",
    "DownloadError",
    "FileFormatError",
    "GlorotUniform",
    "HeNormal",
    "History",
    "Initializer",
    "InputError",
    "Layer",
    "Loss",
    "Model",
    "Normal",
    "Optimizer",
    "PrintEpochs",
    "ReLU",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Uniform",
    "Zeros",
    "__version__",
    "backend_status",
    "get_backend",
    "to_numpy",
]
