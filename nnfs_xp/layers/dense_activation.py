"""A dense layer and the activation after it as one, for backends with kernels.

A kernel adds the biases and applies the activation in one pass over the product
``X W``, and another goes back through the activation and sums up the gradient of
the biases.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.initializers import Initializer
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer, Params
from nnfs_xp.layers.dense import Dense
from nnfs_xp.layers.products import product, product_backward, sum_over_samples
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
        One of `ELEMENTWISE`.
    """

    def __init__(self, dense: Dense, activation: Layer) -> None:
        super().__init__()
        self.dense = dense
        self.activation = activation
        # The one activation whose output is all that its backward pass needs, and
        # that libraries of products know.
        self._is_relu = type(activation) is UNITS["layer"].get("ReLU")

    def fwd(self, be: Backend, params: Params, x: Array) -> tuple[Array, Any]:
        """Return ``activation(X W + b)``; residuals are operands and activation's."""
        if self._is_relu:
            operands = be.operand(x), be.operand(params["weights"])
            y = be.relu_product(*operands, params["biases"])
            if y is not None:
                return y, (operands, y)
        z, operands = product(be, params, x)
        y, kept = bias_activation(be, z, params["biases"], self.activation)
        return y, (operands, kept)

    def bwd(
        self, be: Backend, params: Params, residuals: Any, dy: Array
    ) -> tuple[Array, Params]:
        """Return ``dX`` and the gradients of the parameters."""
        operands, kept = residuals
        dz, db = activation_bias_backward(be, kept, dy, self.activation)
        dx, dw = product_backward(be, params, operands, dz)
        return dx, {"weights": dw, "biases": db}

    def parameter_gradients(
        self, be: Backend, params: Params, residuals: Any, dy: Array
    ) -> Params:
        """Return ``dW`` and ``db``."""
        operands, kept = residuals
        dz, db = activation_bias_backward(be, kept, dy, self.activation)
        _, dw = product_backward(be, params, operands, dz, inputs_too=False)
        return {"weights": dw, "biases": db}

    def write_gradients(
        self,
        be: Backend,
        params: Params,
        residuals: Any,
        dy: Array,
        slots: Params,
        inputs_too: bool,
    ) -> Array | None:
        """Write ``dW`` and ``db`` to slots, and return ``dX`` if it is asked for."""
        operands, kept = residuals
        biases = slots["biases"] if be.in_place else None
        dz, slots["biases"] = activation_bias_backward(
            be, kept, dy, self.activation, biases
        )
        dx, slots["weights"] = product_backward(
            be, params, operands, dz, slots["weights"], inputs_too
        )
        return dx

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
