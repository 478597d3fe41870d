"""Launches of kernels that go through arrays element by element."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.module import blocks_for, kernel

# A power of 2, as sums over a block want.
THREADS = 256
_NAMES = {"f": "float32", "d": "float64"}


def common_dtype(first: Any, *others: Any) -> str | None:
    """Return the dtype that arrays share, None where no kernel can take them.

    Every element must lie at the same place in all of them, so they must be
    contiguous and of one shape.
    """
    name = _NAMES.get(first.dtype.char)
    if name is None or not first.flags.c_contiguous:
        return None
    for other in others:
        if (
            other.dtype != first.dtype
            or other.shape != first.shape
            or not other.flags.c_contiguous
        ):
            return None
    return name


def launch(dtype: str, name: str, count: int, *arguments: Any) -> None:
    """Run a kernel over `count` elements, the number being its first argument."""
    kernel(dtype, name)((blocks_for(count, THREADS),), (THREADS,), (count, *arguments))
