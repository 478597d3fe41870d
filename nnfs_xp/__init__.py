"""Neural networks from scratch, on every array library.

The layers, losses, optimizers and handwritten backward passes of the book
"Neural Networks from Scratch", written once against the Python Array API
standard: the same lines run on NumPy, CuPy, PyTorch and JAX.
"""

from nnfs_xp import ctrl_c  # noqa: F401, as it is to be ready before all else

# isort: split
import importlib
import sys
from typing import TYPE_CHECKING, Any

from nnfs_xp import (
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
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
    TensorBoard,
)
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import (
    BackendMismatchError,
    BackendUnavailableError,
    DataWarning,
    DeviceMemoryError,
    DivergenceError,
    DownloadError,
    DTypeError,
    FileFormatError,
    FixedSettingError,
    InputError,
    KernelCompileError,
    ParallelError,
)
from nnfs_xp.history import History
from nnfs_xp.model import LearningRateRange, Model, learning_rate_range

__version__ = "0.1.0"

_UNITS = {
    name: getattr(package, name)
    for package in (
        activations, constraints, initializers, layers, losses, metrics, optimizers,
        regularizers, schedules,
    )
    for name in package.__all__
}  # fmt: skip
globals().update(_UNITS)

__all__ = [
    "BACKEND_NAMES",
    "Backend",
    "BackendMismatchError",
    "BackendStatus",
    "BackendUnavailableError",
    "DataWarning",
    "BatchEvent",
    "Callback",
    "Checkpoint",
    "Context",
    "DTypeError",
    "DeviceMemoryError",
    "DivergenceError",
    "DownloadError",
    "EarlyStopping",
    "FileFormatError",
    "FixedSettingError",
    "History",
    "InputError",
    "JSONLog",
    "KernelCompileError",
    "LearningRateRange",
    "LearningRateSchedule",
    "Model",
    "ParallelError",
    "PrintEpochs",
    "Progress",
    "ReduceOnPlateau",
    "TensorBoard",
    "__version__",
    "backend_status",
    "get_backend",
    "learning_rate_range",
    "to_numpy",
    *_UNITS,
]

if TYPE_CHECKING:
    from nnfs_xp import onnx as onnx

    # Type checkers do not see what is exported by the registry.
    from nnfs_xp.typed_units import *  # noqa: F403


# For type checkers too, which take a unit that is not in the list for anything.
def __getattr__(name: str) -> Any:
    # It takes as long to import as half of the rest, and few need it.
    if name == "onnx":
        return importlib.import_module("nnfs_xp.onnx")
    from nnfs_xp.other_names import class_hint

    message = f"module {__name__!r} has no attribute {name!r}{class_hint(name)}"
    raise AttributeError(message, name=name, obj=sys.modules[__name__])
