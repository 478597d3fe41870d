"""What all kinds of accuracy share: how many are right, of how many."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.base import Metric, Statistics
from nnfs_xp.metrics.counts import no_counts, ratio


class Share(Metric):
    """Base of metrics whose statistics are ``correct``, and the ``count`` of all."""

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return counts of 0."""
        self.check_outputs(outputs)
        return no_counts(be, "correct", "count")

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the share of what is right, 0-d, and NaN of nothing."""
        nothing = float("nan")
        return ratio(be, statistics["correct"], statistics["count"], nothing)
