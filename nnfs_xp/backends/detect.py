"""Find the library and the device of an array."""

from __future__ import annotations

import functools
from typing import Any

import array_api_compat
import numpy as np

from nnfs_xp.backends.base import DTYPE_NAMES, Array, Backend
from nnfs_xp.backends.choice import get_backend
from nnfs_xp.errors import BackendMismatchError

_MODULES = {
    "torch": "torch",
    "jax": "jax",
    "jaxlib": "jax",
    "cupy": "cupy",
    "array_api_strict": "array_api_strict",
}


def library_of(value: Any) -> str | None:
    """Return the name of the library that made an array.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str or None
        A backend's name, the module's name for arrays of other libraries, and
        None for what is not an array, such as a list.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.backends import library_of
    >>> library_of(np.ones(3)), library_of([1, 2])
    ('numpy', None)
    """
    return _library_of_type(type(value))  # type: ignore[arg-type]


@functools.lru_cache(maxsize=256)
def _library_of_type(cls: type) -> str | None:
    if issubclass(cls, (np.ndarray, np.generic)):
        return "numpy"
    # Other classes of such libraries, such as data loaders, are not arrays.
    if not (hasattr(cls, "__dlpack__") or hasattr(cls, "__array_namespace__")):
        return None
    # By name, so that no library has to be imported only to find that an array is not
    # its own.
    for base in cls.__mro__:
        library = _MODULES.get(base.__module__.partition(".")[0])
        if library is not None:
            return library
    return cls.__module__.partition(".")[0]


def backend_of(array: Array, dtype: str | None = None) -> Backend:
    """Return the backend on which an array lives.

    Parameters
    ----------
    array : array
        An array of any backend.
    dtype : {"float32", "float64"}, optional
        dtype of the backend; by default that of the array if it is one of the
        two, else ``"float32"``.

    Returns
    -------
    Backend

    Raises
    ------
    BackendMismatchError
        If it is not an array of a backend.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.backends import backend_of
    >>> backend_of(np.ones(3))
    numpy on cpu, float64
    """
    name = library_of(array)
    if name is None:
        raise BackendMismatchError(f"expected an array, got {type(array).__name__}")
    if dtype is None:
        own = str(array.dtype).rpartition(".")[2]
        dtype = own if own in DTYPE_NAMES else "float32"
    return get_backend(name, device=array_device(array), dtype=dtype)


def array_device(array: Array) -> Any:
    """Return the device of an array."""
    return array_api_compat.device(array)


def to_numpy(array: Any) -> np.ndarray:
    """Copy an array of any backend to the host.

    This is the only way back; the library never does it unasked.

    Parameters
    ----------
    array : array or array_like
        An array of any backend, or numbers.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> import nnfs_xp
    >>> nnfs_xp.to_numpy([1, 2])
    array([1, 2])
    """
    if library_of(array) in (None, "numpy"):
        return np.array(array)
    return backend_of(array).to_numpy(array)


def host_namespace(array: Array) -> Any:
    """Return NumPy's Array API namespace for a NumPy array, else None."""
    if isinstance(array, (np.ndarray, np.generic)):
        import array_api_compat.numpy

        return array_api_compat.numpy
    return None
