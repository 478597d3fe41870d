"""Zeros around images."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.windows import (
    check_lengths,
    check_picture,
    check_room,
    inside,
    padded,
)
from nnfs_xp.registry import register

Shape = tuple[int, ...]


@register("layer")
class ZeroPadding2D(Layer):
    """Pad images with zeros.

    The gradient is ``dx = dy`` without the entries of the padding.

    Parameters
    ----------
    padding : int, pair of int, or pair of pairs of int, default 1
        Number of zeros on every side; or one number for the height (above and below)
        and one for the width (left and right); or ``((above, below), (left, right))``.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If a width is not an integer of 0 or more, or inputs are not of shape (n,
        height, width, channels).

    References
    ----------
    Keras has a layer of this name with the same argument. PyTorch's ``ZeroPad2d``
    names left and right first.

    Examples
    --------
    >>> from nnfs_xp import ZeroPadding2D
    >>> layer = ZeroPadding2D(((1, 0), (0, 2)), dtype="float64")
    >>> layer.forward([[[[1], [2]]]])[..., 0]
    array([[[0., 0., 0., 0.],
            [1., 2., 0., 0.]]])
    """

    def __init__(self, padding: Any = 1, **where: Any) -> None:
        super().__init__(**where)
        self.padding = _check_sides(padding)

    @property
    def _pads(self) -> tuple[tuple[int, int], ...]:
        both = self.padding if isinstance(self.padding, tuple) else (self.padding,) * 2
        return tuple(one if isinstance(one, tuple) else (one, one) for one in both)

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Shape]:
        """Return the padded images, and the lengths of the given ones."""
        return padded(cx.be, x, self._pads), tuple(x.shape[1:3])

    def bwd(self, cx: Context, lengths: Shape, dy: Array) -> Array:
        """Return the part of the gradient inside the zeros."""
        return dy[inside(self._pads, lengths)]

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape with the zeros."""
        if shape is None:
            return None
        check_picture(self, shape)
        (h, w, c), (rows, columns) = shape, self._pads
        return check_room(self, (h + sum(rows), w + sum(columns), c))


def _check_sides(value: Any) -> Any:
    """Return a width for all sides, or one or two for each axis."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return check_lengths(value, "padding", 2, least=0)
    if not any(isinstance(one, (list, tuple)) for one in value):
        return check_lengths(value, "padding", 2, least=0)
    pairs = [one if isinstance(one, (list, tuple)) else (one, one) for one in value]
    return tuple(check_lengths(pair, "padding", 2, least=0) for pair in pairs)
