"""Logarithm of the sigmoid: any number becomes a log-probability."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register
from nnfs_xp.special import sigmoid, softplus


@register("layer")
class LogSigmoid(Layer):
    """Logarithm of the sigmoid, ``y = -log(1 + exp(-x))``.

    The gradient is ``dx = dy / (1 + exp(x))``. The computation never overflows or takes
    the logarithm of 0. Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    Examples
    --------
    >>> from nnfs_xp import LogSigmoid
    >>> log_sigmoid = LogSigmoid(dtype="float64")
    >>> log_sigmoid.forward([[-1000.0, 0.0, 1.0]]).round(4)
    array([[-1.000e+03, -6.931e-01, -3.133e-01]])
    >>> log_sigmoid.backward([[1.0, 1.0, 1.0]]).round(4)
    array([[1.    , 0.5   , 0.2689]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``-log(1 + exp(-x))``, and the inputs."""
        return -softplus(cx.be, -x), x

    def bwd(self, cx: Context, x: Array, dy: Array) -> Array:
        """Return ``dy / (1 + exp(x))``."""
        dx = sigmoid(cx.be, -x)
        dx *= dy
        return dx
