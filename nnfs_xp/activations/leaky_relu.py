"""Leaky rectified linear unit."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class LeakyReLU(Layer):
    """Leaky rectified linear unit, ``y = x`` where ``x > 0``, else ``a x``.

    The gradient is ``dx = dy`` where ``x > 0`` and ``a dy`` elsewhere, including at 0.
    Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    negative_slope : float, default 0.01
        The slope ``a`` for negative inputs, any finite number.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If `negative_slope` is not a finite number.

    References
    ----------
    Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network
    acoustic models", 2013.

    Examples
    --------
    >>> from nnfs_xp import LeakyReLU
    >>> leaky = LeakyReLU(0.1, dtype="float64")
    >>> leaky.forward([[-1.0, 0.0, 2.0]])
    array([[-0.1,  0. ,  2. ]])
    >>> leaky.backward([[5.0, 5.0, 5.0]])
    array([[0.5, 0.5, 5. ]])
    """

    def __init__(self, negative_slope: float = 0.01, **where: Any) -> None:
        super().__init__(**where)
        self.negative_slope = check_number(negative_slope, "negative_slope")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``x`` or ``a x``, and the inputs."""
        # The output is the larger of `x` and `a x` if `a` is at most 1, and the smaller
        # of the two otherwise.
        choose = cx.xp.maximum if self.negative_slope <= 1 else cx.xp.minimum
        # Infinity times 0 would be NaN.
        line = self.negative_slope * x if self.negative_slope else cx.be.zero
        return choose(x, line), x

    def bwd(self, cx: Context, x: Array, dy: Array) -> Array:
        """Return ``dy`` where ``x > 0``, else ``a dy``."""
        dx = slope_at(cx.be, x, self.negative_slope)
        dx *= dy
        return dx


def slope_at(be: Backend, x: Array, left: float) -> Array:
    """Return 1 where ``x > 0``, else `left`."""
    # Arithmetic on a mask: on NumPy a random `where` takes several times as long.
    right = be.xp.astype(x > 0, x.dtype)
    slope = 1.0 - right
    slope *= left
    slope += right
    return slope
