"""What the twins for CuPy share: which arrays a kernel takes, and how.

A kernel gets an array as the address of its first element, so it takes arrays
without gaps only, in the order of C. None stands for a null pointer. A Python int
is passed in 64 bits, any other number as the NumPy scalar that it is.
"""

from __future__ import annotations

from typing import Any

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


def device_integer(value: Any) -> tuple[int, Any, int] | None:
    """Return a number as value, array and bytes of the array; None if unfit."""
    if isinstance(value, int):
        return value, None, 0
    if value.ndim == 0 and value.dtype.name in ("int32", "int64"):
        return 0, value, value.dtype.itemsize
    return None
