"""Scaled exponential linear unit."""

from __future__ import annotations

from nnfs_xp.activations.elu import elu_left
from nnfs_xp.activations.leaky_relu import slope_at
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register

_ALPHA = 1.6732632423543772848
_SCALE = 1.0507009873554804934


@register("layer")
class SELU(Layer):
    """Scaled exponential linear unit, ``y = s ELU(x, a)`` with two fixed constants.

    The constants are ``a = 1.6732632...`` and ``s = 1.0507009...``. For normally
    distributed inputs with mean 0 and variance 1, the outputs also have mean 0 and
    variance 1. The gradient is ``dx = s dy`` where ``x > 0`` and
    ``dy s a exp(x) = dy (y + s a)`` elsewhere, including at 0. Inputs may have any
    shape; NaN stays NaN.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural networks",
    2017, eq. 2 and 14.

    Examples
    --------
    >>> from nnfs_xp import SELU
    >>> selu = SELU(dtype="float64")
    >>> selu.forward([[-1000.0, -1.0, 0.0, 2.0]]).round(4)
    array([[-1.7581, -1.1113,  0.    ,  2.1014]])
    >>> selu.backward([[1.0, 1.0, 1.0, 1.0]]).round(4)
    array([[0.    , 0.6468, 1.7581, 1.0507]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return ``s`` times the ELU of `a`; residuals are x and its part below 0."""
        left = elu_left(cx.be, x, _ALPHA)
        return _SCALE * (cx.xp.maximum(x, cx.be.zero) + left), (x, left)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return ``s dy`` where ``x > 0``, else ``s dy a exp(x)``."""
        x, left = residuals
        dx = slope_at(cx.be, x, _ALPHA)
        dx += left
        dx *= _SCALE
        dx *= dy
        return dx
