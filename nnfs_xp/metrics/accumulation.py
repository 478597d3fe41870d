"""Sums of statistics over batches, and the counts of an accuracy."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.metrics.counts import count_true


@portable
def accumulate(
    be: Backend,
    totals: list[Array],
    batch: list[Array | None],
    values: list[Array | int],
) -> tuple[list[Array], list[Array | int]]:
    """Add the statistics of a batch to their totals.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    totals : list of array
        The sums so far, floats or int32 of any shape. They may be overwritten.
    batch : list of array or None
        For each total an array for the batch's own value, to which a twin
        writes, or None.
    values : list of array or int
        What the batch adds: a number, an array of the total's shape, or one
        with an axis more in front, over which it is summed.

    Returns
    -------
    totals : list of array
        The new sums.
    batch : list of array or int
        What was added to each.
    """
    added = [
        value if isinstance(value, int) else _of_batch(be, total, value)
        for total, value in zip(totals, values, strict=True)
    ]
    new = list(totals)
    for index, value in enumerate(added):
        # In place, where arrays can be written to.
        new[index] += value
    return new, added


def _of_batch(be: Backend, total: Array, value: Array) -> Array:
    """Return what is added to a total, an array like it."""
    xp = be.xp
    if value.dtype != total.dtype:
        value = xp.astype(value, total.dtype)
    if value.ndim == total.ndim:
        return value
    return xp.sum(value, axis=0, dtype=total.dtype)


@portable
def count_correct(
    be: Backend, y_pred: Array, y_true: Array, ignore_index: int | None
) -> dict[str, Any]:
    """Return how many samples are right, and how many there are.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    y_pred : array, shape (n, k)
        Scores; the class of the first highest one is the prediction.
    y_true : array, shape (n,) or (n, k)
        Labels, or rows, of which the first highest is the label.
    ignore_index : int or None
        A label that stands for none, among labels.

    Returns
    -------
    dict
        ``correct``, an int32 0-d array, and ``count``, one too, or an int if it
        follows from the shapes.
    """
    xp = be.xp
    labels = xp.argmax(y_true, axis=1) if y_true.ndim == 2 else y_true
    right = xp.argmax(y_pred, axis=1) == labels
    if ignore_index is None or y_true.ndim == 2:
        return {"correct": count_true(be, right), "count": y_pred.shape[0]}
    counted = labels != ignore_index
    return {
        "correct": count_true(be, right & counted),
        "count": count_true(be, counted),
    }
