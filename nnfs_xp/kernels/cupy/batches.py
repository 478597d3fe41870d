"""Implementation that gathers a batch from data on the device; ``cuda/batches.cu``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.elsewhere import Elsewhere
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
        or not all(_is_plain(a) for a in (*data, order) if a is not None)
        or size * max(map(_row_length, arrays)) >= _MOST_ELEMENTS
    ):
        return NotImplemented
    outputs = _rows(x, size, be.dtype), _rows(y, size), _rows(weight, size)
    # The kernel does nothing for what is not there.
    x_units, (y_units, y_bytes) = _row_length(x), _units(y)
    x_count, y_count = size * x_units, size * y_units
    scale, offset = rescale or (1.0, 0.0)
    known = not isinstance(data[0], Elsewhere)
    table, n_rows = (None, len(data[0])) if known else (data[0].table, 0)
    launch(
        be, "gather_batch", size and max(1, x_count, y_count), table,
        _place(order), item_bytes(order), *begin, n_rows,
        _place(x), np.int32(0) if x is None else SOURCE_TYPES[x.dtype.name], outputs[0],
        x_count, x_units, rescale is not None, be.dtype(scale), be.dtype(offset),
        _place(y), outputs[1], y_count, y_units, y_bytes,
        _place(weight), outputs[2], size * _row_length(weight), item_bytes(weight),
    )  # fmt: skip
    return outputs


def _is_plain(array: Any) -> bool:
    if isinstance(array, Elsewhere):
        return True
    return array.flags.c_contiguous and array.size > 0


def _place(array: Any) -> Any:
    """Return what the kernel finds an array by."""
    return array.cell if isinstance(array, Elsewhere) else array


def _sample(array: Any) -> tuple[int, ...]:
    return array.kind.sample if isinstance(array, Elsewhere) else array.shape[1:]


def _row_length(array: Any) -> int:
    return 0 if array is None else math.prod(_sample(array))


def _rows(array: Any, size: int, dtype: Any = None) -> Any:
    if array is None:
        return None
    return empty((size, *_sample(array)), dtype or array.dtype)


def _units(array: Any) -> tuple[int, np.int32]:
    """Return into how many words of how many bytes a copy cuts a row.

    The larger the words, the fewer they are; small items may go several at once.
    """
    if array is None:
        return 0, np.int32(0)
    row_bytes = _row_length(array) * array.dtype.itemsize
    # Memory pools begin arrays at multiples of 512 bytes, but a view may not. The
    # greatest power of 2, up to 8, that divides both is their lowest bit.
    start = 0 if isinstance(array, Elsewhere) else array.data.ptr
    both = row_bytes | start | 8
    word = both & -both
    return row_bytes // word, np.int32(word)
