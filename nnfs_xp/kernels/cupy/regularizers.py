"""Implementations of L1 and L2, whose kernels are in ``cuda/regularizers.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import THREADS, are_alike, is_plain, launch
from nnfs_xp.kernels.cupy.module import blocks_for, kernel
from nnfs_xp.kernels.registry import implements, references

_MOST_PARTS = 256


@implements("l1l2_penalty", "cupy")
def l1l2_penalty(be: Any, w: Any, l1: float, l2: float) -> Any:
    """Sum in two launches, the same bits every time.

    Every block of the first leaves its part, and the second, of one block, adds
    them up.
    """
    if not is_plain(be, w):
        return references()["l1l2_penalty"](be, w, l1, l2)
    count = blocks_for(w.size, THREADS, _MOST_PARTS)
    parts = be.xp.empty((count,), dtype=be.xp.float64)
    penalty = be.xp.empty((), dtype=w.dtype)
    kernel(be.dtype_name, "l1l2_penalty_parts")(
        (count,), (THREADS,), (w.size, w, l1, l2, parts)
    )
    kernel(be.dtype_name, "l1l2_penalty")((1,), (THREADS,), (count, parts, penalty))
    return penalty


@implements("add_l1l2_gradient", "cupy")
def add_l1l2_gradient(
    be: Any, gradient: Any, w: Any, l1: float, l2: float, mode: str
) -> Any:
    """Add to `gradient` in place, in one launch."""
    if not are_alike(be, gradient, w):
        return references()["add_l1l2_gradient"](be, gradient, w, l1, l2, mode)
    constants = l1, l2, mode == "book"
    launch(be, "add_l1l2_gradient", w.size, gradient, w, *constants)
    return gradient
