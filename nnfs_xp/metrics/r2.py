"""Coefficient of determination of a regression."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.base import Metric, Statistics
from nnfs_xp.metrics.counts import as_counts, count_true, ratio, spread
from nnfs_xp.registry import register
from nnfs_xp.special import sign

AVERAGES = ("uniform", "none")


@register("metric")
class R2(Metric):
    """Coefficient of determination: the fraction of the variance that is explained.

    For each output, let ``m`` be the mean of its targets::

        R2 = 1 - sum((y_true - y_pred)^2) / sum((y_true - m)^2)

    A value of 1 is perfect, 0 is as good as predicting the mean, and negative values
    are worse. If all targets are equal, the value is 1 if every prediction is exact and
    0 otherwise, as in scikit-learn. With fewer than two samples, it is NaN.

    The statistics of batches are merged by the pairwise formula of Chan, Golub and
    LeVeque, after the first target is subtracted from all targets. The result is
    therefore accurate for targets far from 0 even in float32, where subtracting plain
    sums of squares would lose precision.

    Predictions may have any shape with at least one axis. Targets have the same shape.

    Parameters
    ----------
    average : {"uniform", "none"}, default "uniform"
        Whether to return the mean over all outputs or the value of each.
    name, backend, device, dtype : optional
        See `Metric`.

    References
    ----------
    Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance",
    The American Statistician 37, 1983, equations 2.1.

    Examples
    --------
    >>> from nnfs_xp import R2
    >>> float(R2(dtype="float64").calculate([1.0, 2.0, 4.0], [1, 2, 3]))
    0.5
    """

    name = "r2"
    target_kind = "values"

    def __init__(self, average: str = "uniform", **where: Any) -> None:
        super().__init__(**where)
        self.average = check_choice(average, "average", AVERAGES)

    def empty(self, be: Backend, outputs: tuple[int, ...]) -> Statistics:
        """Return no samples, and sums of 0."""
        sums = {
            name: be.zeros(outputs) for name in ("origin", "mean", "m2", "residual")
        }
        return {"count": be.zeros((), be.xp.int32), "weight": be.zeros(()), **sums}

    def batch(
        self, be: Backend, y_pred: Array, y_true: Array, weight: Array | None = None
    ) -> Statistics:
        """Return the count, the total weight, and four numbers for each output.

        These are the first target; the mean of the targets minus the first one, and the
        sum of their squared distances from it; and the sum of the squared errors.
        """
        xp, n = be.xp, y_true.shape[0]
        origin = y_true[0, ...]
        shifted, error = y_true - origin, y_true - y_pred
        if weight is None:
            count, total, mean = n, be.constant(float(n)), xp.mean(shifted, axis=0)
        else:
            count, total = count_true(be, weight > 0), xp.sum(weight)
            weight = spread(be, weight, tuple(y_true.shape))
            # A sample with weight 0 is left out, whatever its prediction.
            error = xp.where(weight > 0, error, be.zero)
            mean = ratio(be, xp.sum(weight * shifted, axis=0), total)

        def added_up(squares: Array) -> Array:
            return xp.sum(squares if weight is None else weight * squares, axis=0)

        deviation = shifted - mean
        return {
            "count": count,
            "weight": total,
            "origin": origin,
            "mean": mean,
            "m2": added_up(deviation * deviation),
            "residual": added_up(error * error),
        }

    def combine(self, be: Backend, total: Statistics, batch: Statistics) -> Statistics:
        """Return the statistics of both sets of samples together."""
        xp, batch = be.xp, as_counts(be, batch)
        before, weight = total["weight"], total["weight"] + batch["weight"]
        # The batch's share of all samples; 0 if there are none.
        part = ratio(be, batch["weight"], weight)
        origin = xp.where(before > 0, total["origin"], batch["origin"])
        apart = batch["origin"] - origin + batch["mean"] - total["mean"]
        return {
            "count": total["count"] + xp.astype(batch["count"], total["count"].dtype),
            "weight": weight,
            "origin": origin,
            "mean": total["mean"] + apart * part,
            "m2": total["m2"] + batch["m2"] + apart * (apart * (before * part)),
            "residual": total["residual"] + batch["residual"],
        }

    def compute(self, be: Backend, statistics: Statistics) -> Array:
        """Return the mean over the outputs, 0-d, or the value of each."""
        xp = be.xp
        m2, residual = (xp.astype(statistics[k], be.dtype) for k in ("m2", "residual"))
        varied = m2 > 0
        unexplained = xp.where(
            varied,
            residual / xp.where(varied, m2, be.constant(1.0)),
            sign(be, residual),
        )
        figures = xp.where(
            statistics["count"] > 1, 1.0 - unexplained, be.constant(float("nan"))
        )
        return figures if self.average == "none" else xp.mean(figures)
