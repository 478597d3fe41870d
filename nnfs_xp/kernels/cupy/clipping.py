"""Implementations of gradient clipping, whose kernels are in ``cuda/clipping.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import THREADS, empty, is_plain, launch
from nnfs_xp.kernels.cupy.module import blocks_for
from nnfs_xp.kernels.registry import implements

# Smallest numbers that are not denormal.
_SMALLEST = {"float32": 2.0**-126, "float64": 2.0**-1022}
# Every block of the second kernel reads what all blocks of the first have written.
_MOST_PARTS = 256


@implements("clip_to_value", "cupy")
def clip_to_value(be: Any, gradient: Any, limit: float) -> Any:
    """Clip in one launch."""
    if not is_plain(be, gradient):
        return NotImplemented
    clipped, size = empty(gradient.shape, be.dtype), gradient.size
    launch(be, "clip_to_value", size, size, gradient, clipped, limit)
    return clipped


@implements("clip_to_norm", "cupy")
def clip_to_norm(be: Any, limit: float, *gradients: Any) -> Any:
    """Clip in two launches for each array, the same bits every time.

    The first kernel leaves a part of the squared norm for each of its blocks,
    scaled so that it can be neither too large nor too small. The second adds
    them up and multiplies.
    """
    if not gradients or not is_plain(be, *gradients):
        return NotImplemented
    smallest = _SMALLEST[be.dtype_name]
    blocks = [blocks_for(g.size, THREADS, _MOST_PARTS) for g in gradients]
    count, first = sum(blocks), 0
    parts = empty((count, 2), "float64")
    for own, g in zip(blocks, gradients, strict=True):
        part = g.size, g, smallest, first, parts
        launch(be, "clip_to_norm_parts", own, *part, grid=(own,))
        first += own
    clipped = tuple(empty(g.shape, be.dtype) for g in gradients)
    for g, new in zip(gradients, clipped, strict=True):
        arguments = g.size, g, new, smallest, limit, count, parts
        launch(be, "clip_to_norm", g.size, *arguments)
    return clipped
