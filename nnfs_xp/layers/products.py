"""The matrix products of a dense layer, without its biases."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend, Operand


def product(be: Backend, x: Array, weights: Array) -> tuple[Array, Any]:
    """Return ``X W``, and its operands."""
    operands = be.operand(x), be.operand(weights)
    return be.matmul(*operands), operands


def product_gradients(
    be: Backend, operands: Any, weights: Array, dy: Array
) -> tuple[Array, Array]:
    """Return ``dX = dY W^T`` and ``dW = X^T dY``."""
    w = operands[1]  # where nothing was rounded, weights are those of now
    w = w if isinstance(w, Operand) else weights
    rounded = be.operand(dy)
    return be.matmul(rounded, w.T), be.matmul(operands[0].T, rounded)


def weight_gradient(be: Backend, operands: Any, dy: Array) -> Array:
    """Return ``dW`` alone."""
    return be.matmul(operands[0].T, be.operand(dy))
