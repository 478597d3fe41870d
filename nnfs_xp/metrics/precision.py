"""The share of the predictions of a class that are right."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.metrics.averaged import AveragedScore
from nnfs_xp.registry import register


@register("metric")
class Precision(AveragedScore):
    """Fraction of the predictions of a class that are correct.

    Let ``TP`` and ``FP`` be the numbers of true and false positives of a class::

        precision = TP / (TP + FP)

    Precision is 0 for a class that is never predicted. Definitions and averages are the
    same as in scikit-learn with ``zero_division=0``.

    For predictions of shape (n, k), the predicted class is the one with the highest
    score, the first in a tie; targets are labels or rows, as in `Accuracy`. A single
    output, of shape (n, 1) or (n,), means class 1 above the threshold and class 0
    otherwise. Its targets have the same shape, and targets above 0.5 mean class 1.

    Parameters
    ----------
    average : str, default "auto"
        How to combine the scores of the classes:

        ``"auto"``
            ``"binary"`` for a single output, ``"macro"`` otherwise.
        ``"binary"``
            The score of class 1 of two classes.
        ``"macro"``
            The mean over the classes that occur in the targets or the predictions; with
            `multi_label`, the mean over all labels.
        ``"weighted"``
            The mean over the classes, weighted by their numbers of samples.
        ``"micro"``
            One score computed from the summed counts of all classes. If every sample
            has one class, this is the accuracy.
        ``"none"``
            The scores of all classes, of shape (k,).
    threshold : float, default 0.5
        For a single output: predictions above it mean class 1. Use 0 for logits.
    multi_label : bool, default False
        Whether each output of the last axis is a separate binary prediction, so that a
        sample may have several labels or none. Targets then have the shape of the
        predictions, and targets above 0.5 are positive. "Classes" above then refers to
        these labels.
    top_k : int, optional
        With `multi_label`: predict the `top_k` labels with the highest scores,
        regardless of the threshold. With ``average="micro"``, this is precision or
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
