"""A dense layer and the activation after it as one, for backends with kernels.

A kernel adds the biases and applies the activation in one pass over the product
``X W``, and another goes back through the activation and sums up the gradient of
the biases. `fused` makes a network's layers such pairs where that is of use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.initializers import Initializer
from nnfs_xp.kernels import portable, uses_twin
from nnfs_xp.layers.base import Layer, Params
from nnfs_xp.layers.dense import Dense, sum_over_samples
from nnfs_xp.layers.elementwise import ElementwiseActivation, is_elementwise
from nnfs_xp.layers.products import product, product_gradients, weight_gradient
from nnfs_xp.registry import UNITS
from nnfs_xp.regularizers import Regularizer


@portable
def bias_activation(
    be: Backend, z: Array, biases: Array, activation: Layer
) -> tuple[Array, Any]:
    """Return ``activation(z + biases)``, and residuals; `z` may be overwritten.

    `z` has shape (n, k), the biases have shape (1, k).
    """
    z += biases
    return activation.fwd(be, {}, z)


@portable
def activation_bias_backward(
    be: Backend,
    residuals: Any,
    dy: Array,
    activation: Layer,
    db_out: Array | None = None,
) -> tuple[Array, Array]:
    """Return the gradients of ``z`` and, of shape (1, k), of the biases.

    The second is written to `db_out` if it is given, which is then returned.
    """
    dz, _ = activation.bwd(be, {}, residuals, dy)
    db = sum_over_samples(be, dz)
    if db_out is None:
        return dz, db
    db_out[...] = db
    return dz, db_out


class DenseActivation(Layer):
    """A `Dense` and the elementwise activation that follows it.

    Parameters
    ----------
    dense : Dense
        Has the parameters, and all that is to be said of them.
    activation : Layer
        One that is computed element by element.
    """

    def __init__(self, dense: Dense, activation: Layer) -> None:
        super().__init__()
        self.dense = dense
        self.activation = activation

    def fwd(self, be: Backend, params: Params, x: Array) -> tuple[Array, Any]:
        """Return ``activation(X W + b)``; residuals of product and activation."""
        z, operands = product(be, x, params["weights"])
        y, kept = bias_activation(be, z, params["biases"], self.activation)
        return y, (operands, kept)

    def bwd(
        self, be: Backend, params: Params, residuals: Any, dy: Array
    ) -> tuple[Array, Params]:
        """Return ``dX`` and the gradients of the parameters."""
        operands, kept = residuals
        dz, db = activation_bias_backward(be, kept, dy, self.activation)
        dx, dw = product_gradients(be, operands, params["weights"], dz)
        return dx, {"weights": dw, "biases": db}

    def parameter_gradients(
        self, be: Backend, params: Params, residuals: Any, dy: Array
    ) -> Params:
        """Return ``dW`` and ``db``."""
        operands, kept = residuals
        dz, db = activation_bias_backward(be, kept, dy, self.activation)
        dw = weight_gradient(be, operands, dz)
        return {"weights": dw, "biases": db}

    def initializers(self) -> dict[str, tuple[Initializer, tuple[int, ...]]]:
        """Return those of the dense layer."""
        return self.dense.initializers()

    def regularizers(self) -> dict[str, Regularizer]:
        """Return those of the dense layer."""
        return self.dense.regularizers()

    def input_shape(self) -> tuple[int, ...]:
        """Return that of the dense layer."""
        return self.dense.input_shape()

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...]:
        """Return that of the dense layer."""
        return self.dense.output_shape(shape)

    def config(self) -> dict[str, Any]:
        """Return that of the dense layer."""
        return self.dense.config()

    def __repr__(self) -> str:
        return f"DenseActivation({self.dense!r}, {self.activation!r})"


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
