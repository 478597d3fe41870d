"""What dense layers compute beside their products."""

from __future__ import annotations

from typing import Any

import torch

from nnfs_xp.kernels.torch.activations import known_of
from nnfs_xp.kernels.torch.eager import implements_eager

Tensor = Any


@implements_eager("bias_activation")
def bias_activation(be: Any, z: Tensor, biases: Tensor, activation: Any) -> Any:
    """Add the biases in place, and apply the activation in place where it allows it."""
    known = known_of(activation)
    if known is None:
        return NotImplemented
    return known.forward(z.add_(biases), activation)


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


@implements_eager("sum_over_samples")
def sum_over_samples(be: Any, dy: Tensor) -> Tensor:
    """Sum without a look at dtypes and axes."""
    return torch.sum(dy, 0, keepdim=True)
