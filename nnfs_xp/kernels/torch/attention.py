"""Attention in one pass over the heads, by the function of PyTorch's own layers."""

from __future__ import annotations

import math
from typing import Any

import torch

from nnfs_xp.kernels.torch.eager import implements_eager, may_look_at

Tensor = Any

# It keeps no weights, and computes them again on the way back.
_aten = torch.ops.aten
_NAME = "_scaled_dot_product_flash_attention_for_cpu"
_forward: Any = getattr(_aten, _NAME, None)
_backward: Any = getattr(_aten, f"{_NAME}_backward", None)


@implements_eager("attention")
def attention(
    be: Any,
    parts: tuple[Tensor, ...],
    n_heads: int,
    causal: bool,
    mask: Any,
    drop: Any,
    training: bool,
) -> Any:
    """Compute block by block, where nothing is dropped and no mask given.

    PyTorch's rows may be 0 where a score is NaN or infinite.
    """
    known = _forward is not None and _backward is not None
    if not known or mask is not None or drop is not None:
        return NotImplemented
    if be.matmul_precision != "full" or not may_look_at(*parts):
        return NotImplemented
    if not all(part.is_contiguous() for part in parts):
        return NotImplemented
    if not all(math.isfinite(part.sum().item()) for part in parts):
        return NotImplemented
    y, log_sums = _forward(*_heads(parts, n_heads), 0.0, causal)
    return _joined([y]), (y, log_sums)


@implements_eager("attention_backward")
def attention_backward(
    be: Any,
    parts: tuple[Tensor, ...],
    n_heads: int,
    causal: bool,
    p: Any,
    drop: Any,
    dy: Tensor,
) -> Any:
    """Compute the weights again, and all gradients."""
    if not isinstance(p, tuple):
        return NotImplemented
    q, k, v = _heads(parts, n_heads)
    dheads = dy.contiguous().unflatten(-1, (n_heads, -1)).transpose(1, 2)
    dq, dk, dv = _backward(dheads, q, k, v, *p, 0.0, causal)
    if len(parts) == 1:
        return (_joined([dq, dk, dv]),)
    return _joined([dq]), _joined([dk, dv])


def _heads(parts: tuple[Tensor, ...], n_heads: int) -> list[Tensor]:
    """Return queries, keys and values as views, of shape (n, n_heads, t, e)."""
    d = sum(part.shape[-1] for part in parts) // 3
    return [
        one.unflatten(-1, (n_heads, -1)).transpose(1, 2)
        for part in parts
        for one in part.split(d, -1)
    ]


def _joined(heads: list[Tensor]) -> Tensor:
    """Return arrays of heads side by side."""
    if len(heads) == 1:
        return heads[0].transpose(1, 2).flatten(2)
    return torch.stack([one.transpose(1, 2) for one in heads], 2).flatten(2)
