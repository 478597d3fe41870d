"""Rectified linear unit with a threshold."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class ThresholdedReLU(Layer):
    """Rectified linear unit with a threshold, ``y = x`` where ``x > t``, else ``v``.

    The gradient is ``dx = dy`` where ``x > t`` and 0 elsewhere, including at ``x = t``.
    Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    threshold : float, default 1.0
        The threshold ``t``.
    value : float, default 0.0
        The output ``v`` for inputs up to the threshold, as in PyTorch's ``Threshold``.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is not a finite number.

    References
    ----------
    Konda, Memisevic and Krueger, "Zero-bias autoencoders and the benefits of
    co-adapting features", 2014.

    Examples
    --------
    >>> from nnfs_xp import ThresholdedReLU
    >>> relu = ThresholdedReLU(dtype="float64")
    >>> relu.forward([[-1.0, 0.5, 1.0, 2.0]])
    array([[0., 0., 0., 2.]])
    >>> relu.backward([[5.0, 5.0, 5.0, 5.0]])
    array([[0., 0., 0., 5.]])
    """

    def __init__(
        self, threshold: float = 1.0, value: float = 0.0, **where: Any
    ) -> None:
        super().__init__(**where)
        self.threshold = check_number(threshold, "threshold")
        self.value = check_number(value, "value")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return x where it is above the threshold; the residual masks the rest."""
        below = x <= self.threshold
        return cx.xp.where(below, cx.be.constant(self.value), x), below

    def bwd(self, cx: Context, below: Array, dy: Array) -> Array:
        """Return ``dy`` above the threshold, else 0."""
        return cx.xp.where(below, cx.be.zero, dy)
