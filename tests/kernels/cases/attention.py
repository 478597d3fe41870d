"""Cases of ``attention.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.kernels.constants import HIDDEN_SCORE
from nnfs_xp.kernels.cupy.attention import _geometry
from nnfs_xp.layers.attention import (
    attention,
    attention_backward,
    heads_of,
    joined,
)
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(47)
_NULL = np.uint64(0)
# Samples, length, heads, features of a head, parts.
_SHAPES = {
    "usual": (2, 5, 3, 4, 3),
    "one part": (3, 4, 2, 2, 1),
    "two parts": (2, 3, 2, 1, 2),
    "one of all": (1, 1, 1, 1, 1),
}


def _normal(dtype, *shape):
    return _random.standard_normal(shape).astype(dtype)


def _split(n, t, heads, features, parts, dtype):
    rows = _normal(dtype, n, t, parts * heads * features)
    expected = np.stack(heads_of(HOST, (rows,), heads, heads * features))
    geometry = _geometry(n, t, heads, features, parts)
    out = unset(expected.shape, dtype)
    arguments = [rows, geometry, out, np.int64(out.size)]
    return Launch((2,), (32,), arguments, {2: expected}, rtol=0)


def _join(n, t, heads, features, parts, dtype):
    given = [_normal(dtype, n, heads, t, features) for _ in range(parts)]
    expected = joined(HOST, tuple(given))
    geometry = _geometry(n, t, heads, features, parts)
    pointers = [*given, *[_NULL] * (3 - parts)]
    out = unset(expected.shape, dtype)
    arguments = [*pointers, geometry, out, np.int64(given[0].size)]
    return Launch((2,), (32,), arguments, {4: expected}, rtol=0)


def _grid(rows, threads):
    if threads == 32:
        return (-(-rows // 2),), (32, 2)
    return (rows,), (threads, 1)


def _weights(
    n, heads, t, s, dtype, causal=False, mask=None, drop=False, value=None, threads=32
):
    """Weights of the reference whose queries are scores, as the keys are units."""
    scores = _normal(dtype, n, heads, t, s)
    if value is not None:
        scores[0, 0, -1, 0] = value
    scale = s**-0.5
    queries = joined(HOST, (scores.astype("float64"),))
    units = np.broadcast_to(np.eye(s), (n, heads, s, s))
    keys = joined(HOST, (units, units))
    _, p = attention.reference(HOST, (queries, keys), heads, causal, mask, None, True)
    noise = _random.uniform(size=p.shape).astype(dtype) if drop else None
    seen = _NULL if mask is None else mask != 0
    arguments = [
        scores, seen, _NULL if noise is None else noise,
        _NULL if noise is None else unset(p.shape, dtype), np.dtype(dtype).type(scale),
        np.dtype(dtype).type(HIDDEN_SCORE), np.bool_(causal), np.int64(n * heads * t),
        *(np.int64(size) for size in (heads, t, s)),
    ]  # fmt: skip
    expected = {0: p}
    if noise is not None:
        expected[3] = p * noise
    return Launch(*_grid(n * heads * t, threads), arguments, expected)


def _backward(n, heads, t, s, dtype, drop=False, threads=32):
    """The gradient of the queries, which are the scores, as the keys are units."""
    p = _random.dirichlet(np.ones(s), (n, heads, t)).astype(dtype)
    dp = _normal(dtype, n, heads, t, s)
    noise = _random.uniform(size=p.shape) if drop else None
    units = np.broadcast_to(np.eye(s), (n, heads, s, s))
    queries, keys = joined(HOST, (np.zeros(p.shape),)), joined(HOST, (units, units))
    dy, wide = joined(HOST, (dp.astype("float64"),)), p.astype("float64")
    found, _ = attention_backward.reference(
        HOST, (queries, keys), heads, False, wide, noise, dy
    )
    (expected,) = heads_of(HOST, (found,), heads, heads * s)
    arguments = [
        p, _NULL if noise is None else noise.astype(dtype), dp,
        np.dtype(dtype).type(s**-0.5), np.int64(n * heads * t), np.int64(s),
    ]  # fmt: skip
    return Launch(*_grid(n * heads * t, threads), arguments, {2: expected})


_mask = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], "int32")
_weighted = functools.partial(_weights, 2, 3, 5, 5)
KERNELS = {
    "split_heads": {
        n: functools.partial(_split, *given) for n, given in _SHAPES.items()
    },
    "join_heads": {n: functools.partial(_join, *given) for n, given in _SHAPES.items()},
    "attention_weights": {
        "usual": functools.partial(_weighted, causal=True),
        "all of it": _weighted,
        "a mask": functools.partial(_weighted, mask=_mask),
        "a mask, causal": functools.partial(_weighted, mask=_mask, causal=True),
        "dropping": functools.partial(_weighted, drop=True, causal=True),
        "longer than a warp": functools.partial(_weights, 1, 2, 40, 40, causal=True),
        "another sequence": functools.partial(_weights, 2, 2, 3, 7),
        "a block for each row": functools.partial(
            _weights, 1, 2, 3, 70, threads=64, drop=True
        ),
        "no number": functools.partial(_weighted, value=np.nan),
    },
    "scores_backward": {
        "usual": functools.partial(_backward, 2, 3, 5, 5),
        "dropping": functools.partial(_backward, 2, 2, 4, 6, drop=True),
        "longer than a warp": functools.partial(_backward, 1, 2, 3, 40),
        "a block for each row": functools.partial(_backward, 1, 2, 3, 70, threads=64),
    },
}
