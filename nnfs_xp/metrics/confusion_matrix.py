"""The confusion matrix of predicted and true classes."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.decisions import (
    OfDecisions,
    class_numbers,
    decide,
    number_of_classes,
    weight_of_rows,
)
from nnfs_xp.registry import register

# Up to this number, every integer is exact in float32.
_EXACT_ROWS = 2**24


@register("metric")
class ConfusionMatrix(OfDecisions):
    """Number of samples of class i that are predicted as class j.

    Row i is the true class, and column j is the predicted class. With one-hot rows T
    and P of the true and predicted classes, the matrix is ``T^T P``. The counts are
    exact, in int32.

    For predictions of shape (n, k), the predicted class is the one with the highest
    score, the first in a tie; targets are labels or rows, as in `Accuracy`. A single
    output, of shape (n, 1) or (n,), means class 1 above the threshold and class 0
    otherwise. Its targets have the same shape, and targets above 0.5 mean class 1.

    Parameters
    ----------
    classes : int, optional
        Number of classes, 2 or more. If given, predictions with a different number of
        classes raise an error.
    threshold : float, default 0.5
        For a single output: predictions above it mean class 1. Use 0 for logits.
    name, backend, device, dtype : optional
        See `Metric`.

    Examples
    --------
    >>> from nnfs_xp import ConfusionMatrix
    >>> scores = [[0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [0.1, 0.8, 0.1]]
    >>> ConfusionMatrix(dtype="float64").calculate(scores, [1, 0, 0])
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 0, 0]], dtype=int32)
    """

    name = "confusion_matrix"

    def __init__(
        self, classes: int | None = None, threshold: float = 0.5, **where: Any
    ) -> None:
        super().__init__(threshold, **where)
        if classes is not None:
            classes = check_count(classes, "classes", least=2)
        self.classes = classes

    def check_outputs(self, outputs: tuple[int, ...]) -> None:
        """Raise InputError if the number of classes differs from the given one."""
        found = number_of_classes(outputs)
        if self.classes not in (None, found):
            raise InputError(
                f"classes must be {found}, as in the predictions, got {self.classes}"
            )

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return a matrix of zeros."""
        self.check_outputs(outputs)
        k = number_of_classes(outputs)
        return {"matrix": be.zeros((k, k), be.xp.int32)}

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the matrix of one batch."""
        xp = be.xp
        predicted, true = decide(be, y_pred, y_true, self.threshold)
        k, n = number_of_classes(tuple(y_pred.shape[1:])), predicted.shape[0]
        if weight is not None:
            weight = weight_of_rows(be, weight, y_pred)
            return {"matrix": _matrix(be, predicted, true, k, weight)}
        matrix = be.zeros((k, k), xp.int32)
        for start in range(0, n, _EXACT_ROWS):
            rows = slice(start, min(start + _EXACT_ROWS, n))
            part = _matrix(be, predicted[rows], true[rows], k)
            matrix = matrix + xp.astype(part, xp.int32)
        return {"matrix": matrix}

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the matrix, shape (k, k), in int32, or in floats if it is weighted."""
        return statistics["matrix"]


def _matrix(
    be: Backend, predicted: Array, true: Array, k: int, weight: Array | None = None
) -> Array:
    """Return ``T^T diag(w) P`` in floats, since not all libraries multiply integers."""
    xp = be.xp
    numbers = class_numbers(be, k, true)
    t = xp.astype(numbers[:, None] == true, be.dtype)
    p = xp.astype(predicted[:, None] == numbers, be.dtype)
    return be.full_matmul(t if weight is None else t * weight, p)
