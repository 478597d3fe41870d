"""Clipping of inputs to an interval."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class Clip(Layer):
    """Clip inputs to an interval, ``y = min(max(x, low), high)``.

    The gradient is ``dx = dy`` where ``low < x < high`` and 0 elsewhere, including at
    both bounds. PyTorch's ``clamp`` includes the bounds; its ``relu6`` and ``hardtanh``
    do not. Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    low, high : float, optional
        The bounds of the interval. If one is omitted, the interval is unbounded on that
        side.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If a bound is not a finite number, or `low` is above `high`.

    References
    ----------
    ONNX, operator "Clip", version 13.

    Examples
    --------
    >>> from nnfs_xp import Clip
    >>> clip = Clip(-1, 2, dtype="float64")
    >>> clip.forward([[-5.0, 0.5, 2.0, 3.0]])
    array([[-1. ,  0.5,  2. ,  2. ]])
    >>> clip.backward([[1.0, 1.0, 1.0, 1.0]])
    array([[0., 1., 0., 0.]])
    """

    def __init__(
        self, low: float | None = None, high: float | None = None, **where: Any
    ) -> None:
        super().__init__(**where)
        self.low = None if low is None else check_number(low, "low")
        self.high = None if high is None else check_number(high, "high")
        if None not in (low, high) and self.low > self.high:  # type: ignore[operator]
            raise InputError(f"low must be at most high, {high!r}, got {low!r}")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return x clipped to the interval, which also shows where it was clipped."""
        y = x
        if self.low is not None:
            y = cx.xp.maximum(y, cx.be.constant(self.low))
        if self.high is not None:
            y = cx.xp.minimum(y, cx.be.constant(self.high))
        return y, y

    def bwd(self, cx: Context, y: Array, dy: Array) -> Array:
        """Return ``dy`` inside the interval, else 0."""
        dx = dy
        if self.low is not None:
            dx = cx.xp.where(y > self.low, dx, cx.be.zero)
        if self.high is not None:
            dx = cx.xp.where(y < self.high, dx, cx.be.zero)
        return dx


@register("layer")
class ReLU6(Clip):
    """Rectified linear unit capped at 6, ``y = min(max(x, 0), 6)``.

    The gradient is ``dx = dy`` where ``0 < x < 6`` and 0 elsewhere. Inputs may have any
    shape; NaN stays NaN.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.

    Examples
    --------
    >>> from nnfs_xp import ReLU6
    >>> ReLU6(dtype="float64").forward([[-1.0, 2.0, 9.0]])
    array([[0., 2., 6.]])
    """

    def __init__(self, **where: Any) -> None:
        super().__init__(0.0, 6.0, **where)


@register("layer")
class HardTanh(Clip):
    """Piecewise linear hyperbolic tangent, ``y = min(max(x, -1), 1)``.

    The gradient is ``dx = dy`` where ``-1 < x < 1`` and 0 elsewhere. Inputs may have
    any shape; NaN stays NaN. `Clip` is the same function with other bounds.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Collobert, "Large Scale Machine Learning", 2004.

    Examples
    --------
    >>> from nnfs_xp import HardTanh
    >>> HardTanh(dtype="float64").forward([[-3.0, 0.5, 9.0]])
    array([[-1. ,  0.5,  1. ]])
    """

    def __init__(self, **where: Any) -> None:
        super().__init__(-1.0, 1.0, **where)
