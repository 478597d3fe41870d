"""Sigmoid: any number becomes a probability."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register
from nnfs_xp.special import at_least_tiny, sigmoid


@register("layer")
class Sigmoid(Layer):
    """Logistic sigmoid, ``y = 1 / (1 + exp(-x))``.

    The gradient is ``dx = dy y (1 - y)``. No exponential overflows, and results close
    to 0 are accurate. Inputs may have any shape; NaN stays NaN.

    Where y is rounded to 0 or 1, the derivative is set to 1e-31 in float32 and 1e-292
    in float64. `BinaryCrossEntropy` divides by the same number, so the gradient of a
    confident mistake is exact after passing through both.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 16.

    Examples
    --------
    >>> from nnfs_xp import Sigmoid
    >>> sigmoid = Sigmoid(dtype="float64")
    >>> sigmoid.forward([[-1000.0, 0.0, 1000.0]])
    array([[0. , 0.5, 1. ]])
    >>> sigmoid.backward([[1.0, 1.0, 1.0]]).round(4)
    array([[0.  , 0.25, 0.  ]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``1 / (1 + exp(-x))``, which is also the residual."""
        y = sigmoid(cx.be, x)
        return y, y

    def bwd(self, cx: Context, y: Array, dy: Array) -> Array:
        """Return ``dy y (1 - y)``, where no slope is below a tiny number."""
        dx = 1.0 - y
        dx *= y
        dx = at_least_tiny(cx.be, dx)
        dx *= dy
        return dx
