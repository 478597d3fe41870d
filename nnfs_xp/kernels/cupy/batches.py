"""Implementation that gathers a batch from data on the device; ``cuda/batches.cu``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import (
    INTEGERS,
    SOURCE_TYPES,
    device_integer,
    empty,
    item_bytes,
    launch,
)
from nnfs_xp.kernels.registry import implements

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
) -> Any:
    """Gather samples, targets and weights in one launch."""
    x, y, weight = arrays
    begin = device_integer(start)
    data = [a for a in arrays if a is not None]
    if (
        begin is None
        or (x is not None and x.dtype.name not in SOURCE_TYPES)
        or (order is not None and order.dtype.name not in INTEGERS)
        or (weight is not None and weight.ndim != 1)
        or not all(a.flags.c_contiguous for a in data)
        or not (order is None or order.flags.c_contiguous)
        or size * max(map(_row_length, arrays)) >= _MOST_ELEMENTS
        or data[0].size == 0
    ):
        return NotImplemented
    outputs = _rows(x, size, be.dtype), _rows(y, size), _rows(weight, size)
    # The kernel does nothing for what is not there.
    x_units, (y_units, y_bytes) = _row_length(x), _units(y)
    x_count, y_count = size * x_units, size * y_units
    scale, offset = rescale or (1.0, 0.0)
    launch(
        be, "gather_batch", size and max(1, x_count, y_count),
        order, item_bytes(order), *begin, data[0].shape[0],
        x, np.int32(0) if x is None else SOURCE_TYPES[x.dtype.name], outputs[0],
        x_count, x_units, rescale is not None, be.dtype(scale), be.dtype(offset),
        y, outputs[1], y_count, y_units, y_bytes,
        weight, outputs[2], size * _row_length(weight), item_bytes(weight),
    )  # fmt: skip
    return outputs


def _row_length(array: Any) -> int:
    return 0 if array is None else math.prod(array.shape[1:])


def _rows(array: Any, size: int, dtype: Any = None) -> Any:
    if array is None:
        return None
    return empty((size, *array.shape[1:]), dtype or array.dtype)


def _units(array: Any) -> tuple[int, np.int32]:
    """Return into how many words of how many bytes a copy cuts a row.

    The larger the words, the fewer they are; small items may go several at once.
    """
    if array is None:
        return 0, np.int32(0)
    row_bytes = _row_length(array) * array.dtype.itemsize
    # Memory pools begin arrays at multiples of 512 bytes, but a view may not. The
    # greatest power of 2, up to 8, that divides both is their lowest bit.
    both = row_bytes | array.data.ptr | 8
    word = both & -both
    return row_bytes // word, np.int32(word)
