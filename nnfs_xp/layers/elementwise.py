"""Elementwise activations by kernels, for a network's layers."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer, Params
from nnfs_xp.registry import UNITS

# The activations that compute each output from one input, all of them known to
# the kernels.
ELEMENTWISE = (
    "ELU",
    "GELU",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
)


class ElementwiseActivation(Layer):
    """An elementwise activation that follows no `Dense`, by one kernel each way."""

    def __init__(self, activation: Layer) -> None:
        super().__init__()
        self.activation = activation

    def fwd(self, be: Backend, params: Params, x: Array) -> tuple[Array, Any]:
        """Return what the activation does."""
        return activation_forward(be, x, self.activation)

    def bwd(
        self, be: Backend, params: Params, residuals: Any, dy: Array
    ) -> tuple[Array, Params]:
        """Return what the activation does."""
        return activation_backward(be, residuals, dy, self.activation), {}

    def config(self) -> dict[str, Any]:
        """Return that of the activation."""
        return self.activation.config()


@portable
def activation_forward(be: Backend, x: Array, activation: Layer) -> tuple[Array, Any]:
    """Return the output of an activation, and its residuals."""
    return activation.fwd(be, {}, x)


@portable
def activation_backward(
    be: Backend, residuals: Any, dy: Array, activation: Layer
) -> Array:
    """Return the gradient of the inputs of an activation."""
    return activation.bwd(be, {}, residuals, dy)[0]


def is_elementwise(layer: Layer) -> bool:
    """Return whether the layer is one of `ELEMENTWISE`, and no subclass."""
    name = type(layer).__name__
    return name in ELEMENTWISE and UNITS["layer"].get(name) is type(layer)
