"""Accuracy of a classifier."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_ignore_index
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_pair
from nnfs_xp.checks.classes import as_matrices
from nnfs_xp.kernels import portable
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.counts import count_true, spread, without_nan
from nnfs_xp.metrics.share import Share
from nnfs_xp.registry import register


@register("metric", "acc", "sparse_categorical_accuracy", "categorical_accuracy")
class Accuracy(Share):
    """Fraction of samples whose highest score is that of the true class.

    Scores may be probabilities or logits. In a tie, the first class is the prediction.
    A sample with a score of NaN counts as wrong. With one-hot or soft targets, the true
    class is the one with the highest target.

    Parameters
    ----------
    ignore_index : int, optional
        Samples with this label are ignored. The label may be outside the range of
        classes, such as -100. It has no effect on rows of targets. If all samples are
        ignored, the accuracy is NaN.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 5.

    Examples
    --------
    >>> from nnfs_xp import Accuracy
    >>> scores = [[0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [0.1, 0.8, 0.1]]
    >>> float(Accuracy(dtype="float64").calculate(scores, [1, 0, 0]).round(4))
    0.6667
    """

    name = "accuracy"
    ranks_only = True

    def __init__(self, ignore_index: int | None = None, **where: Any) -> None:
        super().__init__(**where)
        self.ignore_index = check_ignore_index(ignore_index)

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the number of right samples, and the number of samples."""
        rows, targets = as_matrices(be, y_pred, y_true)
        if weight is None:
            return count_correct(be, rows, targets, self.ignore_index)
        weight = spread(be, weight, tuple(y_pred.shape[:-1]))
        weight = be.xp.reshape(weight, (-1,))
        right, counted = right_and_counted(be, rows, targets, self.ignore_index)
        if counted is not None:
            weight = be.xp.where(counted, weight, be.zero)
        return {"correct": count_true(be, right, weight), "count": be.xp.sum(weight)}

    def check_data(self, be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
        """Return scores (n, k), and integer labels (n,) or rows (n, k)."""
        return check_pair(be, y_pred, y_true, "classes", ignore_index=self.ignore_index)


@portable
def count_correct(
    be: Backend, y_pred: Array, y_true: Array, ignore_index: int | None
) -> dict[str, Any]:
    """Return the number of right samples, and the number of samples.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    y_pred : array, shape (n, k)
        Scores. The predicted class is the first one with the highest score. A row with
        NaN is never right.
    y_true : array, shape (n,) or (n, k)
        Labels, or rows whose first highest entry is the label.
    ignore_index : int or None
        A label that means no label.

    Returns
    -------
    dict
        ``correct``, an int32 0-d array, and ``count``, also such an array, or an int if
        it follows from the shapes.
    """
    right, counted = right_and_counted(be, y_pred, y_true, ignore_index)
    if counted is None:
        return {"correct": count_true(be, right), "count": y_pred.shape[0]}
    return {
        "correct": count_true(be, right & counted),
        "count": count_true(be, counted),
    }


def right_and_counted(
    be: Backend, y_pred: Array, y_true: Array, ignore_index: int | None
) -> tuple[Array, Array | None]:
    """Return whether each sample is right, and whether it counts, None if all do."""
    xp = be.xp
    labels = xp.argmax(y_true, axis=1) if y_true.ndim == 2 else y_true
    right = (xp.argmax(y_pred, axis=1) == labels) & without_nan(be, y_pred)
    ignoring = ignore_index is not None and y_true.ndim == 1
    return right, labels != ignore_index if ignoring else None
