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


def reduce_losses(
    be: Backend,
    reduction: str,
    losses: Array,
    counts: Array | None,
    weights: Array | None,
) -> tuple[Array, Array | int, Array | float]:
    """Return total, count and gradient weights of a batch; see `Loss.weigh`.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    reduction : str
        One of `REDUCTIONS`.
    losses : array, shape (n,)
        The loss of each sample.
    counts : array, shape (n,), or None
        What each sample counts in the mean; 1 if there are none.
    weights : array, shape (n,), or None
        The weight of each sample; 1 if there are none.
    """
    xp = be.xp
    n = losses.shape[0]
    total = xp.sum(weighted_losses(be, losses, weights))
    if counts is None and weights is None:
        return total, n, 1.0 / n if reduction == "mean" else 1.0
    factors = be.full((n,), 1.0) if weights is None else weights
    count = xp.sum(factors if counts is None else factors * counts)
    if reduction != "mean":
        return total, count, 1.0 if weights is None else weights
    # Where nothing counts, the mean is NaN; its gradient must not be.
    some = count > 0
    divisor = xp.where(some, count, be.constant(1.0))
    return total, count, xp.where(some, factors, be.zero) / divisor


def finish(reduction: str, total: Any, count: Any) -> Any:
    """Return `total`, over `count` if the reduction is a mean."""
    if reduction != "mean":
        return total
    if isinstance(count, numbers.Real) and count == 0:
        # Python raises an error and NumPy a warning, where arrays give NaN.
        return total * math.nan
    return total / count
