"""Weights of attention and their gradients, as loops between products of BLAS."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnfs_xp.kernels.heads import (
    attention_backward_plan,
    attention_plan,
    scale_of_scores,
)
from nnfs_xp.kernels.loops.launch import Call, New, bound, loop


@loop("attention")
def attention(
    be: Any,
    new: New,
    parts: tuple[np.ndarray, ...],
    n_heads: int,
    causal: bool,
    mask: Any,
    drop: Any,
    training: bool,
) -> Any:
    """Scale, hide and normalize each row of scores in one pass."""
    if not training:
        return NotImplemented

    def softmax(p: np.ndarray) -> Call:
        scale = scale_of_scores(parts, n_heads)
        return bound(be, "attention_weights", *_rows(p), causal, scale, p)

    return attention_plan(be, new, softmax, parts, n_heads, mask, drop)


@loop("attention_backward")
def attention_backward(
    be: Any,
    new: New,
    parts: tuple[np.ndarray, ...],
    n_heads: int,
    causal: bool,
    p: np.ndarray,
    drop: Any,
    dy: np.ndarray,
) -> Any:
    """Go back through the softmax of each row in one pass."""

    def softmax_backward(p: np.ndarray, dp: np.ndarray) -> Call:
        name, scale = "attention_weights_backward", scale_of_scores(parts, n_heads)
        return bound(be, name, *_rows(p), causal, scale, p, dp)

    return attention_backward_plan(
        be, new, softmax_backward, parts, n_heads, p, drop, dy
    )


def _rows(p: np.ndarray) -> tuple[int, int, int]:
    """Return how many rows there are, how many of each head, and their length."""
    return math.prod(p.shape[:3]), p.shape[2], p.shape[3]
