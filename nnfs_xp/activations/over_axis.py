"""What activations of whole rows share: the axis of a row."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_integer
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape


class OverAxis(Layer):
    """Base of activations that compute along an axis, -1 unless another is given.

    Parameters
    ----------
    axis : int, default -1
        The axis, not that of the samples, 0.
    backend, device, dtype : optional
        See `Layer`.
    """

    def __init__(self, *, axis: int = -1, **where: Any) -> None:
        super().__init__(**where)
        self.axis = check_integer(axis, "axis")
        if self.axis == 0:
            raise InputError("axis must not be that of the samples, got 0")

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the same shape, if it has the axis and that is not the samples'."""
        ndim = 0 if shape is None else len(shape) + 1
        if ndim > 1 and not (-ndim < self.axis < ndim):
            raise InputError(
                f"layers: axis of {self!r} must be one of samples of shape {shape}"
            )
        return shape
