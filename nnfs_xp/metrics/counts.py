"""Counts of samples, sums of their weights, and shares of both.

Counts are int32, which sum exactly up to 2,147,483,647. Weights are floats.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend


def no_counts(be: Backend, *names: str) -> dict[str, Array]:
    """Return a count of 0, 0-d, for each name."""
    return {name: be.zeros((), be.xp.int32) for name in names}


def as_counts(be: Backend, statistics: dict[str, Any]) -> dict[str, Array]:
    """Return statistics with 0-d arrays where a count is a Python number."""
    xp = be.xp
    return {
        name: xp.full((), value, dtype=xp.int32, device=be.device)
        if isinstance(value, int)
        else value
        for name, value in statistics.items()
    }


def as_weights(be: Backend, statistics: dict[str, Any]) -> dict[str, Array]:
    """Return statistics with floats in place of counts."""
    return {
        name: be.xp.astype(value, be.dtype)
        if be.xp.isdtype(value.dtype, "integral")
        else value
        for name, value in as_counts(be, statistics).items()
    }


def spread(be: Backend, weight: Array, shape: tuple[int, ...]) -> Array:
    """Return the weight of each entry of an array, given the sample weights."""
    weight = weight[(..., *(None,) * (len(shape) - weight.ndim))]
    return be.xp.broadcast_to(weight, shape)


def count_true(
    be: Backend, mask: Array, weight: Array | None = None, axis: int | None = None
) -> Array:
    """Return the number of elements that are True, in all or along an axis.

    With a weight for each element, which may be broadcast, return the sum of their
    weights.
    """
    xp = be.xp
    if weight is not None:
        return xp.sum(xp.where(mask, weight, be.zero), axis=axis)
    return xp.sum(xp.astype(mask, xp.int32), axis=axis, dtype=xp.int32)


def without_nan(be: Backend, scores: Array) -> Array:
    """Return for each row whether no score is NaN: with NaN, it predicts nothing."""
    highest = be.xp.max(scores, axis=1)
    return highest == highest


def ratio(be: Backend, part: Array, whole: Array, otherwise: float = 0.0) -> Array:
    """Return ``part / whole``, and `otherwise` where `whole` is 0."""
    xp = be.xp
    part, whole = xp.astype(part, be.dtype), xp.astype(whole, be.dtype)
    some = whole > 0
    # `where` computes both of its branches: neither may divide by 0.
    quotient = part / xp.where(some, whole, be.constant(1.0))
    return xp.where(some, quotient, be.constant(otherwise))
