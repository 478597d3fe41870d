"""The products of a dense layer, forward and backward, and its sums."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend, Operand
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Params


def product(be: Backend, params: Params, x: Array) -> tuple[Array, Any]:
    """Return ``X W``, and its two operands, rounded as the backend does it."""
    x, w = be.operand(x), be.operand(params["weights"])
    return be.matmul(x, w), (x, w)


def product_backward(
    be: Backend,
    params: Params,
    operands: Any,
    dz: Array,
    out: Array | None = None,
    inputs_too: bool = True,
) -> tuple[Array | None, Array]:
    """Return ``dX``, None if it is not asked for, and ``dW``, which goes to `out`."""
    x, w = operands
    dz = be.operand(dz)
    dw = be.matmul(x.T, dz, out)
    if not inputs_too:
        return None, dw
    # Where nothing was rounded, the weights are those of now.
    w = w if isinstance(w, Operand) else params["weights"]
    return be.matmul(dz, w.T), dw


@portable
def sum_over_samples(be: Backend, dy: Array) -> Array:
    """Return the sum over the first axis, which is kept with length 1."""
    return be.xp.sum(dy, axis=0, keepdims=True)
