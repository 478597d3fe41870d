"""Sigmoid-weighted linear unit, also called swish."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid

# Minus this, or less, has a sigmoid of 0 in both precisions.
_FAR = 1000.0


@register("layer", "swish")
class SiLU(Layer):
    """Sigmoid-weighted linear unit, ``y = x s(x)``, where ``s`` is the sigmoid.

    The gradient is ``dx = dy (s + y (1 - s))``. Inputs may have any shape; NaN stays
    NaN, and minus infinity gives the limit, 0.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network
    function approximation in reinforcement learning", Neural Networks 107
    (2018). As "swish": Ramachandran, Zoph and Le, "Searching for activation
    functions", 2017.

    Examples
    --------
    >>> from nnfs_xp import SiLU
    >>> silu = SiLU(dtype="float64")
    >>> silu.forward([[-1.0, 0.0, 2.0]]).round(4)
    array([[-0.2689,  0.    ,  1.7616]])
    >>> silu.backward([[1.0, 1.0, 1.0]]).round(4)
    array([[0.0723, 0.5   , 1.0908]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return ``x s(x)``; residuals are the output and the sigmoid."""
        s = sigmoid(cx.be, x)
        # Infinity times 0 would be NaN, here and in `bwd`.
        y = cx.xp.maximum(x, cx.be.constant(-_FAR)) * s
        return y, (y, s)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return ``dy (s + y (1 - s))``."""
        y, s = residuals
        dx = 1.0 - s
        dx *= cx.xp.minimum(y, cx.be.constant(_FAR))
        dx += s
        dx *= dy
        return dx
