"""Exponential linear unit."""

from __future__ import annotations

from typing import Any

from nnfs_xp.activations.leaky_relu import slope_at
from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class ELU(Layer):
    """Exponential linear unit, ``y = x`` where ``x > 0``, else ``a (exp(x) - 1)``.

    The gradient is ``dx = dy`` where ``x > 0`` and ``dy a exp(x) = dy (y + a)``
    elsewhere, including at 0. Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    alpha : float, default 1.0
        The constant ``a``, any finite number; as x decreases, y tends to ``-a``. The
        gradient has a step at 0 unless ``a`` is 1.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If `alpha` is not a finite number.

    References
    ----------
    Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network
    learning by exponential linear units (ELUs)", 2016, eq. 15.

    Examples
    --------
    >>> from nnfs_xp import ELU
    >>> elu = ELU(dtype="float64")
    >>> elu.forward([[-1000.0, -1.0, 0.0, 2.0]]).round(4)
    array([[-1.    , -0.6321,  0.    ,  2.    ]])
    >>> elu.backward([[1.0, 1.0, 1.0, 1.0]]).round(4)
    array([[0.    , 0.3679, 1.    , 1.    ]])
    """

    def __init__(self, alpha: float = 1.0, **where: Any) -> None:
        super().__init__(**where)
        self.alpha = check_number(alpha, "alpha")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return ``max(x, 0)`` plus the part below 0; residuals are x and that part."""
        left = elu_left(cx.be, x, self.alpha)
        return cx.xp.maximum(x, cx.be.zero) + left, (x, left)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return ``dy`` where ``x > 0``, else ``dy (y + a)``."""
        x, left = residuals
        dx = slope_at(cx.be, x, self.alpha)
        dx += left
        dx *= dy
        return dx


@portable
def elu_left(be: Backend, x: Array, alpha: float) -> Array:
    """Return ``alpha (exp(x) - 1)`` for negative x, else 0."""
    return alpha * be.xp.expm1(be.xp.minimum(x, be.zero))
