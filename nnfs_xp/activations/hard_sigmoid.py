"""Piecewise linear sigmoid, and the swish based on it."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class HardSigmoid(Layer):
    """Piecewise linear sigmoid, ``y = min(max(a x + b, 0), 1)``.

    The gradient is ``dx = a dy`` where ``0 < y < 1`` and 0 elsewhere. Inputs may have
    any shape; NaN stays NaN.

    Parameters
    ----------
    alpha : float, default 1/6
        The slope ``a``. PyTorch and Keras use 1/6, and ONNX uses 0.2.
    beta : float, default 0.5
        The output ``b`` at 0.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is not a finite number.

    References
    ----------
    Courbariaux, Bengio and David, "BinaryConnect", 2015, eq. 3. Howard et al.,
    "Searching for MobileNetV3", 2019, section 5.2.

    Examples
    --------
    >>> from nnfs_xp import HardSigmoid
    >>> hard = HardSigmoid(0.25, dtype="float64")
    >>> hard.forward([[-5.0, -1.0, 0.0, 5.0]])
    array([[0.  , 0.25, 0.5 , 1.  ]])
    >>> hard.backward([[1.0, 1.0, 1.0, 1.0]])
    array([[0.  , 0.25, 0.25, 0.  ]])
    """

    def __init__(self, alpha: float = 1 / 6, beta: float = 0.5, **where: Any) -> None:
        super().__init__(**where)
        self.alpha = check_number(alpha, "alpha")
        self.beta = check_number(beta, "beta")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``a x + b`` clipped to [0, 1], which shows where it was clipped."""
        y = _between_0_and_1(cx.be, self.alpha * x + self.beta)
        return y, y

    def bwd(self, cx: Context, y: Array, dy: Array) -> Array:
        """Return ``a dy`` where ``0 < y < 1``, else 0."""
        return self.alpha * cx.xp.where((y > 0) & (y < 1), dy, cx.be.zero)


@register("layer", "hard_silu")
class HardSwish(Layer):
    """Hard swish, ``y = x h(x)`` with ``h = min(max(x / 6 + 1/2, 0), 1)``.

    The function replaces the curve of `SiLU` with a parabola. The gradient is
    ``dx = dy (h + x / 6)`` where ``0 < h < 1``, else ``dx = h dy``. Inputs may have any
    shape; NaN stays NaN, and minus infinity gives the limit, 0.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Howard et al., "Searching for MobileNetV3", 2019, section 5.2.

    Examples
    --------
    >>> from nnfs_xp import HardSwish
    >>> hard = HardSwish(dtype="float64")
    >>> hard.forward([[-5.0, -1.5, 0.0, 5.0]])
    array([[-0.   , -0.375,  0.   ,  5.   ]])
    >>> hard.backward([[1.0, 1.0, 1.0, 1.0]])
    array([[0. , 0. , 0.5, 1. ]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return ``x h(x)``; residuals are x and h."""
        # Below -3 nothing changes, and infinity times 0 would be NaN.
        x = cx.xp.maximum(x, cx.be.constant(-3.0))
        h = _between_0_and_1(cx.be, x / 6.0 + 0.5)
        return x * h, (x, h)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return ``dy (h + x / 6)`` on the parabola, else ``h dy``."""
        x, h = residuals
        slope = cx.xp.where((h > 0) & (h < 1), x / 6.0, cx.be.zero)
        slope += h
        return slope * dy


def _between_0_and_1(be: Backend, x: Array) -> Array:
    return be.xp.minimum(be.xp.maximum(x, be.zero), be.constant(1.0))
