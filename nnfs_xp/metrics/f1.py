"""Precision and recall combined in one number."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.metrics.averaged import AveragedScore
from nnfs_xp.registry import register


@register("metric")
class F1(AveragedScore):
    """Harmonic mean of precision P and recall R.

    Let ``TP``, ``FP`` and ``FN`` be the numbers of true positives, false positives and
    false negatives of a class::

        F1 = 2 P R / (P + R) = 2 TP / (2 TP + FP + FN)

    F1 is 0 for a class that does not occur. Inputs and averages are the same as for
    `Precision`, and as in scikit-learn with ``zero_division=0``: the macro average is
    the mean of the F1 scores of the classes, not the harmonic mean of two averages.

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
    >>> from nnfs_xp import F1
    >>> float(F1(dtype="float64").calculate([0.9, 0.8, 0.3], [1, 0, 1]))
    0.5
    """

    name = "f1"

    def share(self, tp: Array, predicted: Array, true: Array) -> tuple[Array, Array]:
        """Return twice the true positives, and the sum of predicted and true ones."""
        return 2.0 * tp, predicted + true
