"""The class that predictions decide for, and the true one.

Predictions of shape (n, k) decide by their highest score, the first among
equal ones. A single output, of shape (n, 1) or (n,), is one score against a
threshold: class 1 above it, else class 0.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_array
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.checks import check_class_pair, check_probability_pair


def is_single(outputs: tuple[int, ...]) -> bool:
    """Return whether predictions are one score for class 1 against class 0."""
    return outputs in ((), (1,))


def number_of_classes(outputs: tuple[int, ...]) -> int:
    """Return the number of classes that predictions of a shape can tell apart."""
    if is_single(outputs):
        return 2
    if len(outputs) > 1:
        raise InputError(
            "y_pred must have shape (samples, classes), (samples, 1) or (samples,), "
            f"got (samples, {', '.join(map(str, outputs))})"
        )
    return outputs[0]


def check_decisions(be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
    """Return scores, and their targets.

    Those of a single output are numbers from 0 to 1 of the shape of the
    predictions, others labels (n,) or rows (n, k).
    """
    y_pred = check_array(be, y_pred, "y_pred")
    outputs = tuple(y_pred.shape[1:])
    number_of_classes(outputs)
    if is_single(outputs):
        return check_probability_pair(be, y_pred, y_true)
    return check_class_pair(be, y_pred, y_true)


def decide(
    be: Backend, y_pred: Array, y_true: Array, threshold: float
) -> tuple[Array, Array]:
    """Return the predicted and the true class of each sample, integers (n,)."""
    xp = be.xp
    if is_single(tuple(y_pred.shape[1:])):
        predicted = xp.astype(xp.reshape(y_pred, (-1,)) > threshold, xp.int32)
        return predicted, xp.astype(xp.reshape(y_true, (-1,)) > 0.5, xp.int32)
    if y_true.ndim == 2:
        y_true = xp.argmax(y_true, axis=1)
    return xp.argmax(y_pred, axis=1), y_true


def class_numbers(be: Backend, first: int, classes: int, like: Array) -> Array:
    """Return the classes from `first` on, in the dtype of other class numbers."""
    return be.xp.arange(first, classes, dtype=like.dtype, device=be.device)
