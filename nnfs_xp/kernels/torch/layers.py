"""What dense layers compute beside their products."""

from __future__ import annotations

from typing import Any

import torch

from nnfs_xp.kernels.torch.activations import known_of
from nnfs_xp.kernels.torch.eager import implements_eager

Tensor = Any

_aten_layer_norm_backward = torch.ops.aten.native_layer_norm_backward


@implements_eager("bias_activation")
def bias_activation(be: Any, z: Tensor, biases: Tensor, activation: Any) -> Any:
    """Add the biases in place, and apply the activation in place where it allows it."""
    known = known_of(activation)
    if known is None:
        return NotImplemented
    return known.forward(z.add_(biases), activation)


@implements_eager("dense_activation")
def dense_activation(
    be: Any, x: Tensor, w: Tensor, biases: Tensor, activation: Any
) -> Any:
    """Let the product begin with the biases."""
    known = known_of(activation)
    if known is None:
        return NotImplemented
    return known.forward(be.matmul_plus(x, w, biases), activation)


@implements_eager("activation_bias_backward")
def activation_bias_backward(
    be: Any, residuals: Any, dy: Tensor, activation: Any, db_out: Tensor | None = None
) -> Any:
    """Go back through the activation, and sum up into the place of the gradient."""
    known = known_of(activation)
    if known is None:
        return NotImplemented
    dz = known.backward(residuals, dy, activation)
    return dz, torch.sum(dz, 0, keepdim=True, out=db_out)


@implements_eager("layer_norm")
def layer_norm(
    be: Any, x: Tensor, gamma: Tensor, beta: Tensor, eps: float, training: bool
) -> Any:
    """Normalize in one pass; residuals are inputs, means and factors."""
    if x.shape[-1] == 1:
        # Nothing is left of a single feature, but for its rounding.
        return NotImplemented
    y, *statistics = torch.native_layer_norm(x, x.shape[-1:], gamma, beta, eps)
    return y, (x, *statistics, beta)


@implements_eager("layer_norm_backward")
def layer_norm_backward(be: Any, residuals: Any, gamma: Tensor, dy: Tensor) -> Any:
    """Compute all three gradients in one pass."""
    if len(residuals) == 2:
        return NotImplemented
    x, mean, factor, beta = residuals
    return _aten_layer_norm_backward(
        dy, x, x.shape[-1:], mean, factor, gamma, beta, [True, True, True]
    )


@implements_eager("sum_over_samples")
def sum_over_samples(be: Any, dy: Tensor) -> Tensor:
    """Sum without a look at dtypes and axes."""
    return torch.sum(dy, 0, keepdim=True)
