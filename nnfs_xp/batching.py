"""Cut data into batches of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array


def check_batch_size(value: Any) -> int | None:
    """Return a positive integer, or None for all rows, or raise InputError."""
    return None if value is None else check_count(value, "batch_size")


def batch_slices(samples: int, batch_size: int | None) -> list[slice]:
    """Return the rows of each batch; the last may be shorter.

    Parameters
    ----------
    samples : int
        Number of rows.
    batch_size : int or None
        Rows of a batch; all of them if None.

    Examples
    --------
    >>> from nnfs_xp.batching import batch_slices
    >>> batch_slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = batch_size or samples
    # The standard leaves open what a stop beyond the end means.
    return [slice(i, min(i + size, samples)) for i in range(0, samples, size)]


def rows_of(array: Array, rows: slice) -> Array:
    """Return a stretch of rows of an array with any number of axes."""
    return array[rows, ...]


def iterate_rows(array: Array, batch_size: int | None) -> Iterator[Array]:
    """Yield the rows of an array, a batch at a time."""
    for rows in batch_slices(array.shape[0], batch_size):
        yield rows_of(array, rows)
