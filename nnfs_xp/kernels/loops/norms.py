"""Layer normalization, as loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.loops.launch import New, are_alike, bound, is_plain, loop


@loop("layer_norm")
def layer_norm(
    be: Any,
    new: New,
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    eps: float,
    training: bool,
) -> Any:
    """Normalize each row while it is in the cache."""
    if not training or not is_plain(be, x, gamma, beta) or not x.size:
        return NotImplemented
    d = x.shape[-1]
    if gamma.shape != (d,) or beta.shape != (d,):
        return NotImplemented
    y, normal = new(x.shape, x.dtype), new(x.shape, x.dtype)
    factors = new((*x.shape[:-1], 1), x.dtype)
    arguments = x.size // d, d, x, gamma, beta, eps, normal, factors, y
    return (y, (normal, factors)), bound(be, "layer_norm", *arguments)


@loop("layer_norm_backward")
def layer_norm_backward(
    be: Any, new: New, residuals: Any, gamma: np.ndarray, dy: np.ndarray
) -> Any:
    """Go through the rows once, for all three gradients."""
    normal, factors = residuals
    if not is_plain(be, dy, normal, factors, gamma) or not dy.size:
        return NotImplemented
    d = dy.shape[-1]
    if not are_alike(be, dy, normal) or gamma.shape != (d,):
        return NotImplemented
    dx, *sums = new(dy.shape, dy.dtype), new((d,), dy.dtype), new((d,), dy.dtype)
    arguments = dy.size // d, d, normal, factors, gamma, dy, dx, *sums
    return (dx, *sums), bound(be, "layer_norm_backward", *arguments)
