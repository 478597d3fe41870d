"""Convolution and pooling, by ATen's functions.

They take images with the channels second. Ours, seen so, are in the layout that PyTorch
calls channels last, and are not copied.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from nnfs_xp.kernels.torch.eager import implements_eager

Tensor = Any
Windows = Any


def _second(x: Tensor) -> Tensor:
    """Return images with the channels second; signals are images of height 1."""
    return (x if x.ndim == 4 else x.unsqueeze(1)).permute(0, 3, 1, 2)


def _last(x: Tensor, like: Tensor) -> Tensor:
    """Return images with the channels last, of so many axes as others have."""
    y = x.permute(0, 2, 3, 1).contiguous()
    return y if like.ndim == 4 else y.squeeze(1)


def _both(lengths: tuple[int, ...], of_height: int) -> list[int]:
    """Return a length for height and one for width."""
    return [of_height, *lengths] if len(lengths) == 1 else list(lengths)


def _padded(x: Tensor, windows: Windows, value: float) -> tuple[Tensor, Tensor, Any]:
    """Return images, channels second, and how they are to be padded by ATen.

    What is not the same on both sides is put around here; then the third of them is
    what to cut off again, for height and for width.
    """
    pads = windows.pads(tuple(x.shape[1:-1]))
    second = _second(x)
    if all(before == after for before, after in pads):
        return second, _both(tuple(before for before, _ in pads), 0), None
    both = [(0, 0), *pads] if len(pads) == 1 else list(pads)
    flat = [width for side in reversed(both) for width in side]
    wide = functional.pad(second, flat, value=value)
    return wide.contiguous(memory_format=torch.channels_last), [0, 0], both


def _cut(dx: Tensor, cut: Any) -> Tensor:
    if cut is None:
        return dx
    (top, bottom), (left, right) = cut
    height, width = dx.shape[2:]
    return dx[:, :, top : height - bottom, left : width - right]


def _kernel(w: Tensor) -> Tensor:
    """Return weights as (filters, channels, height, width)."""
    return (w if w.ndim == 4 else w.unsqueeze(0)).permute(3, 2, 0, 1)


@implements_eager("convolve")
def convolve(be: Any, x: Tensor, w: Tensor, windows: Windows, groups: int) -> Any:
    """Compute in one call, which chooses an algorithm by the sizes."""
    if be.matmul_precision != "full":
        return NotImplemented
    second, padding, _ = _padded(x, windows, 0.0)
    y = functional.conv2d(
        second, _kernel(w), None, _both(windows.stride, 1), padding,
        _both(windows.dilation, 1), groups,
    )  # fmt: skip
    return _last(y, x)


@implements_eager("convolve_backward")
def convolve_backward(
    be: Any,
    x: Tensor,
    w: Tensor,
    dy: Tensor,
    windows: Windows,
    groups: int,
    learns: bool,
    needs_dx: bool,
) -> Any:
    """Compute both gradients in one call."""
    if be.matmul_precision != "full":
        return NotImplemented
    second, padding, cut = _padded(x, windows, 0.0)
    dx, dw, _ = torch.ops.aten.convolution_backward(
        _second(dy), second, _kernel(w), None, _both(windows.stride, 1), padding,
        _both(windows.dilation, 1), False, [0, 0], groups, [needs_dx, learns, False],
    )  # fmt: skip
    return (
        dw.permute(2, 3, 1, 0).reshape(w.shape) if learns else None,
        _last(_cut(dx, cut), x) if needs_dx else None,
    )


@implements_eager("max_pool")
def max_pool(be: Any, x: Tensor, windows: Windows) -> Any:
    """Compute in one call."""
    if not _can_pool(x, windows):
        return NotImplemented
    second, padding, _ = _padded(x, windows, -math.inf)
    sizes = list(windows.size), list(windows.stride)
    return _last(functional.max_pool2d(second, *sizes, padding), x)


@implements_eager("max_pool_backward")
def max_pool_backward(
    be: Any, x: Tensor, y: Tensor, dy: Tensor, windows: Windows
) -> Any:
    """Find the places of the largest values again, and go back to them."""
    if not _can_pool(x, windows):
        return NotImplemented
    second, padding, cut = _padded(x, windows, -math.inf)
    sizes = list(windows.size), list(windows.stride)
    _, places = torch.ops.aten.max_pool2d_with_indices(second, *sizes, padding)
    dx = torch.ops.aten.max_pool2d_with_indices_backward(
        _second(dy), second, *sizes, padding, [1, 1], False, places
    )
    return _last(_cut(dx, cut), x)


@implements_eager("average_pool")
def average_pool(be: Any, x: Tensor, windows: Windows) -> Any:
    """Compute in one call, where both sides are padded alike."""
    found = _averaging(x.shape, windows)
    if found is None or not x.shape[0]:
        return NotImplemented
    return _last(torch.ops.aten.avg_pool2d(_second(x), *found, False, False), x)


@implements_eager("average_pool_backward")
def average_pool_backward(
    be: Any, dy: Tensor, shape: tuple[int, ...], windows: Windows
) -> Any:
    """Compute in one call; the inputs are asked for their shape alone."""
    found = _averaging(shape, windows)
    if found is None or not shape[0]:
        return NotImplemented
    like = _second(dy.new_empty(shape))
    dx = torch.ops.aten.avg_pool2d_backward(
        _second(dy), like, *found, False, False, None
    )
    return _last(dx, dy)


def _can_pool(x: Tensor, windows: Windows) -> bool:
    """Return whether ATen takes it: at most half a window may be put around."""
    pads = windows.pads(tuple(x.shape[1:-1]))
    odd = any(before != after for before, after in pads)
    return bool(x.shape[0]) and (
        odd
        or all(
            before <= size // 2
            for (before, _), size in zip(pads, windows.size, strict=True)
        )
    )


def _averaging(shape: tuple[int, ...], windows: Windows) -> Any:
    """Return size, stride and padding for ATen, None where it has none."""
    pads = windows.pads(tuple(shape[1:-1]))
    if any(
        before != after or before > size // 2
        for (before, after), size in zip(pads, windows.size, strict=True)
    ):
        return None
    return list(windows.size), list(windows.stride), [before for before, _ in pads]
