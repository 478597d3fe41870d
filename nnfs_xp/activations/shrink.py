"""Shrinkage: small inputs become 0, and large ones become smaller."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number, check_rate
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register
from nnfs_xp.special import sign


@register("layer")
class Shrink(Layer):
    """Shrinkage, ``y = x - b sign(x)`` where ``|x| > t``, else 0.

    The gradient is ``dx = dy`` where ``|x| > t`` and 0 elsewhere. With ``b = 0``, this
    is PyTorch's ``Hardshrink``, and with ``b = t``, its ``Softshrink``. Inputs may have
    any shape; NaN stays NaN.

    Parameters
    ----------
    threshold : float, default 0.5
        The threshold ``t``, 0 or more.
    bias : float, default 0.0
        The amount ``b`` by which inputs of larger magnitude are shrunk.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If `threshold` is not a finite number of 0 or more, or `bias` is not a finite
        number.

    References
    ----------
    Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika
    81 (1994). ONNX, operator "Shrink", version 9.

    Examples
    --------
    >>> from nnfs_xp import Shrink
    >>> x = [[-2.0, -0.5, 0.25, 1.0]]
    >>> Shrink(dtype="float64").forward(x)
    array([[-2.,  0.,  0.,  1.]])
    >>> Shrink(0.5, 0.5, dtype="float64").forward(x)
    array([[-1.5,  0. ,  0. ,  0.5]])
    """

    def __init__(self, threshold: float = 0.5, bias: float = 0.0, **where: Any) -> None:
        super().__init__(**where)
        self.threshold = check_rate(threshold, "threshold")
        self.bias = check_number(bias, "bias")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return x minus its bias where it is large; the residual masks the rest."""
        small = cx.xp.abs(x) <= self.threshold
        y = x - self.bias * sign(cx.be, x) if self.bias else x
        return cx.xp.where(small, cx.be.zero, y), small

    def bwd(self, cx: Context, small: Array, dy: Array) -> Array:
        """Return ``dy`` where the input is large, else 0."""
        return cx.xp.where(small, cx.be.zero, dy)
