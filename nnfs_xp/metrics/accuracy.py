"""Accuracy of a classifier."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_ignore_index
from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.accumulation import count_correct
from nnfs_xp.metrics.base import Metric, Statistics
from nnfs_xp.metrics.checks import check_class_pair
from nnfs_xp.metrics.counts import no_counts, ratio
from nnfs_xp.registry import register


@register("metric")
class Accuracy(Metric):
    """Share of samples whose highest score is that of the true class.

    Scores may be probabilities or logits. Among equal scores the first counts.
    With one-hot or soft targets the true class is the one of the highest
    target.

    Parameters
    ----------
    ignore_index : int, optional
        Samples with this label count neither as right nor as wrong. It may be
        outside of the classes, such as -100, and has no meaning for rows of
        targets. If all samples have it, the accuracy is NaN.
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

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return counts of 0."""
        return no_counts(be, "correct", "count")

    def batch(self, be: Backend, y_pred: Array, y_true: Array) -> Statistics:
        """Return how many samples are right, and how many there are."""
        return count_correct(be, y_pred, y_true, self.ignore_index)

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the share of right samples, 0-d."""
        nothing = float("nan")
        return ratio(be, statistics["correct"], statistics["count"], nothing)

    def check_data(self, be: Backend, y_pred: Any, y_true: Any) -> tuple[Array, Array]:
        """Return scores (n, k), and integer labels (n,) or rows (n, k)."""
        return check_class_pair(be, y_pred, y_true, self.ignore_index)

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        return {"ignore_index": self.ignore_index, **super().config()}
