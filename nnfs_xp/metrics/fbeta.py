"""Precision and recall combined in one number, with different weights."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array
from nnfs_xp.metrics.averaged import AveragedScore
from nnfs_xp.registry import register


@register("metric")
class FBeta(AveragedScore):
    """Harmonic mean of precision P and recall R, with R weighted by ``beta^2``.

    Let ``TP``, ``FP`` and ``FN`` be the numbers of true positives, false positives and
    false negatives of a class, and let ``b = beta^2``::

        F = (1 + b) P R / (b P + R) = (1 + b) TP / ((1 + b) TP + b FN + FP)

    The score is 0 for a class that does not occur. `F1` is the case ``beta = 1``.
    Inputs and averages are the same as for `Precision`, and as in scikit-learn with
    ``zero_division=0``.

    Parameters
    ----------
    beta : float, default 2.0
        Importance of recall relative to precision, above 0.
    average, threshold, multi_label, top_k : optional
        See `Precision`.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    van Rijsbergen, "Information Retrieval", 2nd edition, 1979, chapter 7.

    Examples
    --------
    >>> from nnfs_xp import FBeta
    >>> metric = FBeta(0.5, dtype="float64")
    >>> float(metric.calculate([0.9, 0.8, 0.3, 0.1], [1, 0, 1, 1]).round(4))
    0.4545
    """

    name = "f_beta"

    def __init__(
        self,
        beta: float = 2.0,
        average: str = "auto",
        threshold: float = 0.5,
        **where: Any,
    ) -> None:
        super().__init__(average, threshold, **where)
        self.beta = check_positive(beta, "beta")

    def share(self, tp: Array, predicted: Array, true: Array) -> tuple[Array, Array]:
        """Return ``(1 + b) TP``, and the predicted plus b times the true ones."""
        b = self.beta**2
        return (1.0 + b) * tp, predicted + b * true
