"""The contract on data, checked where data enters and nowhere else.

Features are real arrays of shape (n, features), targets are integer labels of
shape (n,) or one-hot or soft rows of shape (n, classes). What does not fit
raises an `InputError` that names the argument, the same on every backend and
before anything changes. The training step then trusts what it gets.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend, library_of
from nnfs_xp.backends.base import host_array
from nnfs_xp.backends.detect import array_device, host_namespace
from nnfs_xp.errors import BackendMismatchError, DTypeError, InputError


def check_array(
    be: Backend, value: Any, name: str, *, host_allowed: bool = False
) -> Array:
    """Return a real, non-empty array on this backend, with its own dtype.

    Parameters
    ----------
    be : Backend
        Where the array has to be.
    value : array or array_like
        An array of this backend, or numbers that belong to no library yet.
    name : str
        The argument's name, for messages.
    host_allowed : bool, default False
        Whether a NumPy array may come, to be moved to the backend. This is so
        where whole data sets enter; a single unit never moves an array.

    Raises
    ------
    BackendMismatchError
        If the array belongs to another library or device.
    DTypeError
        If its elements are not real numbers.
    InputError
        If it is empty, or is a single number.
    """
    array = _local(be, value, name, host_allowed)
    _check_extent(array, name)
    return _moved(be, array)


def check_features(
    be: Backend,
    value: Any,
    name: str,
    n_features: int | None = None,
    *,
    host_allowed: bool = False,
) -> Array:
    """Return an array of shape (n, n_features), as `check_array` does."""
    array = _local(be, value, name, host_allowed)
    _check_extent(array, name)
    expected = "n" if n_features is None else str(n_features)
    if array.ndim != 2 or (n_features is not None and array.shape[1] != n_features):
        raise InputError(
            f"{name} must have shape (samples, {expected}), got {tuple(array.shape)}"
        )
    return _moved(be, array)


def check_targets(
    be: Backend,
    value: Any,
    name: str,
    n_samples: int,
    n_classes: int | None,
    *,
    host_allowed: bool = False,
) -> Array:
    """Return integer labels (n,) as int32, or target rows (n, k) as floats.

    Parameters
    ----------
    be : Backend
        Where the targets have to be.
    value : array or array_like
        Integer or boolean labels of shape (n,), or one-hot or soft targets of
        shape (n, k) without negative or non-finite values.
    name : str
        The argument's name, for messages.
    n_samples : int
        Number of rows of the predictions.
    n_classes : int or None
        Number of columns of the predictions, if it is known.
    host_allowed : bool, default False
        Whether a NumPy array may come, to be moved to the backend.

    Raises
    ------
    BackendMismatchError
        If the array belongs to another library or device.
    DTypeError
        If labels are not integers, or rows are not real numbers.
    InputError
        If a shape, a length or a value does not fit.
    """
    array = _local(be, value, name, host_allowed)
    if array.ndim not in (1, 2):
        raise InputError(
            f"{name} must be labels of shape ({n_samples},) or rows of shape "
            f"({n_samples}, {_or(n_classes, 'classes')}), got {tuple(array.shape)}"
        )
    if array.shape[0] != n_samples:
        raise InputError(
            f"{name} must have one entry for each of {n_samples} samples, "
            f"got {array.shape[0]}"
        )
    _check_extent(array, name)
    if array.ndim == 1:
        return _check_labels(be, array, name, n_classes)
    return _check_rows(be, array, name, n_classes)


def check_predictions(be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
    """Return what a loss or metric compares: predictions as floats, and targets.

    Raises
    ------
    InputError
        As `check_features` does of ``y_pred``, and `check_targets` of
        ``y_true``.
    """
    predictions = be.asarray(check_features(be, y_pred, "y_pred"), be.dtype)
    return predictions, check_targets(be, y_true, "y_true", *predictions.shape)


def _check_labels(
    be: Backend, labels: Array, name: str, n_classes: int | None
) -> Array:
    xp = host_namespace(labels) or be.xp
    if not xp.isdtype(labels.dtype, ("integral", "bool")):
        raise DTypeError(f"{name} must hold integer labels, got dtype {labels.dtype}")
    # Compared in the widest integer dtype before anything is narrowed, so that
    # a large label cannot wrap around into the valid range.
    wide = xp.astype(labels, xp.__array_namespace_info__().default_dtypes()["integral"])
    lowest, highest = int(xp.min(wide)), int(xp.max(wide))
    if lowest < 0 or (n_classes is not None and highest >= n_classes):
        allowed = "0 or more" if n_classes is None else f"from 0 to {n_classes - 1}"
        found = lowest if lowest < 0 else highest
        raise InputError(f"{name} must hold labels {allowed}, got {found}")
    return be.asarray(wide, "int32")


def _check_rows(be: Backend, rows: Array, name: str, n_classes: int | None) -> Array:
    if n_classes is not None and rows.shape[1] != n_classes:
        hint = " (labels must have shape (n,))" if rows.shape[1] == 1 else ""
        raise InputError(
            f"{name} must have shape ({rows.shape[0]}, {n_classes}), "
            f"got {tuple(rows.shape)}{hint}"
        )
    rows = be.asarray(rows, be.dtype)
    if not bool(be.xp.all(be.xp.isfinite(rows))) or bool(be.xp.any(rows < 0)):
        raise InputError(f"{name} must hold finite target probabilities of 0 or more")
    return rows


def check_finite(be: Backend, array: Array, name: str) -> None:
    """Raise InputError if an array holds NaN, infinity, or what will be such."""
    xp = be.xp
    if not xp.isdtype(array.dtype, "real floating"):
        return
    # A limit beyond the array's own dtype could not be compared with it.
    largest = min(float(xp.finfo(d).max) for d in (array.dtype, be.dtype))
    # A comparison with NaN is false.
    if not bool(xp.all(xp.abs(array) <= largest)):
        raise InputError(
            f"{name} must be finite in {be.dtype_name}, got NaN, infinity, or a "
            "number that is too large"
        )


def check_same_library(values: dict[str, Any]) -> None:
    """Raise BackendMismatchError if named arrays are of different libraries.

    Lists and numbers belong to none and go with everything.
    """
    owners = {name: library_of(value) for name, value in values.items()}
    known = {name: owner for name, owner in owners.items() if owner is not None}
    if len(set(known.values())) > 1:
        found = ", ".join(f"{name} of {owner}" for name, owner in known.items())
        raise BackendMismatchError(
            f"arrays of one call must share a library, got {found}"
        )


def _local(be: Backend, value: Any, name: str, host_allowed: bool) -> Array:
    """Return a real array on this backend, or on the host if that is allowed."""
    library = library_of(value)
    try:
        if library in (None, "numpy") and (
            library is None or host_allowed or be.name == "numpy"
        ):
            return host_array(value)
    except DTypeError as error:
        raise DTypeError(f"{name}: {error}") from error
    if library != be.name:
        raise _mismatch(be, f"of {library}", name)
    if array_device(value) != be.device:
        raise _mismatch(be, f"on device {array_device(value)}", name)
    if be.xp.isdtype(value.dtype, "complex floating"):
        raise DTypeError(f"{name}: expected real numbers, got dtype {value.dtype}")
    return value


def _moved(be: Backend, array: Array) -> Array:
    """Return the array on the backend, with its dtype where that can hold it.

    Wide integers are cast on the host: not every library has them.
    """
    xp = host_namespace(array)
    if xp is not None and array.dtype in (xp.int64, xp.uint64):
        return be.asarray(array.astype(be.dtype_name))
    return be.asarray(array)


def _mismatch(be: Backend, found: str, name: str) -> BackendMismatchError:
    return BackendMismatchError(
        f"{name} is an array {found}, but is used with {be}; arrays are never "
        "moved unasked: use nnfs_xp.to_numpy(array) and backend.asarray(array)"
    )


def _check_extent(array: Array, name: str) -> None:
    if array.ndim == 0:
        raise InputError(f"{name} must be an array of samples, got a single number")
    if 0 in array.shape:
        raise InputError(f"{name} is empty, of shape {tuple(array.shape)}")


def _or(value: int | None, otherwise: str) -> str:
    return otherwise if value is None else str(value)
