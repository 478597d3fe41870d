"""Mish: a smooth rectifier that dips below 0."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid, softplus

# From here on, t is 0 or 1 in both precisions. Infinity times 0 would be NaN.
_FAR = 1000.0


@register("layer")
class Mish(Layer):
    """Mish, ``y = x t(x)`` with ``t = tanh(log(1 + exp(x)))``.

    The gradient is ``dx = dy (t + x (1 - t^2) / (1 + exp(-x)))``. Inputs may have any
    shape; NaN stays NaN, and minus infinity gives the limit, 0.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Misra, "Mish: A self regularized non-monotonic activation function", 2019.

    Examples
    --------
    >>> from nnfs_xp import Mish
    >>> mish = Mish(dtype="float64")
    >>> mish.forward([[-1.0, 0.0, 2.0]]).round(4)
    array([[-0.3034,  0.    ,  1.944 ]])
    >>> mish.backward([[1.0, 1.0, 1.0]]).round(4)
    array([[0.0592, 0.6   , 1.0693]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return ``x t(x)``; residuals are the clipped x, and t."""
        t = cx.xp.tanh(softplus(cx.be, x))
        x = cx.xp.maximum(x, cx.be.constant(-_FAR))
        return x * t, (cx.xp.minimum(x, cx.be.constant(_FAR)), t)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return ``dy (t + x (1 - t^2) s(x))`` with the sigmoid s."""
        x, t = residuals
        dx = 1.0 - t * t
        dx *= x
        dx *= sigmoid(cx.be, x)
        dx += t
        dx *= dy
        return dx
