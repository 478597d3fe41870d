"""Layers in the form in which the kernels of a backend compute them."""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_xp.backends import Backend
from nnfs_xp.kernels import uses_twin
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.dense import Dense
from nnfs_xp.layers.dense_activation import DenseActivation
from nnfs_xp.layers.elementwise import ElementwiseActivation
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


def fused(be: Backend, layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return layers that compute the same, by the kernels of a backend.

    Each has the place of the one it replaces, so that the numbers of layers stay
    the same: where an activation has joined the `Dense` before it, a `Linear`
    stands, which does nothing. Subclasses of ours are left as they are, as they
    may compute something else. Without kernels, so are all layers.
    """
    layers = tuple(layers)
    if not uses_twin("bias_activation", be.name):
        return layers
    linear: Layer = UNITS["layer"]["Linear"]()
    found: list[Layer] = []
    previous: Layer | None = None
    for layer, following in zip(layers, (*layers[1:], None), strict=True):
        if type(layer) is Dense:
            activation = linear
            if following is not None and is_elementwise(following):
                activation = following
            found.append(DenseActivation(layer, activation))
        elif not is_elementwise(layer) or type(layer) is type(linear):
            found.append(layer)
        else:
            joined = type(previous) is Dense
            found.append(linear if joined else ElementwiseActivation(layer))
        previous = layer
    return tuple(found)


def is_elementwise(layer: Layer) -> bool:
    """Return whether the layer is one of `ELEMENTWISE`, and no subclass."""
    name = type(layer).__name__
    return name in ELEMENTWISE and UNITS["layer"].get(name) is type(layer)
