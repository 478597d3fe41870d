"""Images made larger by repeating their values."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.windows import check_lengths, check_picture, check_room
from nnfs_xp.registry import register

Shape = tuple[int, ...]
Lengths = int | tuple[int, ...]


@register("layer")
class UpSampling2D(Layer):
    """Upsample images by repeating every pixel along height and width.

    The gradient of a value is the sum of the gradients of its copies. With a size of
    (a, b), inputs of shape ``(n, h, w, c)`` become ``(n, h a, w b, c)``.

    Parameters
    ----------
    size : int or pair of int, default 2
        How many times each value is repeated along height and width.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If a length is not a positive integer, or inputs are not of shape (n, height,
        width, channels).

    References
    ----------
    Keras has a layer of this name. In PyTorch, it is ``Upsample`` with
    ``mode="nearest"``.

    Examples
    --------
    >>> from nnfs_xp import UpSampling2D
    >>> layer = UpSampling2D((1, 2), dtype="float64")
    >>> layer.forward([[[[1], [2]]]])[..., 0]
    array([[[1., 1., 2., 2.]]])
    >>> layer.backward([[[[1], [10], [5], [50]]]])[..., 0]
    array([[[11., 55.]]])
    """

    def __init__(self, size: Lengths = 2, **where: Any) -> None:
        super().__init__(**where)
        self.size = check_lengths(size, "size", 2)

    @property
    def _times(self) -> Shape:
        return self.size if isinstance(self.size, tuple) else (self.size,) * 2

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Shape]:
        """Return the repeated values, and the shape of the inputs."""
        (n, h, w, c), (a, b), xp = x.shape, self._times, cx.xp
        each = xp.reshape(x, (n, h, 1, w, 1, c))
        copies = xp.broadcast_to(each, (n, h, a, w, b, c))
        return xp.reshape(copies, (n, h * a, w * b, c)), tuple(x.shape)

    def bwd(self, cx: Context, shape: Shape, dy: Array) -> Array:
        """Return the sum over the copies of each value."""
        (n, h, w, c), (a, b), xp = shape, self._times, cx.xp
        return xp.sum(xp.reshape(dy, (n, h, a, w, b, c)), axis=(2, 4))

    def output_shape(self, shape: Shape | None) -> Shape | None:
        """Return the shape with height and width multiplied."""
        if shape is None:
            return None
        check_picture(self, shape)
        (h, w, c), (a, b) = shape, self._times
        return check_room(self, (h * a, w * b, c))
