"""The predicted class and the true one.

In predictions of shape (n, ..., k), every row is a sample. Its predicted class is the
one with the highest score, the first in a tie. A single output, of shape (n, ..., 1) or
(n,), is a score compared with a threshold: class 1 above it, otherwise class 0.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_array, check_pair
from nnfs_xp.checks.classes import as_matrices
from nnfs_xp.metrics.base import Metric
from nnfs_xp.metrics.counts import spread, without_nan


def is_single(outputs: tuple[int, ...]) -> bool:
    """Return whether predictions are one score for class 1 against class 0."""
    return outputs[-1:] in ((), (1,))


def number_of_classes(outputs: tuple[int, ...]) -> int:
    """Return the number of classes that predictions of a shape distinguish."""
    return 2 if is_single(outputs) else outputs[-1]


class OfClasses(Metric):
    """Base of metrics of class scores, or of a single output for two classes."""

    def takes(self, target_kind: str) -> bool:
        """Return True for classes, and for probabilities, of a single output."""
        return target_kind in ("classes", "probabilities")

    def check_data(self, be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
        """Return scores, and their targets.

        Targets of a single output are numbers from 0 to 1 in the shape of the
        predictions, others are labels (n,) or rows (n, k).
        """
        y_pred = check_array(be, y_pred, "y_pred")
        single = is_single(tuple(y_pred.shape[1:]))
        return check_pair(be, y_pred, y_true, "probabilities" if single else "classes")


class OfDecisions(OfClasses):
    """Base of metrics that are computed from predicted classes.

    Parameters
    ----------
    threshold : float
        For a single output: predictions above it mean class 1.
    name, backend, device, dtype : optional
        See `Metric`.
    """

    def __init__(self, threshold: float, **where: Any) -> None:
        super().__init__(**where)
        self.threshold = check_number(threshold, "threshold")


def weight_of_rows(be: Backend, weight: Array, y_pred: Array) -> Array:
    """Return the weight of each row that `decide` returns."""
    shape = tuple(y_pred.shape)
    positions = shape if is_single(shape[1:]) else shape[:-1]
    return be.xp.reshape(spread(be, weight, positions), (-1,))


def decide(
    be: Backend, y_pred: Array, y_true: Array, threshold: float
) -> tuple[Array, Array]:
    """Return the predicted and the true class of each row, integers (m,).

    The predicted class of a row with NaN is -1, which is not a class.
    """
    xp = be.xp
    if is_single(tuple(y_pred.shape[1:])):
        scores = xp.reshape(y_pred, (-1, 1))
        predicted = xp.astype(scores[:, 0] > threshold, xp.int32)
        targets = xp.astype(xp.reshape(y_true, (-1,)) > 0.5, xp.int32)
    else:
        scores, targets = as_matrices(be, y_pred, y_true)
        if targets.ndim == 2:
            targets = xp.argmax(targets, axis=1)
        predicted = xp.argmax(scores, axis=1)
    no_class = xp.full_like(predicted, -1)
    return xp.where(without_nan(be, scores), predicted, no_class), targets


def class_numbers(be: Backend, classes: int, like: Array) -> Array:
    """Return all classes, in the dtype of other class numbers."""
    return be.xp.arange(classes, dtype=like.dtype, device=be.device)
