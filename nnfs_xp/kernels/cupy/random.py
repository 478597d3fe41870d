"""Random numbers, and dropout that draws its own; ``cuda/random.cu``."""

from __future__ import annotations

import math
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


# Dtype, where it is not the backend's, and numbers of a block of Philox, by kind.
_KINDS = {
    "bernoulli": ("bool", 8),
    "integers": ("int32", 4),
    "uniform": (None, 4),
    "normal": (None, 1),
}


@implements("draw", "cupy")
def draw(be: Any, stream: Any, wanted: tuple[Any, ...]) -> Any:
    """Draw on the device: what NumPy draws, normal numbers to their last digits."""
    kind, shape, *arguments = wanted
    step = device_integer(stream.step)
    if step is None or kind not in _KINDS:
        return NotImplemented
    dtype, at_once = _KINDS[kind]
    if kind == "bernoulli":
        arguments = [stream.threshold(*arguments)]
    numbers, count = empty(shape, dtype or be.dtype), math.prod(shape)
    own = map(np.uint64, (*arguments, *stream.key))
    launch(be, f"draw_{kind}", -(-count // at_once), numbers, count, *own, *step)
    return numbers
