"""Counts of right answers, as a loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.loops import compiled
from nnfs_xp.kernels.loops.launch import New, bound, is_plain, labels_of, loop


@loop("count_correct")
def count_correct(
    be: Any, new: New, y_pred: np.ndarray, y_true: np.ndarray, ignore_index: int | None
) -> Any:
    """Find the largest scores and count in one pass."""
    # An evaluation alone is not worth loading the first loop.
    if not compiled.is_in_use() or not is_plain(be, y_pred) or not y_pred.shape[1]:
        return NotImplemented
    labels, ignores = labels_of(y_true), ignore_index is not None
    if labels is None:
        return NotImplemented
    correct, counted = new((), np.int32), new((), np.int32)
    ignored = ignore_index or 0, ignores
    arguments = *y_pred.shape, y_pred, *labels, *ignored, correct, counted
    count = counted if ignores else y_pred.shape[0]
    return {"correct": correct, "count": count}, bound(be, "count_correct", *arguments)
