"""Accuracy of a classifier with several guesses."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_ignore_index
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_pair
from nnfs_xp.checks.classes import as_matrices
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.counts import count_true, spread, without_nan
from nnfs_xp.metrics.share import Share
from nnfs_xp.registry import register


@register("metric")
class TopKAccuracy(Share):
    """Fraction of samples whose true class is among the k highest scores.

    The true class is among them if fewer than k other classes rank before it. These are
    the classes with a higher score, and those with an equal score and a lower label.
    With k = 1, the metric therefore equals `Accuracy`. The scores are not sorted. A
    sample with a score of NaN counts as wrong.

    Scores may be probabilities or logits. Targets are labels or rows, as in `Accuracy`.

    Parameters
    ----------
    k : int, default 5
        Number of highest scores, from 1 to the number of classes.
    ignore_index : int, optional
        Samples with this label are ignored; see `Accuracy`.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge",
    2015, section 4.1, as the top-5 error.

    Examples
    --------
    >>> from nnfs_xp import TopKAccuracy
    >>> scores = [[0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [0.3, 0.3, 0.4]]
    >>> float(TopKAccuracy(2, dtype="float64").calculate(scores, [0, 1, 0]).round(4))
    0.6667
    """

    name = "top_k_accuracy"
    ranks_only = True

    def __init__(
        self, k: int = 5, *, ignore_index: int | None = None, **where: Any
    ) -> None:
        super().__init__(**where)
        self.k = check_count(k, "k")
        self.ignore_index = check_ignore_index(ignore_index)

    def check_outputs(self, outputs: tuple[int, ...]) -> None:
        """Raise InputError if there are fewer than k classes."""
        if outputs and self.k > outputs[-1]:
            raise InputError(
                f"k must be at most the number of classes {outputs[-1]}, got {self.k}"
            )

    def check_data(self, be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
        """Return scores, and labels or rows; see `Accuracy`."""
        return check_pair(be, y_pred, y_true, "classes", ignore_index=self.ignore_index)

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the number of right ones and of all, or their weights."""
        if self.ignore_index is None or y_true.ndim == y_pred.ndim:
            return super().batch(be, y_pred, y_true, weight)
        counted = y_true != self.ignore_index
        right = self.right(be, y_pred, y_true) & counted
        if weight is not None:
            weight = spread(be, weight, tuple(counted.shape))
        return {
            "correct": count_true(be, right, weight),
            "count": count_true(be, counted, weight),
        }

    def right(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return whether the class of each sample is among the first k."""
        xp, positions = be.xp, tuple(y_pred.shape[:-1])
        y_pred, y_true = as_matrices(be, y_pred, y_true)
        labels = xp.argmax(y_true, axis=1) if y_true.ndim == 2 else y_true
        labels = labels[:, None]
        classes = xp.arange(y_pred.shape[1], dtype=labels.dtype, device=be.device)
        own = xp.where(classes == labels, y_pred, be.zero)
        own = xp.sum(own, axis=1, keepdims=True)
        not_lower = (y_pred >= own) & (classes < labels)
        higher = (y_pred > own) & (classes > labels)
        ahead = count_true(be, not_lower | higher, axis=1)
        right = (ahead < self.k) & without_nan(be, y_pred)
        return xp.reshape(right, positions)
