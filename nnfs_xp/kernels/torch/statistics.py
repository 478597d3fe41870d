"""Statistics of batches."""

from __future__ import annotations

from typing import Any

import torch

from nnfs_xp.kernels.torch.eager import implements_eager, number

Tensor = Any


@implements_eager("accumulate")
def accumulate(
    be: Any, totals: list[Tensor], batch: list[Any], values: list[Any]
) -> tuple[list[Tensor], list[Any]]:
    """Sum up and add in place."""
    added = []
    for total, value in zip(totals, values, strict=True):
        if isinstance(value, int):
            total.add_(number(value, total.dtype, total.device))
        else:
            if value.ndim > total.ndim:
                value = value.sum(0, dtype=total.dtype)
            elif value.dtype != total.dtype:
                value = value.to(total.dtype)
            total.add_(value)
        added.append(value)
    return totals, added


@implements_eager("count_correct")
def count_correct(
    be: Any, y_pred: Tensor, y_true: Tensor, ignore_index: int | None
) -> dict[str, Any]:
    """Find highest score and class in one pass."""
    rows = y_true.ndim == 2
    labels = y_true.argmax(1) if rows else y_true
    highest, classes = y_pred.max(1)
    # With NaN in a row that is the highest.
    right = (classes == labels).logical_and_(highest == highest)
    count: Any = len(y_pred)
    if ignore_index is not None and not rows:
        counted = labels != ignore_index
        right.logical_and_(counted)
        count = counted.sum(dtype=torch.int32)
    return {"correct": right.sum(dtype=torch.int32), "count": count}
