"""Cut data into batches of rows."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.random import Stream


def check_batch_size(value: Any) -> int | None:
    """Return a positive integer, or None for all rows, or raise InputError."""
    if value is None or (type(value) is int and value > 0):
        return value
    return check_count(value, "batch_size")


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
    >>> from nnfs_xp.engine.batching import batch_slices
    >>> batch_slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = batch_size or samples
    # The standard leaves open what a stop beyond the end means.
    return [slice(i, min(i + size, samples)) for i in range(0, samples, size)]


def batch_order(seed: int, epoch: int, samples: int) -> Any:
    """Return the numbers of all rows in the order of an epoch, on the host.

    The order depends on the seed and the epoch alone, so a run that was saved
    and resumed sees the same batches as one that was not.
    """
    return Stream(seed, "batch order", epoch).permutation(samples)


def rows_of(array: Array, rows: slice) -> Array:
    """Return consecutive rows of an array with any number of axes."""
    return array[rows, ...]


@portable
def gather_batch(
    be: Backend,
    arrays: tuple[Array | None, Array | None, Array | None],
    order: Array | None,
    start: int | Array,
    size: int,
    rescale: tuple[float, float] | None = None,
) -> tuple[Array, Array, Array | None]:
    """Return the samples, targets and weights of one batch.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    arrays : tuple of array or None
        Samples, of any real dtype and with any number of axes; targets, or whatever
        else keeps its dtype; and weights. All have the same length.
    order : array of int or None
        Row numbers; those of the batch begin at `start`. Without it, the batch is the
        rows from `start` on, and the first row follows the last.
    start : int or array, 0-d
        Where the batch begins.
    size : int
        Rows of the batch.
    rescale : tuple of float, optional
        A factor and a summand for the samples, as in `rescaled`.

    Returns
    -------
    tuple
        The samples in the backend's dtype; targets and weights in their own.
    """
    rows = _row_numbers(be, arrays, order, start, size)
    if isinstance(rows, slice):
        x, y, weight = (a if a is None else rows_of(a, rows) for a in arrays)
    else:
        x, y, weight = (a if a is None else be.take_rows(a, rows) for a in arrays)
    if x is not None and rescale is not None:
        x = rescaled(be, x, *rescale)
    elif x is not None and x.dtype != be.dtype:
        x = be.xp.astype(x, be.dtype)
    return x, y, weight


def _row_numbers(
    be: Backend, arrays: Any, order: Array | None, start: int | Array, size: int
) -> Any:
    """Return the row numbers of a batch, as an array or as a slice."""
    known = isinstance(start, int)
    if known and order is not None:
        return order[start : start + size]
    n = next(array.shape[0] for array in arrays if array is not None)
    if known and start % n + size <= n:
        return slice(start % n, start % n + size)
    positions = be.xp.arange(size, dtype=be.xp.int32, device=be.device) + start
    return positions % n if order is None else be.xp.take(order, positions, axis=0)


@portable
def rescaled(be: Backend, x: Array, scale: float, offset: float) -> Array:
    """Return ``x scale + offset`` in the backend's dtype, for any real dtype."""
    y = be.xp.astype(x, be.dtype) * scale
    y += offset
    return y
