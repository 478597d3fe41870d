"""Twins of L1 and L2, whose kernels are in ``cuda/regularizers.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import THREADS, common_dtype, launch
from nnfs_xp.kernels.cupy.module import blocks_for, kernel
from nnfs_xp.kernels.registry import references, twin_of

_MOST_PARTS = 256


@twin_of("l1l2_penalty", "cupy")
def l1l2_penalty(be: Any, w: Any, l1: float, l2: float) -> Any:
    """Sum in two launches, the same bits every time.

    Every block of the first leaves its part, and the second, of one block, adds
    them up.
    """
    dtype = common_dtype(w)
    if dtype is None:
        return references()["l1l2_penalty"](be, w, l1, l2)
    count = blocks_for(w.size, THREADS, _MOST_PARTS)
    parts = be.xp.empty((count,), dtype=be.xp.float64)
    penalty = be.xp.empty((), dtype=w.dtype)
    kernel(dtype, "l1l2_penalty_parts")(
        (count,), (THREADS,), (w.size, w, l1, l2, parts)
    )
    kernel(dtype, "l1l2_penalty")((1,), (THREADS,), (count, parts, penalty))
    return penalty


@twin_of("add_l1l2_gradient", "cupy")
def add_l1l2_gradient(
    be: Any, gradient: Any, w: Any, l1: float, l2: float, mode: str
) -> Any:
    """Add to `gradient` in place, in one launch."""
    dtype = common_dtype(gradient, w)
    if dtype is None:
        return references()["add_l1l2_gradient"](be, gradient, w, l1, l2, mode)
    constants = l1, l2, mode == "book"
    launch(dtype, "add_l1l2_gradient", w.size, gradient, w, *constants)
    return gradient
