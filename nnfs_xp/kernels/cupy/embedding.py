"""Implementation of the sums of an embedding's gradient; ``cuda/embedding.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import THREADS, is_plain
from nnfs_xp.kernels.cupy.module import kernel
from nnfs_xp.kernels.registry import implements, references


@implements("add_at", "cupy")
def add_at(be: Any, ids: Any, rows: Any, n_ids: int) -> Any:
    """Sum up in one launch, in a fixed order; atomic additions would have none."""
    import cupy

    fits = ids.dtype.name in ("int32", "int64") and ids.flags.c_contiguous
    if not fits or not is_plain(be, rows):
        return references()["add_at"](be, ids, rows, n_ids)
    n, k = rows.shape
    sums = cupy.empty((n_ids, k), be.dtype)
    if sums.size:
        kernel(be.dtype_name, "add_at")(
            (n_ids, -(-k // 32)),
            (THREADS,),
            (ids, np.int32(ids.dtype.itemsize), rows, sums, n, k),
        )
    return sums
