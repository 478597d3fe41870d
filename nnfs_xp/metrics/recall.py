"""The share of the samples of a class that are found."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.metrics.averaged import AveragedScore
from nnfs_xp.registry import register


@register("metric")
class Recall(AveragedScore):
    """Fraction of the samples of a class that are predicted correctly.

    Let ``TP`` and ``FN`` be the numbers of true positives and false negatives of a
    class::

        recall = TP / (TP + FN)

    Recall is 0 for a class without samples. Inputs and averages are the same as for
    `Precision`, and as in scikit-learn with ``zero_division=0``.

    Parameters
    ----------
    average : str, default "auto"
        ``"auto"``, ``"binary"``, ``"macro"``, ``"weighted"``, ``"micro"`` or
        ``"none"``; see `Precision`.
    threshold : float, default 0.5
        For a single output: predictions above it mean class 1. Use 0 for logits.
    multi_label, top_k : optional
        See `Precision`.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    van Rijsbergen, "Information Retrieval", 2nd edition, 1979, chapter 7.

    Examples
    --------
    >>> from nnfs_xp import Recall
    >>> float(Recall(dtype="float64").calculate([0.9, 0.8, 0.3], [1, 0, 0]))
    1.0
    """

    name = "recall"

    def share(self, tp: Array, predicted: Array, true: Array) -> tuple[Array, Array]:
        """Return the true positives, and all samples of the class."""
        return tp, true
