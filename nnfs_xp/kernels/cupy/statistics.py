"""Implementations that count and add up statistics; ``cuda/statistics.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import is_plain, launch, plain, targets_of
from nnfs_xp.kernels.cupy.module import blocks_for
from nnfs_xp.kernels.registry import implements, references

_MOST_ENTRIES = 12
# Rows up to which one thread adds up an element, as FEW_ROWS in the source.
_FEW_ROWS = 32
# Struct Entry of the source.
_ENTRY = np.dtype(
    [
        ("total", np.uint64),
        ("batch", np.uint64),
        ("values", np.uint64),
        ("number", np.int64),
        ("length", np.int64),
        ("rows", np.int64),
        ("total_is_integer", np.int32),
        ("values_are_integers", np.int32),
    ],
    align=True,
)
_ENTRIES = np.dtype([("entry", _ENTRY, (_MOST_ENTRIES,))], align=True)

# Scores up to which a single block counts, so that no memory must be cleared first.
_FEW_SCORES = 65536
_COUNTING_THREADS = 512


@implements("accumulate", "cupy")
def accumulate(be: Any, totals: list[Any], batch: list[Any], values: list[Any]) -> Any:
    """Add up to twelve statistics in one launch, each in its place."""
    batch = [
        be.xp.empty_like(total) if slot is None else slot
        for total, slot in zip(totals, batch, strict=True)
    ]
    if not all(_writable(be, *pair) for pair in zip(totals, batch, strict=True)):
        return _by_reference(be, totals, batch, values)
    rows = [
        (total, slot, _values(be, total, value))
        for total, slot, value in zip(totals, batch, values, strict=True)
        if total.size
    ]
    for first in range(0, len(rows), _MOST_ENTRIES):
        _accumulate(be, rows[first : first + _MOST_ENTRIES])
    return totals, batch


def _accumulate(be: Any, rows: list[tuple[Any, Any, Any]]) -> None:
    table = np.zeros((), _ENTRIES)
    blocks = 1
    for entry, (total, slot, value) in zip(table["entry"], rows, strict=False):
        entry["total"], entry["batch"] = total.data.ptr, slot.data.ptr
        entry["length"], entry["rows"] = total.size, 1
        entry["total_is_integer"] = total.dtype.kind == "i"
        if isinstance(value, int):
            entry["number"] = value
        else:
            entry["values"] = value.data.ptr
            entry["rows"] = value.shape[0] if value.ndim > total.ndim else 1
            entry["values_are_integers"] = value.dtype.kind == "i"
        few = entry["rows"] <= _FEW_ROWS
        needed = blocks_for(total.size) if few else min(total.size, 1056)
        blocks = max(blocks, needed)
    launch(be, "accumulate", blocks, table[()], grid=(blocks, len(rows)))


def _writable(be: Any, total: Any, slot: Any) -> bool:
    return (
        (slot.dtype, slot.shape) == (total.dtype, total.shape)
        and total.dtype in (be.dtype, np.int32)
        and total.flags.c_contiguous
        and slot.flags.c_contiguous
    )


def _by_reference(
    be: Any, totals: list[Any], batch: list[Any], values: list[Any]
) -> tuple[list[Any], list[Any]]:
    results = references()["accumulate"](be, totals, batch, values)
    for slots, found in zip((totals, batch), results, strict=True):
        for slot, value in zip(slots, found, strict=True):
            slot[...] = value
    return totals, batch


def _values(be: Any, total: Any, value: Any) -> Any:
    """Return what is added as the kernel reads it."""
    if isinstance(value, int):
        return value
    dtype = value.dtype if value.dtype in (be.dtype, np.int32) else total.dtype
    return plain(value, dtype).reshape(value.shape)


@implements("count_correct", "cupy")
def count_correct(be: Any, y_pred: Any, y_true: Any, ignore_index: Any) -> Any:
    """Find the classes and count in one launch."""
    import cupy

    if y_pred.size == 0 or not is_plain(be, y_pred):
        return NotImplemented
    n, k = y_pred.shape
    ignoring = ignore_index is not None and y_true.ndim == 1
    if y_pred.size <= _FEW_SCORES:
        blocks, counts = 1, cupy.empty(2, np.int32)
    else:
        warps = _COUNTING_THREADS // 32
        blocks, counts = blocks_for(n, warps), cupy.zeros(2, np.int32)
    ignored = ignoring, ignore_index if ignoring else 0
    arguments = y_pred, *targets_of(be, y_true), *ignored, counts, n, k
    grid, block = (blocks,), (_COUNTING_THREADS,)
    launch(be, "count_correct", n, *arguments, grid=grid, block=block)
    return {"correct": counts[0], "count": counts[1] if ignoring else n}
