"""Dropout that draws its own random numbers; ``cuda/dropout.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import device_integer, empty, is_plain, launch
from nnfs_xp.kernels.registry import implements


@implements("dropout", "cupy")
def dropout(be: Any, x: Any, noise: Any, kept: float) -> Any:
    """Draw and drop in one launch, with the bits that NumPy draws on the host."""
    if not is_plain(be, x):
        return NotImplemented
    y, mask = empty(x.shape, be.dtype), empty(x.shape, be.dtype)
    scale = be.dtype(1.0 / kept if kept > 0 else 0.0)
    if hasattr(noise, "dtype"):
        plain = noise.dtype == bool and noise.flags.c_contiguous
        if not plain or noise.shape != x.shape:
            return NotImplemented
        launch(be, "dropout_with", x.size, x, noise, y, mask, x.size, scale)
        return y, mask
    step = device_integer(noise.step)
    if step is None:
        return NotImplemented
    drawn = noise.threshold(kept), scale, *map(np.uint64, noise.key), *step
    # A thread has eight elements.
    launch(be, "dropout", -(-x.size // 8), x, y, mask, x.size, *drawn)
    return y, mask
