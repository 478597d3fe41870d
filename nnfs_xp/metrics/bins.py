"""Counts of numbers from 0 to 1 in bins of equal width."""

from __future__ import annotations

import math

from nnfs_xp.backends import Array, Backend
from nnfs_xp.metrics.counts import count_true, spread

# Entries of the largest array that a count creates.
_MOST = 2**24


def bins_of(be: Backend, p: Array, bins: int) -> Array:
    """Return the bin number of each entry, with outliers in the nearest bin."""
    p = be.xp.minimum(be.xp.maximum(p, be.zero), be.constant(1.0))
    scaled = be.xp.floor(p * float(bins))
    return be.xp.astype(be.xp.minimum(scaled, be.constant(bins - 1.0)), be.xp.int32)


def counts_of_bins(
    be: Backend, numbers: Array, bins: int, mask: Array, weight: Array | None = None
) -> Array:
    """Return how many entries of a mask are in each bin, for each column: (k, bins).

    With weights of samples or entries, return the sums of their weights. The columns
    are the last axis; an array with one axis is one column.
    """
    xp = be.xp
    shape = tuple(numbers.shape)
    k = shape[-1] if len(shape) > 1 else 1
    if weight is not None:
        weight = xp.reshape(spread(be, weight, shape), (-1, k, 1))
    numbers, mask = (xp.reshape(a, (-1, k, 1)) for a in (numbers, mask))
    each = xp.arange(bins, dtype=numbers.dtype, device=be.device)
    rows = max(_MOST // (k * bins), 1)
    parts = []
    n = math.prod(shape) // k
    for start in range(0, n, rows):
        part = slice(start, min(start + rows, n))
        inside = (numbers[part, ...] == each) & mask[part, ...]
        own = None if weight is None else weight[part, ...]
        parts.append(count_true(be, inside, own, axis=0))
    total = parts[0]
    for more in parts[1:]:
        total = total + more
    return total


def running_sums(be: Backend, values: Array) -> Array:
    """Return the sum of each entry and all before it, for each row of a matrix."""
    xp, (k, bins) = be.xp, values.shape
    # Sums inside blocks, plus those of the blocks before: one product with a triangle
    # for all bins would need bins^2 numbers.
    width = math.isqrt(bins - 1) + 1
    rest = be.zeros((k, width * width - bins))
    blocks = xp.reshape(xp.concat([values, rest], axis=1), (k * width, width))
    steps = xp.arange(width, device=be.device)
    upto = xp.astype(steps[:, None] <= steps, be.dtype)
    before = xp.astype(steps[:, None] < steps, be.dtype)
    inside = xp.reshape(be.full_matmul(blocks, upto), (k, width, width))
    earlier = be.full_matmul(inside[:, :, -1], before)
    return xp.reshape(inside + earlier[:, :, None], (k, -1))[:, :bins]
