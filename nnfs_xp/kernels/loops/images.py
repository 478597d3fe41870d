"""Copies for convolutions, and pooling, as loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.loops import compiled
from nnfs_xp.kernels.loops.launch import New, bound, is_plain, loop
from nnfs_xp.kernels.numpy_images import Rows, plan_backward

Windows = Any


class _Rows(Rows):
    """Rows that loops fill, and go back from, without a padded copy of the images."""

    def __init__(self, be: Any, new: New, x: np.ndarray, windows: Windows) -> None:
        super().__init__(new, x, windows)
        self._be = be
        self._calls: dict[tuple[str, int], Any] = {}

    def fill(self, block: slice) -> None:
        """Copy what lies below in one pass."""
        if not self.has_long_pieces:
            return super().fill(block)
        return self._call("fill_rows", block, self.x[block], self.values)

    def fold(self, block: slice, dx: np.ndarray) -> None:
        """Add up in one pass."""
        self._call("fold_rows", block, self.values, dx[block])

    def _call(self, name: str, block: slice, *arrays: np.ndarray) -> None:
        call = self._calls.get((name, block.start))
        if call is None:
            (top, _), (left, _) = self.pads
            _, step, high, positions, _ = self.values.shape
            call = self._calls[name, block.start] = bound(
                self._be, name, block.stop - block.start, *self.x.shape[1:], top, left,
                step, high, positions, self.size[1], self.stride[1], self.apart[1],
                *arrays,
            )  # fmt: skip
        call()


@loop("convolve_backward")
def convolve_backward(
    be: Any, new: New, x: np.ndarray, w: np.ndarray, *others: Any
) -> Any:
    """Copy and add up by loops around the products of NumPy's implementation."""
    if not is_plain(be, x):
        return NotImplemented
    for name in ("fill_rows", "fold_rows"):
        compiled.loop(name, be.dtype_name)
    return plan_backward(
        lambda *arguments: _Rows(be, *arguments), be, new, x, w, *others
    )


@loop("max_pool_backward")
def max_pool_backward(
    be: Any,
    new: New,
    x: np.ndarray,
    y: np.ndarray,
    dy: np.ndarray,
    windows: Windows,
) -> Any:
    """Find the places again in one pass."""
    if not _can_pool(be, windows, x, y, dy):
        return NotImplemented
    dx, rest = new(x.shape, x.dtype), new(x.shape[-1:], x.dtype)
    sizes = *x.shape, *y.shape[1:-1], *windows.size, *windows.stride
    return dx, bound(be, "max_pool_backward", *sizes, x, y, dy, rest, dx)


def _can_pool(be: Any, windows: Windows, x: np.ndarray, *others: np.ndarray) -> bool:
    inside = not any(map(any, windows.pads(x.shape[1:-1])))
    return inside and is_plain(be, x, *others)
