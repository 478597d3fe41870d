"""Checks of numbers that go with predictions: target values, and weights."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks.arrays import (
    check_extent,
    check_finite,
    check_length,
    local_array,
    moved_array,
)
from nnfs_xp.errors import InputError

# The shape of predictions; None for a length that is not known yet.
Shape = tuple[int | None, ...]


def check_values(
    be: Backend, value: Any, name: str, shape: Shape, *, host_allowed: bool = False
) -> Array:
    """Return finite numbers of the shape of the predictions, as floats.

    Parameters
    ----------
    be : Backend
        Where the targets have to be.
    value : array or array_like
        Real numbers; integers and booleans are cast.
    name : str
        The argument's name, for messages.
    shape : tuple
        Shape of the predictions, with None for lengths that are not known. Its
        first entry, the number of samples, must be.
    host_allowed : bool, default False
        Whether a NumPy array may come, to be moved to the backend.

    Raises
    ------
    BackendMismatchError
        If the array belongs to another library or device.
    DTypeError
        If its elements are not real numbers.
    InputError
        If the shape is another, or an element is not finite in the backend's
        dtype. Nothing is broadcast.
    """
    array = local_array(be, value, name, host_allowed)
    _check_shape(array, name, shape)
    return _finite_floats(be, array, name)


def check_probabilities(
    be: Backend, value: Any, name: str, shape: Shape, *, host_allowed: bool = False
) -> Array:
    """Return numbers from 0 to 1 of the shape of the predictions, as floats.

    Parameters and errors are those of `check_values`.
    """
    array = local_array(be, value, name, host_allowed)
    _check_shape(array, name, shape)
    targets = _floats(be, array)
    # A comparison with NaN is false.
    if not bool(be.xp.all((targets >= 0) & (targets <= 1))):
        lowest, highest = (float(f(targets)) for f in (be.xp.min, be.xp.max))
        raise InputError(
            f"{name} must hold probabilities from 0 to 1, got numbers from "
            f"{lowest:g} to {highest:g}"
        )
    return targets


def check_sample_weight(
    be: Backend,
    value: Any,
    name: str,
    shape: tuple[int, ...],
    host_allowed: bool = False,
) -> Array:
    """Return the weights of samples, finite floats of 0 or more.

    They have shape (n,), or that of the losses where a sample has several. Other
    parameters and errors are those of `check_values`.
    """
    array = local_array(be, value, name, host_allowed)
    if array.ndim != 1 and tuple(array.shape) != shape:
        either = f"({shape[0]},)" + (f" or {shape}" if len(shape) > 1 else "")
        raise InputError(f"{name} must have shape {either}, got {tuple(array.shape)}")
    check_length(array, name, shape[0])
    check_extent(array, name)
    weights = _finite_floats(be, array, name)
    if bool(be.xp.any(weights < 0)):
        lowest = float(be.xp.min(weights))
        raise InputError(f"{name} must hold numbers of 0 or more, got {lowest:g}")
    return weights


def _finite_floats(be: Backend, array: Array, name: str) -> Array:
    # What is too large for the dtype is infinite by now.
    floats = _floats(be, array)
    check_finite(be, floats, name)
    return floats


def _floats(be: Backend, array: Array) -> Array:
    return be.asarray(moved_array(be, array), be.dtype)


def _check_shape(array: Array, name: str, shape: Shape) -> None:
    """Raise InputError if a shape is not that of the predictions."""
    fits = array.ndim == len(shape) and all(
        wanted in (None, length)
        for wanted, length in zip(shape[1:], array.shape[1:], strict=True)
    )
    if not fits:
        expected = ", ".join("k" if n is None else str(n) for n in shape)
        expected += "," if len(shape) == 1 else ""
        raise InputError(
            f"{name} must have the shape of the predictions, ({expected}), "
            f"got {tuple(array.shape)}{_hint(array, name, shape)}"
        )
    assert shape[0] is not None
    check_length(array, name, shape[0])
    check_extent(array, name)


def _hint(array: Array, name: str, shape: Shape) -> str:
    """Say how to get the shape where one axis of length 1 is all that differs."""
    if array.ndim == 1 and shape[1:] in ((1,), (None,)):
        return f"; use {name}.reshape(-1, 1)"
    if array.ndim == 2 and array.shape[1] == 1 and len(shape) == 1:
        return f"; use {name}.reshape(-1)"
    return ""
