"""How closely predictions point in the direction of their targets."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.cosine_distance import directions
from nnfs_xp.metrics.mean_of import MeanOf
from nnfs_xp.registry import register


@register("metric")
class CosineSimilarity(MeanOf):
    """Mean cosine of the angle between predictions and targets, from -1 to 1.

    Predictions ``p`` and targets ``y`` are vectors along the last axis. The cosine is
    ``p . y / (|p| |y|)``. The loss `CosineDistance` is 1 minus the cosine.

    Parameters
    ----------
    eps : float, default 1e-8
        The smallest length of a vector, above 0.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Salton and McGill, "Introduction to modern information retrieval", 1983, chapter 4.

    Examples
    --------
    >>> from nnfs_xp import CosineSimilarity
    >>> metric = CosineSimilarity(dtype="float64")
    >>> float(metric.calculate([[2.0, 0.0], [0.0, 1.0]], [[5.0, 0.0], [1.0, 0.0]]))
    0.5
    """

    name = "cosine_similarity"
    target_kind = "values"

    def __init__(self, eps: float = 1e-8, **where: Any) -> None:
        super().__init__(**where)
        self.eps = check_positive(eps, "eps")

    def values(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return the cosine of each vector; a number is a vector with one entry."""
        if y_pred.ndim == 1:
            y_pred, y_true = y_pred[:, None], y_true[:, None]
        (u, _), (v, _) = (directions(be, a, self.eps) for a in (y_pred, y_true))
        return be.xp.sum(u * v, axis=-1)
