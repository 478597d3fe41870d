"""Implementations of gradient clipping, whose kernels are in ``cuda/clipping.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import THREADS, is_plain, launch
from nnfs_xp.kernels.cupy.module import blocks_for, kernel
from nnfs_xp.kernels.registry import implements, references

# Smallest numbers that are not denormal.
_SMALLEST = {"float32": 2.0**-126, "float64": 2.0**-1022}
# Every block of the second kernel reads what all blocks of the first have written.
_MOST_PARTS = 256


@implements("clip_to_value", "cupy")
def clip_to_value(be: Any, gradient: Any, limit: float) -> Any:
    """Clip in one launch."""
    if not is_plain(be, gradient):
        return references()["clip_to_value"](be, gradient, limit)
    clipped = be.xp.empty_like(gradient)
    launch(be, "clip_to_value", gradient.size, gradient, clipped, limit)
    return clipped


@implements("clip_to_norm", "cupy")
def clip_to_norm(be: Any, limit: float, *gradients: Any) -> tuple[Any, ...]:
    """Clip in two launches for each array, the same bits every time.

    The first kernel leaves a part of the squared norm for each of its blocks,
    scaled so that it can be neither too large nor too small. The second adds
    them up and multiplies.
    """
    if not gradients or not is_plain(be, *gradients):
        return references()["clip_to_norm"](be, limit, *gradients)
    smallest = _SMALLEST[be.dtype_name]
    blocks = [blocks_for(g.size, THREADS, _MOST_PARTS) for g in gradients]
    count = sum(blocks)
    parts = be.xp.empty((count, 2), dtype=be.xp.float64)
    first = 0
    for own, gradient in zip(blocks, gradients, strict=True):
        kernel(be.dtype_name, "clip_to_norm_parts")(
            (own,), (THREADS,), (gradient.size, gradient, smallest, first, parts)
        )
        first += own
    clipped = tuple(be.xp.empty_like(gradient) for gradient in gradients)
    for gradient, new in zip(gradients, clipped, strict=True):
        scalars = smallest, limit, count
        launch(be, "clip_to_norm", gradient.size, gradient, new, *scalars, parts)
    return clipped
