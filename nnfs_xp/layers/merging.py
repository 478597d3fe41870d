"""Layers that merge several inputs: by adding or by concatenating them."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_integer
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape
from nnfs_xp.layers.parallel import is_several
from nnfs_xp.registry import register


@register("layer")
class Add(Layer):
    """Sum of several inputs of the same shape, ``y = x_1 + x_2 + ...``.

    The gradient of each input is ``dy``.

    Raises
    ------
    InputError
        If the inputs have different shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import Add
    >>> Add().forward((np.ones((1, 2)), np.full((1, 2), 3.0)))
    array([[4., 4.]])
    """

    # Any number of inputs.
    integer_inputs = ()

    def fwd(self, cx: Context, x: tuple[Array, ...]) -> tuple[Array, int]:
        """Return the sum, and the number of inputs."""
        total = x[0]
        for array in x[1:]:
            total = total + array
        return total, len(x)

    def bwd(self, cx: Context, count: int, dy: Array) -> tuple[Array, ...]:
        """Return ``dy`` for each input."""
        return (dy,) * count

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape that all inputs have."""
        known = {s for s in shapes_of(self, shape) if s is not None}
        if len(known) > 1:
            raise InputError(
                f"layers: {self!r} needs inputs of the same shape, got {shape}"
            )
        return known.pop() if known else None


@register("layer")
class Concatenate(Layer):
    """Concatenate several inputs along an axis.

    The gradient is split into parts with the lengths of the inputs.

    Parameters
    ----------
    axis : int, default -1
        The axis; axis 0, the sample axis, is not allowed.

    Raises
    ------
    InputError
        If the axis is not an integer or is 0, or the inputs differ along another axis.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import Concatenate
    >>> Concatenate().forward((np.ones((1, 2)), np.zeros((1, 1))))
    array([[1., 1., 0.]])
    """

    integer_inputs = ()

    def __init__(self, axis: int = -1, **where: Any) -> None:
        super().__init__(**where)
        self.axis = check_integer(axis, "axis")
        if self.axis == 0:
            raise InputError("axis must not be the sample axis, got 0")

    def fwd(self, cx: Context, x: tuple[Array, ...]) -> tuple[Array, list[int]]:
        """Return all inputs in one array, and their lengths."""
        lengths = [array.shape[self.axis] for array in x]
        return cx.xp.concat(list(x), axis=self.axis), lengths

    def bwd(self, cx: Context, lengths: list[int], dy: Array) -> tuple[Array, ...]:
        """Return the part of ``dy`` that belongs to each input."""
        axis, parts, start = self.axis % dy.ndim, [], 0
        for length in lengths:
            part = (slice(None),) * axis + (slice(start, start + length), ...)
            parts.append(dy[part])
            start += length
        return tuple(parts)

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape with the lengths along the axis added up."""
        shapes = shapes_of(self, shape)
        if not shapes or None in shapes:
            return None
        ndim = len(shapes[0]) + 1
        if any(len(own) + 1 != ndim for own in shapes) or not -ndim < self.axis < ndim:
            raise InputError(f"layers: {self!r} cannot join samples of shapes {shapes}")
        # Shapes of samples lack the first axis.
        axis = self.axis % ndim - 1
        others = {own[:axis] + own[axis + 1 :] for own in shapes}
        if axis < 0 or len(others) > 1:
            raise InputError(f"layers: {self!r} cannot join samples of shapes {shapes}")
        total = sum(own[axis] for own in shapes)
        return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])


def shapes_of(layer: Layer, shape: Any) -> tuple[Any, ...]:
    """Return the shapes of several inputs, or none if they are not known.

    Raises
    ------
    InputError
        If there is only one input.
    """
    if shape is None:
        return ()
    if not is_several(shape):
        raise InputError(
            f"layers: {layer!r} needs several inputs, such as those of Parallel, got "
            f"one of shape {shape}"
        )
    return shape
