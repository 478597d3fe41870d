"""A convolution fused with its activation, computed by the kernels of a dense layer."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.fusion import activation_bias_backward, bias_activation
from nnfs_xp.layers.products import as_before, as_matrix


class ConvolutionActivation(Layer):
    """A convolution and the elementwise activation that follows it.

    It works as `DenseActivation` does, with a row for each position of each sample.
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return the activated output; residuals are inputs and the activation's."""
        convolution, activation = cx["convolution"], cx["activation"].unit
        z, biases = convolution.unit.product(convolution, x), convolution.params
        rows, kept = bias_activation(
            cx.be, as_matrix(cx, z), biases["biases"], activation
        )
        return as_before(cx, rows, z.shape), (x, kept)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array | None:
        """Write ``dW`` and ``db``, and return ``dx`` if it is needed."""
        convolution, (x, kept) = cx["convolution"], residuals
        dz, db = activation_bias_backward(
            cx.be, kept, as_matrix(cx, dy), cx["activation"].unit,
            convolution.grads.out("biases"),
        )  # fmt: skip
        if convolution.learns:
            convolution.grads["biases"] = db
        dz = as_before(cx, dz, dy.shape)
        return convolution.unit.product_backward(convolution, x, dz)
