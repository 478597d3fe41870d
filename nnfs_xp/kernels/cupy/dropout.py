"""Dropout that draws its own random numbers; ``cuda/dropout.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import THREADS, device_integer, is_plain
from nnfs_xp.kernels.cupy.module import blocks_for, kernel
from nnfs_xp.kernels.registry import implements, references


@implements("dropout", "cupy")
def dropout(be: Any, x: Any, noise: Any, kept: float) -> tuple[Any, Any]:
    """Draw and drop in one launch, with the bits that NumPy draws on the host."""
    import cupy

    drawn = hasattr(noise, "dtype")
    fits = (
        noise.dtype == bool and noise.flags.c_contiguous and noise.shape == x.shape
        if drawn
        else device_integer(noise.step) is not None
    )
    if not fits or not is_plain(be, x):
        return references()["dropout"](be, x, noise, kept)
    y, mask = cupy.empty(x.shape, be.dtype), cupy.empty(x.shape, be.dtype)
    if x.size == 0:
        return y, mask
    scale = be.dtype(1.0 / kept if kept > 0 else 0.0)
    if drawn:
        kernel(be.dtype_name, "dropout_with")(
            (blocks_for(x.size),), (THREADS,), (x, noise, y, mask, x.size, scale)
        )
        return y, mask
    seed, stream = noise.key
    step, on_device, step_bytes = device_integer(noise.step) or (0, None, 0)
    kernel(be.dtype_name, "dropout")(
        # A thread has eight elements.
        (blocks_for(-(-x.size // 8)),),
        (THREADS,),
        (
            x, y, mask, x.size, noise.threshold(kept), scale, np.uint64(seed),
            np.uint64(stream), step, on_device, np.int32(step_bytes),
        ),
    )  # fmt: skip
    return y, mask
