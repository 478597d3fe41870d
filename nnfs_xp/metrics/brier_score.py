"""Squared error of probabilities."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.targets import as_rows
from nnfs_xp.metrics.decisions import OfClasses, is_single
from nnfs_xp.metrics.mean_of import MeanOf
from nnfs_xp.registry import register


@register("metric")
class BrierScore(OfClasses, MeanOf):
    """Mean squared error of probabilities, from 0 for perfect to 1 or 2.

    For a single output, of shape (n, 1) or (n,), with the probability ``p`` of class 1,
    the score is the mean of ``(p - y)^2``. For rows of k probabilities, with one-hot
    targets ``y``, the score is the mean of ``sum_j (p_j - y_j)^2``, which is twice as
    large for two classes. Like the cross-entropy, the score is smallest for the true
    probabilities; unlike the cross-entropy, it is always finite. scikit-learn's
    ``brier_score_loss`` is the same.

    For predictions of shape (n, ..., k), targets are labels or rows, as in `Accuracy`.
    For a single output, targets have the same shape and range from 0 to 1.

    Parameters
    ----------
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Brier, "Verification of forecasts expressed in terms of probability", Monthly
    Weather Review 78 (1950).

    Examples
    --------
    >>> from nnfs_xp import BrierScore
    >>> float(BrierScore(dtype="float64").calculate([0.5, 1.0], [1, 1]))
    0.125
    >>> float(BrierScore(dtype="float64").calculate([[0.5, 0.5], [0.0, 1.0]], [1, 1]))
    0.25
    """

    name = "brier_score"
    lower_is_better = True

    def values(self, be: Backend, y_pred: Array, y_true: Array) -> Array:
        """Return the squared error of each output, or their sum for each row."""
        error = y_pred - as_rows(be, y_true, y_pred)
        if is_single(tuple(y_pred.shape[1:])):
            return error * error
        return be.xp.sum(error * error, axis=-1)
