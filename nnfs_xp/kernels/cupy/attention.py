"""Implementations of attention; ``cuda/attention.cu``.

Heads are copied apart once, so that products take them as they lie, and a row of
scores becomes one of weights in one launch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.constants import HIDDEN_SCORE
from nnfs_xp.kernels.cupy.launch import empty, is_plain, launch, launch_rows, plain
from nnfs_xp.kernels.registry import implements

_HEADS = np.dtype(
    [(name, np.uint32) for name in ("n", "length", "heads", "features", "parts")]
)
# The kernels divide in 32 bits.
_MOST_ELEMENTS = 2**32


@implements("attention", "cupy")
def attention(
    be: Any,
    parts: tuple[Any, ...],
    n_heads: int,
    causal: bool,
    mask: Any,
    drop: Any,
    training: bool,
) -> Any:
    """Compute in two products, and a launch for what is before, between and after."""
    if not _fits(be, parts, n_heads, drop):
        return NotImplemented
    q, k, v = _heads_of(be, parts, n_heads)
    p = be.matmul(q, k.swapaxes(-1, -2))
    seen = None if mask is None else plain(mask != 0, "bool")
    dropped = None if drop is None else empty(p.shape, be.dtype)
    n, heads, t, s = p.shape
    arguments = p, seen, drop, dropped, _scale(be, q), be.dtype(HIDDEN_SCORE), causal
    rows = n * heads * t
    launch_rows(be, "attention_weights", rows, s, *arguments, shape=(rows, heads, t, s))
    return _joined(be, be.matmul(p if drop is None else dropped, v)), p


@implements("attention_backward", "cupy")
def attention_backward(
    be: Any,
    parts: tuple[Any, ...],
    n_heads: int,
    causal: bool,
    p: Any,
    drop: Any,
    dy: Any,
) -> Any:
    """Compute in four products, and launches for the heads and the scores."""
    if not _fits(be, parts, n_heads, drop) or not is_plain(be, p, dy):
        return NotImplemented
    q, k, v = _heads_of(be, parts, n_heads)
    (dheads,) = _apart(be, dy, n_heads, 1)
    dv = be.matmul((p if drop is None else p * drop).swapaxes(-1, -2), dheads)
    dscores = be.matmul(dheads, v.swapaxes(-1, -2))
    rows, s = p.size // p.shape[-1], p.shape[-1]
    launch_rows(be, "scores_backward", rows, s, p, drop, dscores, _scale(be, q))
    dq, dk = be.matmul(dscores, k), be.matmul(dscores.swapaxes(-1, -2), q)
    if len(parts) == 1:
        return (_joined(be, dq, dk, dv),)
    return _joined(be, dq), _joined(be, dk, dv)


def _fits(be: Any, parts: tuple[Any, ...], n_heads: int, drop: Any) -> bool:
    arrays = parts if drop is None else (*parts, drop)
    return is_plain(be, *arrays) and all(0 < a.size < _MOST_ELEMENTS for a in parts)


def _scale(be: Any, q: Any) -> Any:
    return be.dtype(q.shape[-1] ** -0.5)


def _geometry(n: int, length: int, heads: int, features: int, parts: int) -> Any:
    return np.array((n, length, heads, features, parts), _HEADS)[()]


def _heads_of(be: Any, parts: tuple[Any, ...], n_heads: int) -> list[Any]:
    """Return queries, keys and values by heads, as `heads_of` does, without gaps."""
    if len(parts) == 1:
        return _apart(be, parts[0], n_heads, 3)
    return [*_apart(be, parts[0], n_heads, 1), *_apart(be, parts[1], n_heads, 2)]


def _apart(be: Any, array: Any, n_heads: int, count: int) -> list[Any]:
    n, t, length = array.shape
    features = length // (count * n_heads)
    heads = empty((count, n, n_heads, t, features), be.dtype)
    geometry = _geometry(n, t, n_heads, features, count)
    launch(be, "split_heads", heads.size, array, geometry, heads, heads.size)
    return list(heads)


def _joined(be: Any, *heads: Any) -> Any:
    """Return arrays of heads side by side."""
    n, n_heads, t, features = heads[0].shape
    count, size = len(heads), heads[0].size
    rows = empty((n, t, count * n_heads * features), be.dtype)
    given = *heads, *[None] * (3 - count)
    geometry = _geometry(n, t, n_heads, features, count)
    launch(be, "join_heads", rows.size, *given, geometry, rows, size)
    return rows
