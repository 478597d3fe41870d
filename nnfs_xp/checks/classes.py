"""Targets of a classifier, integer labels or rows: their checks, and their rows."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.backends.detect import host_namespace
from nnfs_xp.checks.arrays import (
    check_extent,
    check_length,
    check_whole,
    local_array,
    own_name,
)
from nnfs_xp.errors import DTypeError, InputError


def check_class_targets(
    be: Backend,
    value: Any,
    name: str,
    prediction_shape: tuple[int | None, ...],
    *,
    host_allowed: bool = False,
    ignore_index: int | None = None,
) -> Array:
    """Return integer labels as int32, or target rows as floats.

    Parameters
    ----------
    be : Backend
        Where the targets have to be.
    value : array or array_like
        Integer or boolean labels of the shape of the predictions without its last
        length, or one-hot or soft targets of all of it, without negative or
        non-finite values.
    name : str
        The argument's name, for messages.
    prediction_shape : tuple
        Such as (n, classes). None stands for a length that is not known yet, but not
        for the first.
    host_allowed : bool, default False
        Whether a NumPy array may come, to be moved to the backend.
    ignore_index : int, optional
        A label that is allowed, whatever the number of classes.

    Raises
    ------
    BackendMismatchError
        If the array belongs to another library or device.
    DTypeError
        If labels are not integers, or rows are not real numbers.
    InputError
        If a shape, a length or a value does not fit.
    """
    if len(prediction_shape) < 2:
        raise InputError(
            f"{name}: classes need predictions of shape (samples, classes), "
            f"got {prediction_shape}"
        )
    *positions, n_classes = prediction_shape
    try:
        array = local_array(be, value, name, host_allowed)
    except DTypeError as error:
        raise DTypeError(f"{error}{_numbered(value, name)}") from error
    are_labels = array.ndim == len(positions)
    wanted = positions if are_labels else prediction_shape
    if array.ndim != len(wanted) or any(
        known not in (None, length)
        for known, length in zip(positions[1:], array.shape[1:], strict=False)
    ):
        lengths = ", ".join(_or(n, "n") for n in positions)
        comma = "," if len(positions) == 1 else ""
        raise InputError(
            f"{name} must be labels of shape ({lengths}{comma}) or rows of shape "
            f"({lengths}, {_or(n_classes, 'classes')}), got {tuple(array.shape)}"
        )
    n_samples = positions[0]
    assert n_samples is not None
    check_length(array, name, n_samples)
    check_extent(array, name)
    if are_labels:
        return _check_labels(be, array, name, n_classes, ignore_index)
    return _check_rows(be, array, name, n_classes)


def _check_labels(
    be: Backend,
    labels: Array,
    name: str,
    n_classes: int | None,
    ignore_index: int | None,
) -> Array:
    xp = host_namespace(labels) or be.xp
    if not xp.isdtype(labels.dtype, ("integral", "bool")):
        whole = xp.isdtype(labels.dtype, "real floating") and bool(
            xp.all(labels == xp.round(labels))
        )
        hint = (
            f"; use {own_name(name)}.astype(int)"
            if whole
            else _of_fractions(xp, labels)
        )
        raise DTypeError(
            f"{name} must hold integer labels, got dtype {labels.dtype}{hint}"
        )
    # Compared in the widest integer dtype before anything is narrowed, so that
    # a large label cannot wrap around into the valid range.
    wide = xp.astype(labels, xp.__array_namespace_info__().default_dtypes()["integral"])
    counted = _without(xp, labels, wide, ignore_index)
    try:
        check_whole(be, counted, name, "labels", n_classes)
    except InputError as error:
        from_1 = int(xp.min(counted)) == 1 and int(xp.max(counted)) == n_classes
        hint = f"; classes count from 0: use {own_name(name)} - 1" if from_1 else ""
        raise InputError(f"{error}{hint}") from None
    return be.asarray(wide, "int32")


def _of_fractions(xp: Any, labels: Array) -> str:
    """Say what numbers with fractions may have been meant for."""
    if not xp.isdtype(labels.dtype, "real floating") or not xp.all(xp.isfinite(labels)):
        return ""
    return (
        "; numbers to predict need a loss of numbers, such as mean_squared_error, and "
        "classes with such names nnfs_xp.data.ClassLabels"
    )


def _numbered(value: Any, name: str) -> str:
    """Say how labels that are no array of numbers become one."""
    as_list = getattr(value, "tolist", getattr(value, "to_list", None))
    items = value if as_list is None else as_list()
    if isinstance(items, (list, tuple)) and items:
        if all(isinstance(item, str) for item in items):
            numbers = "nnfs_xp.data.ClassLabels({0}).encode({0})".format(own_name(name))
            return f"; number the classes from 0, as {numbers} does"
        if all(isinstance(item, int) for item in items):
            return f"; use {own_name(name)}.astype(int)"
    return ""


def _without(xp: Any, labels: Array, wide: Array, ignore_index: int | None) -> Array:
    """Return the labels with 0, which is always valid, in place of ignored ones."""
    if ignore_index is None:
        return wide
    if ignore_index < 0 and xp.isdtype(labels.dtype, "unsigned integer"):
        # Only a label that has wrapped around could look like it.
        return wide
    return xp.where(wide == ignore_index, xp.zeros_like(wide), wide)


def _check_rows(be: Backend, rows: Array, name: str, n_classes: int | None) -> Array:
    if n_classes is not None and rows.shape[-1] != n_classes:
        hint = " (labels must have shape (n,))" if rows.shape[1:] == (1,) else ""
        raise InputError(
            f"{name} must have shape {(*rows.shape[:-1], n_classes)}, "
            f"got {tuple(rows.shape)}{hint}"
        )
    rows = be.asarray(rows, be.dtype)
    # A comparison with NaN is false.
    if not bool(be.xp.all(be.xp.isfinite(rows) & (rows >= 0))):
        raise InputError(f"{name} must hold finite target probabilities of 0 or more")
    return rows


def check_one_largest(be: Backend, rows: Array, name: str, reader: Any) -> None:
    """Raise InputError unless every row has one largest entry, which is its class.

    Parameters
    ----------
    be : Backend
        Where the rows are.
    rows : array, shape (n, ..., k)
        Targets.
    name : str
        The argument's name, for messages.
    reader : object
        Who takes them for classes.
    """
    xp = be.xp
    largest = rows == xp.max(rows, axis=-1, keepdims=True)
    ties = xp.sum(xp.astype(largest, xp.int32), axis=-1, dtype=xp.int32)
    if not bool(xp.all(ties == 1)):
        raise InputError(
            f"{name} must hold rows with one largest entry, the class, for "
            f"{reader!r}, got some with several"
        )


def _or(value: int | None, otherwise: str) -> str:
    return otherwise if value is None else str(value)


def as_matrices(be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Array]:
    """Return scores as (m, k), and labels as (m,) or rows as (m, k)."""
    if y_pred.ndim == 2:
        return y_pred, y_true
    rows = be.xp.reshape(y_pred, (-1, y_pred.shape[-1]))
    shape = (-1,) if y_true.ndim < y_pred.ndim else tuple(rows.shape)
    return rows, be.xp.reshape(y_true, shape)
