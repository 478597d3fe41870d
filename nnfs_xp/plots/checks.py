"""The checks that the pictures share, all made before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nnfs_xp.errors import DTypeError, InputError

# A softmax in half precision may exceed 1 by a rounding error.
_ROUNDING = 1e-2


def check_is(kind: str, value: Any, name: str, *attributes: str) -> None:
    """Raise InputError unless a value has these attributes, as one of its kind has."""
    if not all(hasattr(value, attribute) for attribute in attributes):
        raise InputError(f"{name} must be a {kind}, got {value!r}")


def check_class_names(class_names: Sequence[str]) -> list[str]:
    """Return the names as a list."""
    if isinstance(class_names, str) or not isinstance(class_names, Iterable):
        string = "the string " if isinstance(class_names, str) else ""
        raise InputError(
            f"class_names must be a sequence of names, got {string}{class_names!r}"
        )
    names = [str(name) for name in class_names]
    if not names:
        raise InputError("class_names must have one name per class, got none")
    return names


def check_labels(name: str, labels: np.ndarray, classes: int) -> np.ndarray:
    """Return the labels as int64, each known to be from 0 to `classes` - 1."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise InputError(f"{name} must have shape (n,), got {array.shape}")
    if array.size == 0:
        raise InputError(f"{name} must have at least one label, got none")
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{name} must hold integer labels, got dtype {array.dtype}")
    for label in (int(array.min()), int(array.max())):
        if not 0 <= label < classes:
            raise InputError(
                f"{name} must hold labels from 0 to {classes - 1}, one for each "
                f"of the class_names, got {label}"
            )
    return array.astype(np.int64)


def check_predictions(
    y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return true labels, predicted labels and class names that fit together."""
    names = check_class_names(class_names)
    true = check_labels("y_true", y_true, len(names))
    predicted = check_labels("y_pred", y_pred, len(names))
    check_length("y_pred", len(predicted), len(true))
    return true, predicted, names


def check_confidence(confidence: np.ndarray, count: int) -> np.ndarray:
    """Return one probability per sample, as float64."""
    array = np.asarray(confidence)
    if array.ndim != 1:
        raise InputError(f"confidence must have shape ({count},), got {array.shape}")
    check_length("confidence", len(array), count)
    if array.dtype.kind not in "fiu":
        raise DTypeError(f"confidence must hold real numbers, got dtype {array.dtype}")
    array = array.astype(np.float64)
    # Written so that NaN, which compares false with everything, is rejected.
    valid = (array >= 0) & (array <= 1 + _ROUNDING)
    if not np.all(valid):
        raise InputError(
            f"confidence must hold values from 0 to 1, got {array[~valid][0]:g}"
        )
    return array.clip(max=1.0)


def check_numbers(name: str, values: np.ndarray, kinds: str = "fiu") -> np.ndarray:
    """Return real, finite numbers; a floating type stays, others become float64."""
    if values.dtype.kind not in kinds:
        raise DTypeError(f"{name} must hold real numbers, got dtype {values.dtype}")
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    if not np.all(np.isfinite(values)):
        raise InputError(f"{name} must be finite, got NaN or infinity")
    return values


def check_grid(rows: int, columns: int) -> None:
    """Reject a grid of pictures without any cells."""
    for name, count in (("rows", rows), ("columns", columns)):
        if count < 1:
            raise InputError(f"{name} must be at least 1, got {count}")


def check_length(name: str, length: int, expected: int) -> None:
    """Reject an argument that does not have one entry per entry of `y_true`."""
    if length != expected:
        raise InputError(
            f"{name} must have one entry for each of the {expected} of y_true, "
            f"got {length}"
        )
