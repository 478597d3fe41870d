"""The base of all kinds of accuracy: the number of right ones, and of all."""

from __future__ import annotations

import math

from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.base import Metric, Statistics
from nnfs_xp.metrics.counts import count_true, no_counts, ratio, spread


class Share(Metric):
    """Base of metrics whose statistics are ``correct`` and ``count``."""

    def right(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return whether the prediction of each sample, or of each output, is right."""
        raise NotImplementedError

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return counts of 0."""
        self.check_outputs(outputs)
        return no_counts(be, "correct", "count")

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the number of right ones and of all, or their weights."""
        right = self.right(be, y_pred, y_true)
        if weight is None:
            return {"correct": count_true(be, right), "count": math.prod(right.shape)}
        weight = spread(be, weight, tuple(right.shape))
        return {"correct": count_true(be, right, weight), "count": be.xp.sum(weight)}

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the share of right ones, 0-d, or NaN if there are no samples."""
        nothing = float("nan")
        return ratio(be, statistics["correct"], statistics["count"], nothing)
