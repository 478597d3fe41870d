"""Implementations of layer normalization; ``cuda/norms.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import (
    column_width,
    empty,
    is_plain,
    launch,
    launch_rows,
)
from nnfs_xp.kernels.registry import implements


@implements("layer_norm", "cupy")
def layer_norm(
    be: Any, x: Any, gamma: Any, beta: Any, eps: float, training: bool
) -> Any:
    """Normalize each row in one launch."""
    if x.size == 0 or not is_plain(be, x, gamma, beta):
        return NotImplemented
    k = x.shape[-1]
    y, normal = (empty(x.shape, be.dtype) for _ in range(2))
    factors = empty((*x.shape[:-1], 1), be.dtype)
    arguments = x, gamma, beta, y, normal, factors, be.dtype(eps)
    launch_rows(be, "layer_norm", x.size // k, k, *arguments)
    return y, (normal, factors)


@implements("layer_norm_backward", "cupy")
def layer_norm_backward(be: Any, residuals: Any, gamma: Any, dy: Any) -> Any:
    """Compute the gradient of the inputs in one launch, both sums in another."""
    normal, factors = residuals
    if dy.size == 0 or not is_plain(be, normal, factors, gamma, dy):
        return NotImplemented
    k = dy.shape[-1]
    n, dx = dy.size // k, empty(dy.shape, be.dtype)
    launch_rows(be, "layer_norm_backward", n, k, normal, factors, gamma, dy, dx)
    dgamma, dbeta = (empty((k,), be.dtype) for _ in range(2))
    width = column_width(k)
    launch(
        be, "layer_norm_gradients", n, normal, dy, dgamma, dbeta, n, k, width,
        grid=(-(-k // int(width)),), block=(1024,),
    )  # fmt: skip
    return dx, dgamma, dbeta
