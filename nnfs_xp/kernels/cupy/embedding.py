"""Implementation of the sums of an embedding's gradient; ``cuda/embedding.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import INTEGERS, empty, is_plain, item_bytes, launch
from nnfs_xp.kernels.registry import implements

# Columns of a block, and what a grid has of blocks along its second axis.
_COLUMNS, _MOST_BLOCKS = 32, 65535


@implements("add_at", "cupy")
def add_at(be: Any, ids: Any, rows: Any, n_ids: int) -> Any:
    """Sum up in one launch, in a fixed order; atomic additions would have none."""
    fits = ids.dtype.name in INTEGERS and ids.flags.c_contiguous
    if not fits or not is_plain(be, rows):
        return NotImplemented
    n, k = rows.shape
    grid = n_ids, -(-k // _COLUMNS)
    if grid[1] > _MOST_BLOCKS:
        return NotImplemented
    sums = empty((n_ids, k), be.dtype)
    launch(be, "add_at", sums.size, ids, item_bytes(ids), rows, sums, n, k, grid=grid)
    return sums
