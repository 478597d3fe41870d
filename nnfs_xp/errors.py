"""Every exception the library raises on purpose.

Bad data is one family, `InputError`, so that one ``except`` catches it on
every backend. Each message names the argument, what came and what was
expected, and each is raised before any state changes.
"""

from __future__ import annotations

from typing import Any


class InputError(ValueError):
    """An argument has the wrong shape, length, range or type.

    Examples
    --------
    >>> from nnfs_xp import Dense, InputError
    >>> try:
    ...     Dense(0, 3)
    ... except InputError as error:
    ...     print(error)
    n_inputs must be a positive integer, got 0
    """


class DTypeError(InputError, TypeError):
    """An argument holds elements of a type that cannot be used.

    Examples
    --------
    >>> from nnfs_xp import DTypeError, SoftmaxCrossEntropy
    >>> try:
    ...     SoftmaxCrossEntropy().forward([[1.0, 2.0]], [0.5])
    ... except DTypeError as error:
    ...     print(type(error).__name__)
    DTypeError
    """


class FixedSettingError(InputError, AttributeError):
    """A setting was assigned that is fixed once its unit is made.

    Examples
    --------
    >>> from nnfs_xp import SGD, FixedSettingError
    >>> optimizer = SGD(0.1, momentum=0.9)
    >>> try:
    ...     optimizer.momentum = 0.5
    ... except FixedSettingError as error:
    ...     print(str(error).partition(";")[0])
    momentum of SGD is fixed once the unit is made
    """


class BackendMismatchError(InputError, TypeError):
    """Arrays of two namespaces, or of two devices, are mixed in one call.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import BackendMismatchError, ReLU, get_backend
    >>> layer = ReLU(backend="array_api_strict")
    >>> try:
    ...     layer.forward(get_backend("numpy").asarray([[1.0]]))
    ... except BackendMismatchError as error:
    ...     print(type(error).__name__)
    BackendMismatchError
    """


class BackendUnavailableError(RuntimeError):
    """The requested backend or device does not work on this machine.

    Examples
    --------
    >>> from nnfs_xp import BackendUnavailableError, get_backend
    >>> try:
    ...     get_backend("numpy", device="cuda:0")
    ... except BackendUnavailableError as error:
    ...     print(type(error).__name__)
    BackendUnavailableError
    """


class KernelCompileError(BackendUnavailableError):
    """A kernel's source does not compile, or cannot be loaded, on this machine.

    Examples
    --------
    It is caught with its family:

    >>> from nnfs_xp import BackendUnavailableError, KernelCompileError
    >>> issubclass(KernelCompileError, BackendUnavailableError)
    True
    """


class ParallelError(RuntimeError):
    """One of several ranks has failed or no longer responds.

    Attributes
    ----------
    rank : int or None
        The rank that is the cause, if it is known.

    Examples
    --------
    >>> from nnfs_xp import ParallelError
    >>> ParallelError("rank 3 has failed", rank=3).rank
    3
    """

    def __init__(self, message: str, *, rank: int | None = None) -> None:
        super().__init__(message)
        self.rank = rank


class DeviceMemoryError(MemoryError):
    """The memory of a device is too small for the request.

    Examples
    --------
    It is caught with its family:

    >>> from nnfs_xp import DeviceMemoryError
    >>> issubclass(DeviceMemoryError, MemoryError)
    True
    """


class DivergenceError(ArithmeticError):
    """Training has produced numbers that are not finite, or a model contains them.

    Attributes
    ----------
    epoch, step : int
        The epoch, and the step after which it was seen; 0 outside a training.
    history : History or None
        The records of the epochs before.

    Examples
    --------
    >>> from nnfs_xp import SGD, Dense, DivergenceError, Model
    >>> model = Model([Dense(1, 1)], loss="mean_squared_error", optimizer=SGD(1e30))
    >>> try:
    ...     model.fit([[1.0]], [[2.0]], epochs=9)
    ... except DivergenceError as error:
    ...     print(error.epoch, len(error.history))
    2 1
    """

    epoch = 0
    step = 0
    history: Any = None


class FileFormatError(InputError):
    """A file is damaged, or is not of the kind that its reader expects.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from nnfs_xp import FileFormatError, Model
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.safetensors")
    ...     _ = path.write_text("no model")
    ...     try:
    ...         Model.load(path)
    ...     except FileFormatError as error:
    ...         print(type(error).__name__)
    FileFormatError
    """


class DownloadError(RuntimeError):
    """A data set could not be fetched, or arrived with a wrong checksum.

    Examples
    --------
    It is an error of the surroundings, not of the arguments:

    >>> from nnfs_xp import DownloadError, InputError
    >>> issubclass(DownloadError, RuntimeError), issubclass(DownloadError, InputError)
    (True, False)
    """


class DataWarning(UserWarning):
    r"""Data is read in a way that may not be what was meant.

    The message says how it was read, and how to choose otherwise.

    Examples
    --------
    >>> import pathlib, tempfile, warnings
    >>> from nnfs_xp import DataWarning
    >>> from nnfs_xp.data import load_dataset
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "rows.csv")
    ...     _ = path.write_text(",a,kind\n0,1,x\n1,5,y\n2,2,x\n3,6,y")
    ...     with warnings.catch_warnings(record=True) as caught:
    ...         warnings.simplefilter("always")
    ...         data = load_dataset(path)
    >>> caught[0].category.__name__, data.n_features
    ('DataWarning', 1)
    """
