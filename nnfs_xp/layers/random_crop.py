"""Random crops: in training, a window at a random position of each image."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_number, check_seed_or_none
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.pictures import check_picture, windows
from nnfs_xp.layers.windows import check_room
from nnfs_xp.registry import register

# Corners of windows are 32-bit integers, even with zeros on both sides.
_LONGEST = 2**29


@register("layer")
class RandomCrop(Layer):
    """Crop each image to a window, ``y[i, j] = x[i + top, j + left]``.

    In training, the corner ``(top, left)`` is drawn uniformly for each image;
    otherwise, the window is centered. With padding, the window may reach beyond the
    image, where its values are `fill_value`. The gradient of each pixel is moved back
    to its original position, ``dx[i, j] = dy[i - top, j - left]``, and is 0 for pixels
    outside the window. The corners depend only on the seed and the number of the
    training step: they are the same on every backend, and after saving and resuming.

    Parameters
    ----------
    height, width : int
        Size of the window.
    padding : int, default 0
        Number of pixels added on each side before the crop.
        ``RandomCrop(32, 32, padding=4)`` shifts images of 32 x 32 by up to four pixels.
    fill_value : float, default 0.0
        Value of the added pixels.
    seed : int, optional
        Seed of the corners; see `Dropout`.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If a size is not a positive integer, or samples are not of shape (height,
        width) or (height, width, channels) with room for the window.

    References
    ----------
    Keras has a layer of this name, without padding; that of torchvision has padding.

    Examples
    --------
    >>> from nnfs_xp import RandomCrop
    >>> crop = RandomCrop(1, 2, seed=0, dtype="float64")
    >>> rows = [[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]
    >>> crop.forward(rows)[:, 0]
    array([[1., 2.],
           [5., 6.]])
    >>> crop.backward([[[1.0, 1.0]], [[1.0, 1.0]]])[:, 0]
    array([[1., 1., 0.],
           [0., 1., 1.]])
    """

    def __init__(
        self,
        height: int,
        width: int,
        *,
        padding: int = 0,
        fill_value: float = 0.0,
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.height = check_count(height, "height", most=_LONGEST)
        self.width = check_count(width, "width", most=_LONGEST)
        self.padding = check_count(padding, "padding", 0, _LONGEST)
        self.fill_value = check_number(fill_value, "fill_value")
        self.seed = check_seed_or_none(seed)

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return the windows, and their corners with the size of the images."""
        size, n = (self.height, self.width), x.shape[0]
        room = [x.shape[1 + i] + 2 * self.padding - size[i] for i in (0, 1)]
        if cx.training:
            corners = tuple(cx.random.integers((n,), rest + 1) for rest in room)
        else:
            middle = cx.be.zeros((n,), cx.xp.int32)
            corners = tuple(middle + rest // 2 for rest in room)
        top, left = (corner - self.padding for corner in corners)
        y = windows(cx.be, x, (top, left), size, self.fill_value)
        return y, (top, left, tuple(x.shape[1:3]))

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array | None:
        """Return ``dy`` at the original positions of the pixels."""
        top, left, size = residuals
        return windows(cx.be, dy, (-top, -left), size) if cx.needs_dx else None

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the shape of a window with the channels."""
        if shape is None:
            return None
        check_picture(self, shape)
        if min(shape[0] - self.height, shape[1] - self.width) < -2 * self.padding:
            raise InputError(
                f"layers: {self!r} takes samples that fit a window of {self.height} x "
                f"{self.width}, got {shape}"
            )
        return check_room(self, (self.height, self.width, *shape[2:]))
