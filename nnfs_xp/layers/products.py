"""The products of a dense layer, forward and backward, and its sums."""

from __future__ import annotations

import contextlib
from typing import Any

from nnfs_xp.backends import Array, Backend, Operand
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable


def product(cx: Context, x: Array) -> tuple[Array, Any]:
    """Return ``X W`` and its two operands, rounded as the backend requires."""
    be, w = cx.be, cx.params["weights"]
    if be.matmul_precision != "full":
        x, w = be.operand(x), be.operand(w)
    return be.matmul(x, w), (x, w)


def product_backward(cx: Context, operands: Any, dz: Array) -> Array | None:
    """Write ``dW`` if it is trained, and return ``dX`` if it is needed."""
    be, (x, w) = cx.be, operands
    if be.matmul_precision != "full":
        dz = be.operand(dz)
    if cx.learns:
        grads = cx.grads
        with grads.beside(x, dz) if cx.needs_dx else contextlib.nullcontext():
            dw = be.matmul_over_rows(x, dz, grads.out("weights"))
        grads["weights"] = dw
    if not cx.needs_dx:
        return None
    # If nothing was rounded, the current weights are used.
    w = w if isinstance(w, Operand) else cx.params["weights"]
    return be.matmul(dz, w.T)


def as_matrix(cx: Context, x: Array) -> Array:
    """Return an array as a matrix, with all axes but the last merged."""
    return cx.xp.reshape(x, (-1, x.shape[-1]))


def as_before(cx: Context, y: Array | None, like: tuple[int, ...]) -> Array | None:
    """Return a matrix with the first axes of a shape restored."""
    return None if y is None else cx.xp.reshape(y, (*like[:-1], y.shape[-1]))


@portable
def sum_over_samples(be: Backend, dy: Array) -> Array:
    """Return the sum over the first axis, which is kept with length 1."""
    return be.xp.sum(dy, axis=0, keepdims=True)
