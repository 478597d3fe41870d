"""What a kernel for CuPy takes, and how it is launched.

A kernel gets an array as the address of its first element, so it takes arrays
without gaps only, in the order of C. None stands for a null pointer. A Python int
is passed in 64 bits, a Python float as a double, and any other number as the NumPy
scalar that it is.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.module import blocks_for, kernel

# Threads of a block where nothing wants another number. A power of 2, as sums over a
# block need.
THREADS = 256

# Numbers of the types in cuda/sources.cuh, by the dtype's name.
SOURCE_TYPES = {
    name: np.int32(number)
    for number, name in enumerate(
        (
            "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
            "uint64", "float16", "float32", "float64",
        )
    )
}  # fmt: skip
INTEGERS = ("int32", "int64")


def is_plain(be: Any, *arrays: Any) -> bool:
    """Return whether all arrays have no gaps and the backend's dtype."""
    return all(a.dtype == be.dtype and a.flags.c_contiguous for a in arrays)


def are_alike(be: Any, first: Any, *others: Any) -> bool:
    """Return whether every element lies at the same place in all arrays."""
    return is_plain(be, first, *others) and all(a.shape == first.shape for a in others)


def device_integer(value: Any) -> tuple[int, Any, np.int32] | None:
    """Return a number as value, array and bytes of the array; None if unfit."""
    if isinstance(value, int):
        return value, None, np.int32(0)
    if value.ndim == 0 and value.dtype.name in INTEGERS:
        return 0, value, item_bytes(value)
    return None


def item_bytes(array: Any) -> np.int32:
    """Return the bytes of an element, 0 if there is no array, as kernels take them."""
    return np.int32(0 if array is None else array.dtype.itemsize)


def targets_of(be: Any, y_true: Any) -> tuple[Any, np.int32]:
    """Return targets as a kernel reads them, and the bytes of a label, 0 for rows."""
    if y_true.ndim == 2:
        return plain(y_true, be.dtype), np.int32(0)
    labels = plain(y_true, y_true.dtype if y_true.dtype.name in INTEGERS else "int64")
    return labels, item_bytes(labels)


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a new array, of any contents."""
    import cupy

    return cupy.empty(shape, dtype)


def plain(array: Any, dtype: Any) -> Any:
    """Return the array, or a copy that has no gaps and this dtype."""
    import cupy

    return cupy.ascontiguousarray(array, dtype)


class Launched(threading.local):
    """How many kernels of the package this thread has launched so far."""

    count = 0


launched = Launched()


def launch(
    be: Any,
    name: str,
    count: int,
    *arguments: Any,
    grid: tuple[int, ...] = (),
    block: tuple[int, ...] = (THREADS,),
) -> None:
    """Run a kernel over `count` elements, if there are any."""
    if count:
        launched.count += 1
        kernel(be.dtype_name, name)(grid or (blocks_for(count),), block, arguments)


# Numbers of a row up to which a warp goes through it; above, a block does.
_FEW_COLUMNS = 1024
_ROWS_OF_BLOCK = 8


def launch_rows(
    be: Any,
    name: str,
    n: int,
    k: int,
    *arguments: Any,
    shape: tuple[int, ...] | None = None,
) -> None:
    """Run a kernel over n rows of k numbers, whose last arguments are their shape."""
    if k <= _FEW_COLUMNS:
        grid, block = (-(-n // _ROWS_OF_BLOCK),), (32, _ROWS_OF_BLOCK)
    else:
        grid, block = (n,), (THREADS, 1)
    launch(be, name, n, *arguments, *(shape or (n, k)), grid=grid, block=block)


def column_width(k: int) -> np.int32:
    """Return how many of k columns a block of `write_column_sums` has."""
    # Eight floats are a sector of memory, and more blocks keep more multiprocessors
    # at work. From some hundreds of blocks on, whole lines are better.
    width = 1 << (k - 1).bit_length() if k < 8 else 8 if k < 4096 else 32
    return np.int32(width)
