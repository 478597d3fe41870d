"""Implementation that gathers a batch from data on the device; ``cuda/batches.cu``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import SOURCE_TYPES, THREADS, device_integer
from nnfs_xp.kernels.cupy.module import blocks_for, kernel
from nnfs_xp.kernels.registry import implements, references

# The kernel divides in 32 bits.
_MOST_ELEMENTS = 2**32


@implements("gather_batch", "cupy")
def gather_batch(
    be: Any,
    arrays: tuple[Any, Any, Any],
    order: Any,
    start: Any,
    size: int,
    rescale: tuple[float, float] | None = None,
) -> tuple[Any, Any, Any]:
    """Gather samples, targets and weights in one launch."""
    import cupy

    x, y, weight = arrays
    begin = device_integer(start)
    data = [a for a in arrays if a is not None]
    if (
        begin is None
        or (x is not None and x.dtype.name not in SOURCE_TYPES)
        or (order is not None and order.dtype.name not in ("int32", "int64"))
        or (weight is not None and weight.ndim != 1)
        or not all(a.flags.c_contiguous for a in data)
        or not (order is None or order.flags.c_contiguous)
        or size * max(_row_length(a) for a in data) >= _MOST_ELEMENTS
        or data[0].size == 0
    ):
        reference = references()["gather_batch"]
        return reference(be, arrays, order, start, size, rescale)
    n = data[0].shape[0]
    x_out = None if x is None else cupy.empty((size, *x.shape[1:]), be.dtype)
    outputs = (
        x_out,
        None if y is None else _rows(y, size),
        None if weight is None else _rows(weight, size),
    )
    # The kernel does nothing for what is not there.
    x_units, x_type = (
        (1, 0) if x is None else (_row_length(x), SOURCE_TYPES[x.dtype.name])
    )
    x_count = 0 if x is None else size * x_units
    y_units, y_bytes = (0, 1) if y is None else _units(y)
    scale, offset = rescale or (1.0, 0.0)
    if size:
        kernel(be.dtype_name, "gather_batch")(
            (blocks_for(max(x_count, size * y_units)),),
            (THREADS,),
            (
                order, np.int32(0 if order is None else order.dtype.itemsize),
                *begin[:2], np.int32(begin[2]), n,
                x, np.int32(x_type), outputs[0], x_count,
                x_units, rescale is not None, be.dtype(scale),
                be.dtype(offset),
                y, outputs[1], size * y_units, y_units, np.int32(y_bytes),
                weight, outputs[2], 0 if weight is None else size,
                np.int32(1 if weight is None else weight.dtype.itemsize),
            ),
        )  # fmt: skip
    return outputs


def _row_length(array: Any) -> int:
    return math.prod(array.shape[1:])


def _rows(array: Any, size: int) -> Any:
    import cupy

    return cupy.empty((size, *array.shape[1:]), array.dtype)


def _units(array: Any) -> tuple[int, int]:
    """Return into how many words of how many bytes a copy cuts a row.

    The larger the words, the fewer they are; small items may go several at once.
    """
    row_bytes = _row_length(array) * array.dtype.itemsize
    # Memory pools begin arrays at multiples of 512 bytes, but a view may not.
    address = array.data.ptr
    for unit in (8, 4, 2, 1):
        if row_bytes % unit == 0 and address % unit == 0:
            return row_bytes // unit, unit
    raise AssertionError("every number is a multiple of 1")
