"""Calibration: the distance of probabilities from observed frequencies."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks.classes import as_matrices
from nnfs_xp.metrics.base import Statistics
from nnfs_xp.metrics.bins import bins_of, counts_of_bins
from nnfs_xp.metrics.counts import ratio
from nnfs_xp.metrics.decisions import OfClasses, decide, is_single, weight_of_rows
from nnfs_xp.registry import register


@register("metric")
class ExpectedCalibrationError(OfClasses):
    """Mean difference between probabilities and observed frequencies, from 0 to 1.

    Samples are divided into bins of equal width by their confidence: the highest
    probability of a row, or the probability of class 1 of a single output. For each
    bin, let ``n_b`` be its number of samples, ``confidence_b`` their mean confidence,
    and ``share_b`` the fraction of them that belong to the predicted class, or to class
    1::

        ECE = sum_b n_b / n |confidence_b - share_b|

    An error of 0 is perfect: of all predictions with 80 % confidence, 80 % are correct.
    A bin includes its lower bound but not its upper bound; the last bin includes both.
    A row with NaN counts as a wrong prediction with a confidence of 1.
    `nnfs_xp.plots.reliability` draws the bins.

    Predictions are probabilities of shape (n, ..., k), with labels or rows as targets,
    as in `Accuracy`; or those of a single output, of shape (n, 1) or (n,), with targets
    of the same shape, where targets above 0.5 mean class 1.

    Parameters
    ----------
    bins : int, default 15
        Number of bins, on which the error depends.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017,
    eq. 3.

    Examples
    --------
    >>> from nnfs_xp import ExpectedCalibrationError
    >>> metric = ExpectedCalibrationError(dtype="float64")
    >>> float(metric.calculate([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0]))
    0.0
    >>> float(metric.calculate([[0.9, 0.1], [0.1, 0.9]], [0, 0]).round(4))
    0.4
    """

    name = "expected_calibration_error"
    lower_is_better = True

    def __init__(self, bins: int = 15, **where: Any) -> None:
        super().__init__(**where)
        self.bins = check_count(bins, "bins")

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return empty bins."""
        counts = {name: be.zeros((self.bins,), be.xp.int32) for name in ("n", "right")}
        return {**counts, "confidence": be.zeros((self.bins,))}

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return, per bin, the number of samples, of right ones, and all confidence."""
        xp = be.xp
        confidence, right = _confidence_and_right(be, y_pred, y_true)
        if weight is not None:
            weight = weight_of_rows(be, weight, y_pred)
        bins, all_of_them = bins_of(be, confidence, self.bins), xp.ones_like(right)
        each = confidence if weight is None else confidence * weight
        counts = {
            name: counts_of_bins(be, bins, self.bins, mask, weight)[0, :]
            for name, mask in (("n", all_of_them), ("right", right))
        }
        total = counts_of_bins(be, bins, self.bins, all_of_them, each)[0, :]
        return {**counts, "confidence": total}

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the error, 0-d, or NaN if there are no samples."""
        right, n = (be.xp.astype(statistics[k], be.dtype) for k in ("right", "n"))
        apart = be.xp.abs(be.xp.astype(statistics["confidence"], be.dtype) - right)
        return ratio(be, be.xp.sum(apart), be.xp.sum(n), float("nan"))


def _confidence_and_right(
    be: Backend, y_pred: Array, y_true: Array
) -> tuple[Array, Array]:
    """Return the confidence of each row, and whether its class is right."""
    xp = be.xp
    if is_single(tuple(y_pred.shape[1:])):
        confidence = xp.reshape(y_pred, (-1,))
        right = xp.reshape(y_true, (-1,)) > 0.5
    else:
        rows, _ = as_matrices(be, y_pred, y_true)
        confidence = xp.max(rows, axis=1)
        predicted, true = decide(be, y_pred, y_true, 0.5)
        right = predicted == true
    known = confidence == confidence
    return xp.where(known, confidence, be.constant(1.0)), right & known
