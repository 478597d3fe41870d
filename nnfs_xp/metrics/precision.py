"""The share of the predictions of a class that are right."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.metrics.averaged import AveragedScore
from nnfs_xp.registry import register


@register("metric")
class Precision(AveragedScore):
    """Share of the samples predicted to be in a class that are in it.

    With the numbers of true positives ``TP`` and false positives ``FP`` of a
    class::

        precision = TP / (TP + FP)

    It is 0 for a class that is never predicted. Definitions and averages are
    scikit-learn's, with its ``zero_division=0``.

    For predictions of shape (n, k), the predicted class is the one with the highest
    score, the first in a tie; targets are labels or rows, as in `Accuracy`. A single
    output, of shape (n, 1) or (n,), means class 1 above the threshold and class 0
    otherwise. Its targets have the same shape and mean class 1 above 0.5.

    Parameters
    ----------
    average : str, default "auto"
        How to combine the scores of the classes:

        ``"auto"``
            ``"binary"`` for a single output, ``"macro"`` otherwise.
        ``"binary"``
            The score of class 1 of two classes.
        ``"macro"``
            Their mean, over the classes that occur among the targets or the
            predictions; of several labels, over all of them.
        ``"weighted"``
            Their mean, weighted by the number of samples of each class.
        ``"micro"``
            One score from the summed counts of all classes. Since every sample has one
            class, this is the accuracy.
        ``"none"``
            All of them, of shape (k,).
    threshold : float, default 0.5
        For a single output: a prediction above it means class 1. For logits
        it is 0.
    multi_label : bool, default False
        Whether each output of the last axis answers a separate question, so that a
        sample may have several labels or none. Its targets have the same shape and mean
        yes above 0.5. "Classes" above then refers to these labels.
    top_k : int, optional
        For several labels: predict the `top_k` labels with the highest scores,
        regardless of the threshold. With ``average="micro"`` this is precision or
        recall at k.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    van Rijsbergen, "Information Retrieval", 2nd edition, 1979, chapter 7.

    Examples
    --------
    >>> from nnfs_xp import Precision
    >>> float(Precision(dtype="float64").calculate([0.9, 0.8, 0.3], [1, 0, 1]))
    0.5
    """

    name = "precision"

    def share(self, tp: Array, predicted: Array, true: Array) -> tuple[Array, Array]:
        """Return the true positives, and all predictions of the class."""
        return tp, predicted
