"""Accuracy of a classifier that may name several classes."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks.classes import as_matrices
from nnfs_xp.errors import InputError
from nnfs_xp.metrics.counts import count_true, without_nan
from nnfs_xp.metrics.share import Share
from nnfs_xp.registry import register


@register("metric")
class TopKAccuracy(Share):
    """Share of samples whose true class is among the k highest scores.

    The true class is among them if fewer than k others are ahead of it: those
    with a higher score, and those with an equal score and a lower number. So
    k = 1 gives the same as `Accuracy`. Nothing is sorted. A sample with a score of NaN
    is wrong.

    Scores may be probabilities or logits, targets labels or rows, as in
    `Accuracy`.

    Parameters
    ----------
    k : int, default 5
        From 1 to the number of classes.
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

    def __init__(self, k: int = 5, **where: Any) -> None:
        super().__init__(**where)
        self.k = check_count(k, "k")

    def check_outputs(self, outputs: tuple[int, ...]) -> None:
        """Raise InputError if there are fewer than k classes."""
        if outputs and self.k > outputs[-1]:
            raise InputError(
                f"k must be at most the number of classes {outputs[-1]}, got {self.k}"
            )

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
