"""Correlation of predicted and true classes."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.averaged import ClassCounts
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.counts import ratio
from nnfs_xp.registry import register


@register("metric")
class MatthewsCorrelation(ClassCounts):
    """Matthews correlation of predicted and true classes, from -1 to 1.

    Let ``c`` of ``s`` samples be predicted correctly, and let each class have ``p_k``
    predictions and ``t_k`` samples::

        MCC = (c s - sum_k p_k t_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2))

    A correlation of 1 is perfect. Guessing gives about 0, even if nearly all samples
    belong to one class. Predicting one class for all samples gives 0, although the
    fraction is 0 / 0. scikit-learn's ``matthews_corrcoef`` is the same. Inputs are the
    same as for `Precision`.

    Parameters
    ----------
    threshold : float, default 0.5
        For a single output: predictions above it mean class 1. Use 0 for logits.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Gorodkin, "Comparing two K-category assignments by a K-category correlation
    coefficient", Computational Biology and Chemistry 28 (2004), eq. 9.

    Examples
    --------
    >>> from nnfs_xp import MatthewsCorrelation
    >>> metric = MatthewsCorrelation(dtype="float64")
    >>> float(metric.calculate([0.9, 0.8, 0.3, 0.1], [1, 0, 0, 0]).round(4))
    0.5774
    """

    name = "matthews_correlation"

    def __init__(self, threshold: float = 0.5, **where: Any) -> None:
        super().__init__(threshold, **where)

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the correlation, 0-d, which is 0 if there is only one class."""
        xp = be.xp
        right, predicted, true = self.counts(be, statistics)
        total = xp.sum(true)
        together = xp.sum(right) * total - xp.sum(predicted * true)
        # Rounding may give less than 0 if counts are not whole numbers.
        spreads = (
            xp.sqrt(xp.maximum(total * total - xp.sum(of * of), be.zero))
            for of in (predicted, true)
        )
        return ratio(be, together, math.prod(spreads))
