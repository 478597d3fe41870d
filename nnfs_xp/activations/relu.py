"""Rectified linear unit."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class ReLU(Layer):
    """Rectified linear unit, ``y = max(x, 0)``.

    The gradient is ``dx = dy`` where ``x > 0`` and 0 elsewhere, including at 0. Inputs
    may have any shape; NaN stays NaN.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapters 4 and 9.

    Examples
    --------
    >>> from nnfs_xp import ReLU
    >>> relu = ReLU(dtype="float64")
    >>> relu.forward([[-1.0, 0.0, 2.0]])
    array([[0., 0., 2.]])
    >>> relu.backward([[5.0, 5.0, 5.0]])
    array([[0., 0., 5.]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``max(x, 0)``, which also shows where ``x > 0``."""
        y = cx.xp.maximum(x, cx.be.zero)
        return y, y

    def bwd(self, cx: Context, y: Array, dy: Array) -> Array:
        """Return ``dy`` where ``x > 0``, else 0."""
        return relu_backward(cx.be, y, dy)


@portable
def relu_backward(be: Backend, y: Array, dy: Array) -> Array:
    """Return `dy` where `y` is positive, else 0."""
    return be.xp.where(y > 0, dy, be.zero)
