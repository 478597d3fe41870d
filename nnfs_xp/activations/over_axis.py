"""The base of activations that compute along an axis."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_integer
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape


class OverAxis(Layer):
    """Base of activations that compute along an axis, by default the last.

    Parameters
    ----------
    axis : int, default -1
        The axis; axis 0, the sample axis, is not allowed.
    backend, device, dtype : optional
        See `Layer`.
    """

    def __init__(self, *, axis: int = -1, **where: Any) -> None:
        super().__init__(**where)
        self.axis = check_integer(axis, "axis")
        if self.axis == 0:
            raise InputError("axis must not be the sample axis, got 0")

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the same shape, if it has the axis and this is not the sample axis."""
        ndim = 0 if shape is None else len(shape) + 1
        if ndim > 1 and not (-ndim < self.axis < ndim):
            raise InputError(
                f"layers: axis of {self!r} must exist in samples of shape {shape}"
            )
        return shape
