"""Continuously differentiable exponential linear unit."""

from __future__ import annotations

from typing import Any

from nnfs_xp.activations.elu import elu_left
from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class CELU(Layer):
    """Smooth exponential linear unit, ``max(x, 0) + min(a (exp(x/a) - 1), 0)``.

    The gradient is ``dx = dy`` where ``x > 0`` and ``dy exp(x/a)`` elsewhere. At 0, the
    derivative is 1 for every ``a``, whereas the derivative of `ELU` has a step there.
    Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    alpha : float, default 1.0
        The constant ``a``, above 0; as x decreases, y tends to ``-a``.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If `alpha` is not a finite number above 0.

    References
    ----------
    Barron, "Continuously differentiable exponential linear units", 2017.

    Examples
    --------
    >>> from nnfs_xp import CELU
    >>> celu = CELU(2.0, dtype="float64")
    >>> celu.forward([[-1000.0, -1.0, 0.0, 2.0]]).round(4)
    array([[-2.    , -0.7869,  0.    ,  2.    ]])
    >>> celu.backward([[1.0, 1.0, 1.0, 1.0]]).round(4)
    array([[0.    , 0.6065, 1.    , 1.    ]])
    """

    def __init__(self, alpha: float = 1.0, **where: Any) -> None:
        super().__init__(**where)
        self.alpha = check_positive(alpha, "alpha")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``max(x, 0)`` plus the part for negative x, which is the residual."""
        # For positive x the part is 0; ``x / a`` may be infinite there.
        left = elu_left(cx.be, cx.xp.minimum(x, cx.be.zero) / self.alpha, self.alpha)
        return cx.xp.maximum(x, cx.be.zero) + left, left

    def bwd(self, cx: Context, left: Array, dy: Array) -> Array:
        """Return ``dy`` where ``x > 0``, else ``dy exp(x/a)``."""
        dx = left / self.alpha
        dx += 1.0
        dx *= dy
        return dx
