"""Where the arrays of a call are, and where results go: everything follows X."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import get_config

from nnfs_xp.backends import (
    BACKEND_NAMES,
    Array,
    Backend,
    backend_of,
    get_backend,
    library_of,
    to_numpy,
)


def place_of(X: Any) -> Backend:
    """Return the backend that X is on; the host, unless arrays are dispatched.

    Without ``array_api_dispatch``, scikit-learn makes NumPy arrays of all others.
    """
    if get_config()["array_api_dispatch"] and library_of(X) in BACKEND_NAMES:
        return backend_of(X, dtype="float64")
    return get_backend("numpy", dtype="float64")


def on_host(value: Any) -> Any:
    """Copy an array of any backend to the host; return all else unchanged."""
    if get_config()["array_api_dispatch"] and library_of(value) in BACKEND_NAMES:
        return to_numpy(value)
    return value


def is_same_place(one: Backend, other: Backend) -> bool:
    """Return whether two backends share library and device, whatever their dtypes."""
    return one.name == other.name and one.device == other.device


def returned(be: Backend, array: Array, place: Backend) -> Array:
    """Return a result in the library of X, on its device."""
    return array if is_same_place(be, place) else place.asarray(be.to_numpy(array))


def rows(place: Backend, array: Any, numbers: np.ndarray) -> Any:
    """Return rows of an array that is on the host or in this place."""
    if array is None or isinstance(array, np.ndarray):
        return None if array is None else array[numbers]
    return place.take_rows(array, place.asarray(numbers, "int32"))
