"""Area under a curve over all thresholds."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice, check_count, check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.base import Metric, Statistics
from nnfs_xp.metrics.bins import bins_of, counts_of_bins, running_sums
from nnfs_xp.metrics.counts import ratio
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid

CURVES = ("roc", "pr")
AVERAGES = ("uniform", "none")


@register("metric")
class AUC(Metric):
    """Area under the ROC or precision-recall curve of binary predictions.

    ``"roc"`` is the curve of the true positive rate over the false positive rate. Its
    area is the probability that a positive has a higher score than a negative, where
    equal scores count half. ``"pr"`` is the curve of precision over recall. Its area is
    the average precision: the mean of the precisions at each positive. An area of 1 is
    perfect. Guessing gives 0.5 for the ROC curve, and the fraction of positives for the
    precision-recall curve.

    Scores are counted in `bins` of equal width. Each batch therefore needs only two
    counts per bin, and scores in the same bin are treated as equal. The result equals
    scikit-learn's for scores rounded down to a multiple of ``1 / bins``; with more
    bins, it is closer to the exact value. Keras uses 200 thresholds and interpolates
    its precision-recall curve differently.

    Predictions are numbers from 0 to 1, of any shape. Targets have the same shape;
    those above 0.5 are positive. Each output of the last axis is a separate binary
    prediction. A prediction of NaN counts as maximally wrong.

    Parameters
    ----------
    curve : {"roc", "pr"}, default "roc"
        The curve.
    bins : int, default 200
        Number of bins.
    from_logits : bool, default False
        Whether predictions are logits, to which a sigmoid is applied first.
    average : {"uniform", "none"}, default "uniform"
        Whether to return the mean over the outputs or the area of each. The area of an
        output is NaN if all of its targets are the same; the mean is then taken over
        the other outputs.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Hanley and McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982).

    Examples
    --------
    >>> from nnfs_xp import AUC
    >>> p, y = [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]
    >>> float(AUC(dtype="float64").calculate(p, y))
    0.75
    >>> float(AUC("pr", dtype="float64").calculate(p, y).round(4))
    0.8333
    """

    name = "auc"
    target_kind = "probabilities"

    def __init__(
        self,
        curve: str = "roc",
        bins: int = 200,
        from_logits: bool = False,
        average: str = "uniform",
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.curve = check_choice(curve, "curve", CURVES)
        self.bins = check_count(bins, "bins")
        self.from_logits = check_flag(from_logits, "from_logits")
        self.average = check_choice(average, "average", AVERAGES)

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return counts of 0 for each output and bin."""
        shape = ((outputs or (1,))[-1], self.bins)
        return {name: be.zeros(shape, be.xp.int32) for name in ("yes", "no")}

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the numbers of yes and no in each bin, for each output."""
        yes = y_true > 0.5
        p = sigmoid(be, y_pred) if self.from_logits else y_pred
        p = be.xp.where(p == p, p, be.xp.astype(~yes, p.dtype))
        bins = bins_of(be, p, self.bins)
        return {
            name: counts_of_bins(be, bins, self.bins, mask, weight)
            for name, mask in (("yes", yes), ("no", ~yes))
        }

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the area, 0-d, or the area of each output."""
        xp, nothing = be.xp, float("nan")
        # As shares of all yes and all no, starting from the highest bin.
        yes, no = (
            xp.flip(xp.astype(statistics[k], be.dtype), axis=-1) for k in ("yes", "no")
        )
        all_yes, all_no = (xp.sum(a, axis=-1, keepdims=True) for a in (yes, no))
        found, taken = (running_sums(be, a) for a in (yes, no))
        if self.curve == "roc":
            terms = ratio(be, no, all_no) * ratio(be, found - 0.5 * yes, all_yes)
        else:
            terms = ratio(be, yes, all_yes) * ratio(be, found, found + taken)
        known = xp.reshape((all_yes > 0) & (all_no > 0), (-1,))
        areas = xp.where(known, xp.sum(terms, axis=-1), be.constant(nothing))
        if self.average == "none":
            return areas
        known = xp.astype(known, be.dtype)
        total = xp.sum(xp.where(known > 0, areas, be.zero))
        return ratio(be, total, xp.sum(known), nothing)
