"""Counts of right answers, and sums of statistics, as loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.loops import compiled, source
from nnfs_xp.kernels.loops.launch import (
    New,
    address,
    bound,
    is_plain,
    labels_of,
    loop,
)


@loop("count_correct")
def count_correct(
    be: Any, new: New, y_pred: np.ndarray, y_true: np.ndarray, ignore_index: int | None
) -> Any:
    """Find the largest scores and count in one pass."""
    # An evaluation alone is not worth loading the first loop.
    if not compiled.is_in_use() or not is_plain(be, y_pred) or not y_pred.shape[1]:
        return NotImplemented
    labels, ignores = labels_of(y_true), ignore_index is not None
    if labels is None or len(y_true) != len(y_pred):
        return NotImplemented
    correct, counted = new((), np.int32), new((), np.int32)
    ignored = ignore_index or 0, ignores
    arguments = *y_pred.shape, y_pred, *labels, *ignored, correct, counted
    count = counted if ignores else y_pred.shape[0]
    return {"correct": correct, "count": count}, bound(be, "count_correct", *arguments)


@loop("accumulate", planned_only=True)
def accumulate(
    be: Any,
    new: New,
    totals: list[Any],
    batch: list[Any],
    values: list[Any],
) -> Any:
    """Add up single numbers, by a table that is as much work as NumPy's additions.

    So it pays only if it is made once. The sums are NumPy's to the bit.
    """
    table = np.zeros((len(totals), source.COLUMNS), np.int64)
    added = []
    for row, total, slot, value in zip(table, totals, batch, values, strict=True):
        if not _is_number(total) or total.dtype not in (be.dtype, np.int32):
            return NotImplemented
        row[source.TOTAL], row[source.INTEGER] = address(total), total.dtype == np.int32
        if isinstance(value, int):
            row[source.NUMBER] = value
        elif not _adds_to(total, value):
            return NotImplemented
        else:
            row[source.VALUES], row[source.LENGTH] = address(value), value.size
            if value.ndim:
                value = new((), total.dtype) if slot is None else slot
                if not _is_number(value) or value.dtype != total.dtype:
                    return NotImplemented
                row[source.SLOT] = address(value)
        added.append(value)
    return (totals, added), bound(be, "accumulate", len(table), table)


def _is_number(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 0


def _adds_to(total: np.ndarray, value: Any) -> bool:
    """Return whether an array is a number of a total's kind, or floats to be summed."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype == total.dtype
        and value.ndim <= (total.dtype != np.int32)
        and value.flags.c_contiguous
    )
