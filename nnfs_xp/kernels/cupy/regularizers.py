"""Implementations of L1 and L2, whose kernels are in ``cuda/regularizers.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import THREADS, are_alike, empty, is_plain, launch
from nnfs_xp.kernels.cupy.module import blocks_for
from nnfs_xp.kernels.registry import implements

_MOST_PARTS = 256


@implements("l1l2_penalty", "cupy")
def l1l2_penalty(be: Any, w: Any, l1: float, l2: float) -> Any:
    """Sum in two launches, the same bits every time.

    Every block of the first leaves its part, and the second, of one block, adds
    them up.
    """
    if not is_plain(be, w):
        return NotImplemented
    count = blocks_for(w.size, THREADS, _MOST_PARTS)
    parts, penalty = empty((count,), "float64"), empty((), be.dtype)
    arguments = w.size, w, l1, l2, parts
    launch(be, "l1l2_penalty_parts", count, *arguments, grid=(count,))
    launch(be, "l1l2_penalty", count, count, parts, penalty, grid=(1,))
    return penalty


@implements("add_l1l2_gradient", "cupy")
def add_l1l2_gradient(
    be: Any, gradient: Any, w: Any, l1: float, l2: float, mode: str
) -> Any:
    """Add to `gradient` in place, in one launch."""
    if not are_alike(be, gradient, w):
        return NotImplemented
    arguments = w.size, gradient, w, l1, l2, mode == "book"
    launch(be, "add_l1l2_gradient", w.size, *arguments)
    return gradient
