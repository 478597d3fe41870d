"""Softplus: a smooth rectifier."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid, softplus


@register("layer")
class Softplus(Layer):
    """Softplus, ``y = log(1 + exp(x))``.

    The function is computed as ``max(x, 0) + log(1 + exp(-|x|))``, in which no
    exponential overflows, even above 20, where PyTorch switches to ``y = x``. The
    gradient is ``dx = dy / (1 + exp(-x))``. Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Dugas, Bengio, Belisle, Nadeau and Garcia, "Incorporating second-order
    functional knowledge for better option pricing", NIPS 2000.

    Examples
    --------
    >>> from nnfs_xp import Softplus
    >>> softplus = Softplus(dtype="float64")
    >>> softplus.forward([[-1000.0, 0.0, 100.0]]).round(4)
    array([[  0.    ,   0.6931, 100.    ]])
    >>> softplus.backward([[1.0, 1.0, 1.0]])
    array([[0. , 0.5, 1. ]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``log(1 + exp(x))``, and the inputs."""
        return softplus(cx.be, x), x

    def bwd(self, cx: Context, x: Array, dy: Array) -> Array:
        """Return ``dy / (1 + exp(-x))``."""
        dx = sigmoid(cx.be, x)
        dx *= dy
        return dx
