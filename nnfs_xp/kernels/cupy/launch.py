"""What a kernel for CuPy takes, and how it is launched.

A kernel gets an array as the address of its first element, so it takes arrays
without gaps only, in the order of C. None stands for a null pointer. A Python int
is passed in 64 bits, a Python float as a double, and any other number as the NumPy
scalar that it is.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.module import blocks_for, kernel

# Threads of a block where nothing wants another number. A power of 2, as sums over a
# block need.
THREADS = 256

# Numbers of the types in cuda/sources.cuh, by the dtype's name.
SOURCE_TYPES = {
    name: number
    for number, name in enumerate(
        (
            "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
            "uint64", "float16", "float32", "float64",
        )
    )
}  # fmt: skip


def is_plain(be: Any, *arrays: Any) -> bool:
    """Return whether all arrays have no gaps and the backend's dtype."""
    return all(a.dtype == be.dtype and a.flags.c_contiguous for a in arrays)


def are_alike(be: Any, first: Any, *others: Any) -> bool:
    """Return whether every element lies at the same place in all arrays."""
    return is_plain(be, first, *others) and all(a.shape == first.shape for a in others)


def device_integer(value: Any) -> tuple[int, Any, int] | None:
    """Return a number as value, array and bytes of the array; None if unfit."""
    if isinstance(value, int):
        return value, None, 0
    if value.ndim == 0 and value.dtype.name in ("int32", "int64"):
        return 0, value, value.dtype.itemsize
    return None


def launch(be: Any, name: str, count: int, *arguments: Any) -> None:
    """Run a kernel over `count` elements, the number being its first argument."""
    kernel(be.dtype_name, name)(
        (blocks_for(count, THREADS),), (THREADS,), (count, *arguments)
    )
