"""What becomes of the losses of a batch: their mean, their sum, or nothing."""

from __future__ import annotations

import math
import numbers
from typing import Any

from nnfs_xp.backends import Array, Backend

REDUCTIONS = ("mean", "sum", "none")


def weighted_losses(be: Backend, losses: Array, weights: Array | None) -> Array:
    """Return the losses times the weights of their samples, if there are any."""
    if weights is None:
        return losses
    # A sample without weight is left out, even if its loss is infinite.
    return weights * be.xp.where(weights > 0, losses, be.zero)


def gradient_factors(
    be: Backend,
    reduction: str,
    n: int,
    counts: Array | None,
    weights: Array | None,
) -> tuple[Array | int, Array | float]:
    """Return count and gradient weights of a batch; see `Loss.factors`.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    reduction : str
        One of `REDUCTIONS`.
    n : int
        The number of samples.
    counts : array, shape (n,), or None
        What each sample counts in the mean; 1 if there are none.
    weights : array, shape (n,), or None
        The weight of each sample; 1 if there are none.
    """
    xp = be.xp
    if counts is None and weights is None:
        return n, 1.0 / n if reduction == "mean" else 1.0
    factors = be.full((n,), 1.0) if weights is None else weights
    count = xp.sum(factors if counts is None else factors * counts)
    if reduction != "mean":
        return count, 1.0 if weights is None else weights
    # Where nothing counts, the mean is NaN; its gradient must not be.
    some = count > 0
    divisor = xp.where(some, count, be.constant(1.0))
    return count, xp.where(some, factors, be.zero) / divisor


def finish(reduction: str, total: Any, count: Any) -> Any:
    """Return `total`, over `count` if the reduction is a mean."""
    if reduction != "mean":
        return total
    if isinstance(count, numbers.Real) and count == 0:
        # Python raises an error and NumPy a warning, where arrays give NaN.
        return total * math.nan
    return total / count
