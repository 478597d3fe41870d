"""Attention on NumPy: products that read and write the heads where they lie.

Queries, keys and values of a head are strided views of one array, and BLAS takes and
gives such views. So nothing is copied to be turned. What comes between the products,
the softmax and its gradient, is given by who plans a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.kernels.plans import New

# A call that goes through the rows of an array, or of two, in place.
Rows = Callable[..., Callable[[], Any]]


def attention_plan(
    be: Any,
    new: New,
    softmax: Rows,
    parts: tuple[np.ndarray, ...],
    n_heads: int,
    mask: Any,
    drop: Any,
) -> Any:
    """Return what heads see and their weights, and the call that computes them.

    ``softmax(scores)`` makes the call that scales, hides and normalizes scores.
    """
    if mask is not None or not _is_usual(be, *parts, drop):
        return NotImplemented
    (q, k, v), d = _heads(parts, n_heads), _width(parts)
    shape = *q.shape[:3], k.shape[2]
    p, y = new(shape, be.dtype), new((*parts[0].shape[:2], d), be.dtype)
    (out,) = _heads((y,), n_heads, d)
    keys, weigh = k.swapaxes(-1, -2), softmax(p)
    dropped: Any = None if drop is None else new(shape, be.dtype)

    def call() -> None:
        np.matmul(q, keys, out=p)
        weigh()
        if dropped is None:
            np.matmul(p, v, out=out)
        else:
            np.matmul(np.multiply(p, drop, dropped), v, out=out)

    return (y, p), call


def attention_backward_plan(
    be: Any,
    new: New,
    softmax_backward: Rows,
    parts: tuple[np.ndarray, ...],
    n_heads: int,
    p: np.ndarray,
    drop: Any,
    dy: np.ndarray,
) -> Any:
    """Return the gradients of `parts`, and the call that computes them.

    ``softmax_backward(p, dp)`` makes the call that turns gradients of weights into
    those of scores.
    """
    if not _is_usual(be, *parts, p, drop, dy):
        return NotImplemented
    q, k, v = _heads(parts, n_heads)
    gradients = tuple(new(part.shape, be.dtype) for part in parts)
    dq, dk, dv = _heads(gradients, n_heads)
    (dheads,) = _heads((dy,), n_heads, dy.shape[-1])
    dp, back = new(p.shape, be.dtype), v.swapaxes(-1, -2)
    through, turned = softmax_backward(p, dp), dp.swapaxes(-1, -2)
    weights = p.swapaxes(-1, -2)
    dropped: Any = None if drop is None else new(p.shape, be.dtype)

    def call() -> None:
        if dropped is None:
            np.matmul(weights, dheads, out=dv)
        else:
            np.multiply(p, drop, dropped)
            np.matmul(dropped.swapaxes(-1, -2), dheads, out=dv)
        np.matmul(dheads, back, out=dp)
        if dropped is not None:
            np.multiply(dp, drop, dp)
        through()
        np.matmul(dp, k, out=dq)
        np.matmul(turned, q, out=dk)

    return gradients, call


def scale_of_scores(parts: tuple[np.ndarray, ...], n_heads: int) -> float:
    """Return one over the root of the features of a head."""
    return (_width(parts) // n_heads) ** -0.5


def _heads(
    parts: tuple[np.ndarray, ...], n_heads: int, d: int | None = None
) -> list[np.ndarray]:
    """Return views of each d features by heads, of shape (n, n_heads, t, e)."""
    d, found = d or _width(parts), []
    for array in parts:
        n, t, length = array.shape
        cut = array.reshape(n, t, length // d, n_heads, d // n_heads)
        found += list(cut.transpose(2, 0, 3, 1, 4))
    return found


def _width(parts: tuple[np.ndarray, ...]) -> int:
    return sum(part.shape[-1] for part in parts) // 3


def _is_usual(be: Any, *arrays: Any) -> bool:
    """Return whether products are not rounded, and arrays have no gaps, and a size."""
    return be.matmul_precision == "full" and all(
        isinstance(a, np.ndarray) and a.dtype == be.dtype and a.flags.c_contiguous
        and a.size
        for a in arrays
        if a is not None
    )  # fmt: skip
