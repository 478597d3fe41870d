"""Gaussian error linear unit."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register
from nnfs_xp.special import erfcx, sigmoid

# From here on, normal density and approximate distribution are 0 or 1 in both
# precisions. Infinity times 0 would be NaN.
_FAR = 40.0


@register("layer")
class GELU(Layer):
    """Gaussian error linear unit, ``y = x P(x)``.

    ``P`` is the cumulative distribution function of the standard normal distribution,
    and ``p`` is its density::

        P(x) = erfc(-x / sqrt(2)) / 2        p(x) = exp(-x^2 / 2) / sqrt(2 pi)
        dx = dy (P(x) + x p(x))

    The approximation replaces P with a sigmoid of a cubic polynomial, which can also be
    written with a hyperbolic tangent::

        P(x) = 1 / (1 + exp(-2 u)) = (1 + tanh(u)) / 2
        u = sqrt(2 / pi) (x + 0.044715 x^3)

    The result differs from the exact y by up to 0.0005. Inputs may have any shape; NaN
    stays NaN, and minus infinity gives the limit, 0.

    Parameters
    ----------
    approximate : {"none", "tanh"}, default "none"
        Whether to use the exact P (``"none"``) or the approximation (``"tanh"``), which
        takes about two thirds of the time.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If `approximate` is neither of these.

    References
    ----------
    Hendrycks and Gimpel, "Gaussian error linear units (GELUs)", 2016.

    Examples
    --------
    >>> from nnfs_xp import GELU
    >>> gelu = GELU(dtype="float64")
    >>> gelu.forward([[-1.0, 0.0, 2.0]]).round(4)
    array([[-0.1587,  0.    ,  1.9545]])
    >>> gelu.backward([[1.0, 1.0, 1.0]]).round(4)
    array([[-0.0833,  0.5   ,  1.0852]])
    >>> GELU("tanh", dtype="float64").forward([[-1.0, 0.0, 2.0]]).round(4)
    array([[-0.1588,  0.    ,  1.9546]])
    """

    def __init__(self, approximate: str = "none", **where: Any) -> None:
        super().__init__(**where)
        self.approximate = check_choice(approximate, "approximate", ("none", "tanh"))

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``x P(x)``, and the residuals for the gradient of P."""
        return (gelu_exact if self.approximate == "none" else gelu_tanh)(cx.be, x)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Return ``dy (P(x) + x P'(x))``."""
        exact = self.approximate == "none"
        dx = (gelu_exact_slope if exact else gelu_tanh_slope)(cx.be, *residuals)
        dx *= dy
        return dx


def gelu_exact(be: Backend, x: Array) -> tuple[Array, tuple[Array, ...]]:
    """Return ``max(x, 0) - a P(-a)`` with ``a = |x|``, and its parts."""
    xp = be.xp
    a = xp.minimum(xp.abs(x), be.constant(_FAR))
    bell = xp.exp(-0.5 * a * a)
    tail = erfcx(be, a * math.sqrt(0.5))
    tail *= 0.5 * bell
    y = xp.maximum(x, be.zero)
    y -= a * tail
    return y, (x, a, bell, tail)


def gelu_exact_slope(
    be: Backend, x: Array, a: Array, bell: Array, tail: Array
) -> Array:
    """Return ``P(x) + x p(x)``: at -a the tail less ``a p(a)``, at a 1 less that."""
    left = tail - math.sqrt(0.5 / math.pi) * a * bell
    slope = 1.0 - 2.0 * left
    slope *= be.xp.astype(x > 0, x.dtype)
    slope += left
    return slope


def gelu_tanh(be: Backend, x: Array) -> tuple[Array, tuple[Array, ...]]:
    """Return ``x sigmoid(2 u)``; residuals are x, within bounds, and the sigmoid."""
    xp = be.xp
    x = xp.maximum(x, be.constant(-_FAR))
    near = xp.minimum(x, be.constant(_FAR))
    s = sigmoid(be, math.sqrt(8.0 / math.pi) * near * (1.0 + 0.044715 * near * near))
    return x * s, (near, s)


def gelu_tanh_slope(be: Backend, x: Array, s: Array) -> Array:
    """Return ``s + x s (1 - s) 2 u'``."""
    slope = math.sqrt(8.0 / math.pi) * (1.0 + 3 * 0.044715 * x * x)
    slope *= x
    slope *= 1.0 - s
    slope += 1.0
    slope *= s
    return slope
