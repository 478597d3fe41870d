"""Fused units: several units that the kernels of a backend compute as one.

A fused unit holds the contexts of the units it replaces, which keep their parameters,
paths and random streams. `nnfs_xp.layers.chain` decides where fused units are used.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.products import (
    as_before,
    as_matrix,
    product,
    product_backward,
    sum_over_samples,
)

# The activations that compute each output from one input, all of which the kernels
# support.
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


class DenseActivation(Layer):
    """A `Dense` and the elementwise activation that follows it.

    One kernel adds the biases and applies the activation in a single pass over the
    product ``X W``. Another computes the gradient of the activation and sums up that of
    the biases.
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``activation(X W + b)``; residuals are operands and activation's."""
        be, parts = cx.be, cx.children
        dense, activation = parts["dense"], parts["activation"].unit
        z, operands = product(dense, x if x.ndim == 2 else as_matrix(cx, x))
        y, kept = bias_activation(be, z, dense.params["biases"], activation)
        return y if x.ndim == 2 else as_before(cx, y, x.shape), (operands, kept)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array | None:
        """Write ``dW`` and ``db``, and return ``dX`` if it is needed."""
        parts, (operands, kept) = cx.children, residuals
        dense, activation = parts["dense"], parts["activation"].unit
        rows, grads = dy if dy.ndim == 2 else as_matrix(cx, dy), dense.grads
        db_out = grads.out("biases")
        dz, db = activation_bias_backward(cx.be, kept, rows, activation, db_out)
        if dense.learns:
            grads["biases"] = db
        dx = product_backward(dense, operands, dz)
        return dx if dy.ndim == 2 else as_before(cx, dx, dy.shape)


class WholeDenseActivation(DenseActivation):
    """The same, where one kernel computes the product as well."""

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``activation(X W + b)``; residuals are operands and activation's."""
        parts = cx.children
        params, activation = parts["dense"].params, parts["activation"].unit
        w, rows = params["weights"], x if x.ndim == 2 else as_matrix(cx, x)
        y, kept = dense_activation(cx.be, rows, w, params["biases"], activation)
        return y if rows is x else as_before(cx, y, x.shape), ((rows, w), kept)


class ElementwiseActivation(Layer):
    """An elementwise activation not after a `Dense`, by one kernel per direction."""

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return what the activation does."""
        return activation_forward(cx.be, x, cx["activation"].unit)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Return what the activation does."""
        return activation_backward(cx.be, residuals, dy, cx["activation"].unit)


@portable
def bias_activation(
    be: Backend, z: Array, biases: Array, activation: Layer
) -> tuple[Array, Any]:
    """Return ``activation(z + biases)`` and residuals; `z` may be overwritten.

    `z` has shape (n, k), the biases have shape (1, k).
    """
    z += biases
    return Context(activation, be).fwd(z)


@portable
def dense_activation(
    be: Backend, x: Array, w: Array, biases: Array, activation: Layer
) -> tuple[Array, Any]:
    """Return ``activation(x w + biases)`` and residuals.

    `x` has shape (n, j), `w` has shape (j, k), and the biases have shape (1, k).
    """
    return bias_activation(be, be.matmul(x, w), biases, activation)


@portable
def activation_bias_backward(
    be: Backend,
    residuals: Any,
    dy: Array,
    activation: Layer,
    db_out: Array | None = None,
) -> tuple[Array, Array]:
    """Return the gradients of ``z`` and of the biases, of shape (1, k).

    If `db_out` is given, the second is written to it, and it is returned.
    """
    dz = Context(activation, be).bwd(residuals, dy)
    db = sum_over_samples(be, dz)
    if db_out is None:
        return dz, db
    db_out[...] = db
    return dz, db_out


@portable
def activation_forward(be: Backend, x: Array, activation: Layer) -> tuple[Array, Any]:
    """Return the output of an activation, and its residuals."""
    return Context(activation, be).fwd(x)


@portable
def activation_backward(
    be: Backend, residuals: Any, dy: Array, activation: Layer
) -> Array:
    """Return the gradient of the inputs of an activation."""
    return Context(activation, be).bwd(residuals, dy)
