"""Hyperbolic tangent."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class Tanh(Layer):
    """Hyperbolic tangent, ``y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))``.

    The gradient is ``dx = dy (1 - y^2)``. Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    LeCun, Bottou, Orr and Mueller, "Efficient BackProp", 1998, section 4.4.

    Examples
    --------
    >>> from nnfs_xp import Tanh
    >>> tanh = Tanh(dtype="float64")
    >>> tanh.forward([[-1000.0, 0.0, 0.5]]).round(4)
    array([[-1.    ,  0.    ,  0.4621]])
    >>> tanh.backward([[1.0, 1.0, 1.0]]).round(4)
    array([[0.    , 1.    , 0.7864]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``tanh(x)``, which is also the residual."""
        y = cx.xp.tanh(x)
        return y, y

    def bwd(self, cx: Context, y: Array, dy: Array) -> Array:
        """Return ``dy (1 - y^2)``."""
        dx = 1.0 - y * y
        dx *= dy
        return dx
