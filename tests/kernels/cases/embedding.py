"""Cases of ``embedding.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.layers.embedding import add_at
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(42)


def _sums(n, k, n_ids, dtype, *, integer="int32", threads=256, ids=None):
    if ids is None:
        ids = _random.integers(0, n_ids, n)
    ids = ids.astype(integer)
    rows = _random.standard_normal((n, k)).astype(dtype)
    arguments = [
        ids, np.int32(ids.itemsize), rows, unset((n_ids, k), dtype), np.int64(n),
        np.int64(k),
    ]  # fmt: skip
    expected = add_at.reference(HOST, ids, rows.astype("float64"), n_ids)
    grid = n_ids, -(-k // 32)
    return Launch(grid, (threads,), arguments, {3: expected})


def _special(dtype):
    """A row that is no number is one of its own id only."""
    ids = np.array([2, 0, 2, 1], "int32")
    rows = np.array([[np.inf, 1.0], [1.0, 2.0], [-np.inf, 3.0], [np.nan, 4.0]])
    sums = np.array([[1.0, 2.0], [np.nan, 4.0], [np.nan, 4.0], [0.0, 0.0]])
    rows, out = rows.astype(dtype), unset((4, 2), dtype)
    sizes = np.int64(4), np.int64(2)
    return Launch((4, 1), (256,), [ids, np.int32(4), rows, out, *sizes], {3: sums})


KERNELS = {
    "add_at": {
        "usual": functools.partial(_sums, 600, 17, 9),
        "ids of int64": functools.partial(_sums, 50, 4, 9, integer="int64"),
        "two blocks of columns": functools.partial(_sums, 300, 40, 3),
        "exactly a warp": functools.partial(_sums, 32, 32, 2),
        "exactly a block": functools.partial(_sums, 256, 2, 2),
        "one warp": functools.partial(_sums, 70, 5, 4, threads=32),
        "more ids than rows": functools.partial(_sums, 3, 2, 12),
        "one id": functools.partial(_sums, 300, 3, 1),
        "every id once": functools.partial(_sums, 40, 3, 40, ids=np.arange(40)[::-1]),
        "no rows": functools.partial(_sums, 0, 3, 2),
        "special": _special,
    },
}
