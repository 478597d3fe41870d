"""The base of metrics that are means: a sum over samples, and their number."""

from __future__ import annotations

import math

from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.base import Metric, Statistics
from nnfs_xp.metrics.counts import ratio, spread


class MeanOf(Metric):
    """Base of metrics whose statistics are a ``total`` and a ``count``."""

    def values(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return the values to average: a number for each sample, or each output."""
        raise NotImplementedError

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return a total and a count of 0."""
        self.check_outputs(outputs)
        return {"total": be.zeros(()), "count": be.zeros((), be.xp.int32)}

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the sum of the values, and the number of all, or their weights."""
        xp, values = be.xp, self.values(be, y_pred, y_true)
        if weight is None:
            return {"total": xp.sum(values), "count": math.prod(values.shape)}
        weight = spread(be, weight, tuple(values.shape))
        # A sample with weight 0 is left out, whatever its prediction.
        total = xp.sum(weight * xp.where(weight > 0, values, be.zero))
        return {"total": total, "count": xp.sum(weight)}

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the mean, 0-d, or NaN if there are no samples."""
        nothing = float("nan")
        return ratio(be, statistics["total"], statistics["count"], nothing)
