"""Implementations of convolution and pooling; ``cuda/images.cu``.

A convolution is one product of matrices: what lies below the windows, copied side by
side, times the weights. Its gradients are two, and a sum for each pixel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import empty, is_plain, launch
from nnfs_xp.kernels.registry import implements

_NAMES = ("length", "count", "size", "step", "apart", "before")
_AXIS = np.dtype([(name, np.int32) for name in _NAMES])
_WINDOWS = np.dtype([("y", _AXIS), ("x", _AXIS), ("channels", np.int32)])
# The kernels divide in 32 bits.
_MOST_ELEMENTS = 2**32
# What lies below the windows of some images may take so much memory at once.
_MOST_BYTES = 2**28


@implements("convolve", "cupy")
def convolve(be: Any, x: Any, w: Any, windows: Any, groups: int) -> Any:
    """Copy and multiply, some images at a time."""
    if groups > 1 or not _fits(be, windows, x, w):
        return NotImplemented
    matrix, counts = w.reshape(-1, w.shape[-1]), windows.counts(x.shape[1:-1])
    parts = [
        be.matmul(_columns(be, x[images], windows), matrix)
        for images in _stretches(be, x, windows)
    ]
    y = parts[0] if len(parts) == 1 else be.xp.concat(parts)
    return y.reshape(len(x), *counts, w.shape[-1])


@implements("convolve_backward", "cupy")
def convolve_backward(
    be: Any,
    x: Any,
    w: Any,
    dy: Any,
    windows: Any,
    groups: int,
    learns: bool,
    needs_dx: bool,
) -> Any:
    """Multiply twice, and sum up for each pixel, some images at a time."""
    if groups > 1 or not _fits(be, windows, x, w, dy):
        return NotImplemented
    matrix = w.reshape(-1, w.shape[-1])
    dw: Any = None
    dx = empty(x.shape, be.dtype) if needs_dx else None
    for images in _stretches(be, x, windows):
        dz = dy[images].reshape(-1, w.shape[-1])
        if learns:
            product = be.matmul(_columns(be, x[images], windows).T, dz)
            dw = product if dw is None else dw + product
        if dx is not None:
            below = be.matmul(dz, matrix.T)
            if _is_row_by_row(windows, x):
                dx[images] = below.reshape(dx[images].shape)
                continue
            part = dx[images]
            arguments = below, _geometry(windows, x), part, part.size
            launch(be, "sum_of_columns", part.size, *arguments)
    return dw.reshape(w.shape) if learns else None, dx


@implements("max_pool", "cupy")
def max_pool(be: Any, x: Any, windows: Any) -> Any:
    """Look for the largest values in one launch."""
    if not _fits(be, windows, x):
        return NotImplemented
    return _pooled(be, "max_pool", x, windows)


@implements("max_pool_backward", "cupy")
def max_pool_backward(be: Any, x: Any, y: Any, dy: Any, windows: Any) -> Any:
    """Find for each pixel the gradients that it gets, in one launch."""
    if not _fits(be, windows, x, y, dy):
        return NotImplemented
    dx = empty(x.shape, be.dtype)
    arguments = x, y, dy, _geometry(windows, x), dx, dx.size
    launch(be, "max_pool_backward", dx.size, *arguments)
    return dx


@implements("average_pool", "cupy")
def average_pool(be: Any, x: Any, windows: Any) -> Any:
    """Compute the means in one launch."""
    if not _fits(be, windows, x):
        return NotImplemented
    return _pooled(be, "average_pool", x, windows)


@implements("average_pool_backward", "cupy")
def average_pool_backward(be: Any, dy: Any, shape: Any, windows: Any) -> Any:
    """Sum up the shares of each pixel in one launch."""
    dx = empty(shape, be.dtype)
    if not _fits(be, windows, dx, dy):
        return NotImplemented
    arguments = dy, _geometry(windows, dx), dx, dx.size
    launch(be, "average_pool_backward", dx.size, *arguments)
    return dx


def _fits(be: Any, windows: Any, x: Any, *others: Any) -> bool:
    lengths = x.shape[1:-1]
    of_an_image = math.prod(windows.counts(lengths)) * math.prod(windows.size)
    largest = x.shape[-1] * max(of_an_image, math.prod(lengths))
    return (
        len(lengths) <= 2
        and x.size > 0
        and len(x) * largest < _MOST_ELEMENTS
        and is_plain(be, x, *others)
    )


def _geometry(windows: Any, x: Any) -> Any:
    """Return struct Windows of the source; a signal is an image of one row."""
    lengths = x.shape[1:-1]
    befores = [before for before, _ in windows.pads(lengths)]
    axes = list(
        zip(
            lengths, windows.counts(lengths), windows.size, windows.stride,
            windows.dilation, befores,
            strict=True,
        )
    )  # fmt: skip
    if len(axes) == 1:
        axes.insert(0, (1, 1, 1, 1, 1, 0))
    return np.array((*axes, x.shape[-1]), _WINDOWS)[()]


def _is_row_by_row(windows: Any, x: Any) -> bool:
    """Return whether windows are pixels, each in its turn."""
    lengths = x.shape[1:-1]
    return math.prod(windows.size) == 1 and windows.counts(lengths) == lengths


def _columns(be: Any, x: Any, windows: Any) -> Any:
    """Return what lies below the places of a window, a row for each position."""
    if _is_row_by_row(windows, x):
        return x.reshape(-1, x.shape[-1])
    positions = len(x) * math.prod(windows.counts(x.shape[1:-1]))
    out = empty((positions, math.prod(windows.size) * x.shape[-1]), be.dtype)
    launch(be, "columns", out.size, x, _geometry(windows, x), out, out.size)
    return out


def _stretches(be: Any, x: Any, windows: Any) -> list[slice]:
    """Return stretches of images, for which there is memory at once."""
    of_an_image = math.prod(windows.counts(x.shape[1:-1])) * math.prod(windows.size)
    size = of_an_image * x.shape[-1] * x.dtype.itemsize
    at_once = max(1, _MOST_BYTES // size)
    return [slice(i, min(i + at_once, len(x))) for i in range(0, len(x), at_once)]


def _pooled(be: Any, name: str, x: Any, windows: Any) -> Any:
    counts = windows.counts(x.shape[1:-1])
    y = empty((len(x), *counts, x.shape[-1]), be.dtype)
    launch(be, name, y.size, x, _geometry(windows, x), y, y.size)
    return y
