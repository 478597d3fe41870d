"""Counts in int32, which sum exactly up to 2,147,483,647, and their shares."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend


def no_counts(be: Backend, *names: str) -> dict[str, Array]:
    """Return a count of 0, 0-d, under each name."""
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


def count_true(be: Backend, mask: Array, axis: int | None = None) -> Array:
    """Return how many elements are True, of all or along an axis."""
    xp = be.xp
    return xp.sum(xp.astype(mask, xp.int32), axis=axis, dtype=xp.int32)


def ratio(be: Backend, part: Array, whole: Array, otherwise: float = 0.0) -> Array:
    """Return ``part / whole`` of counts, and `otherwise` where `whole` is 0."""
    xp = be.xp
    part, whole = xp.astype(part, be.dtype), xp.astype(whole, be.dtype)
    # A where computes both of its branches: neither may divide by 0.
    quotient = part / xp.maximum(whole, be.constant(1.0))
    return xp.where(whole > 0, quotient, be.constant(otherwise))
