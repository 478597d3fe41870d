"""The mean over whole images."""

from __future__ import annotations

import math

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.windows import check_picture
from nnfs_xp.registry import register


@register("layer")
class GlobalAveragePool2D(Layer):
    """Global average pooling of images: (n, h, w, c) becomes (n, c).

    The output is the mean of every channel over the whole image. The gradient is
    ``dx = dy / (h w)`` for every pixel.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If inputs are not of shape (n, height, width, channels).

    References
    ----------
    Lin, Chen and Yan, "Network In Network", 2014, section 3.2.

    Examples
    --------
    >>> from nnfs_xp import GlobalAveragePool2D
    >>> layer = GlobalAveragePool2D(dtype="float64")
    >>> layer.forward([[[[1, 10], [3, 20]]]])
    array([[ 2., 15.]])
    >>> layer.backward([[4, 8]])
    array([[[[2., 4.],
             [2., 4.]]]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[int, int]]:
        """Return the means, and height and width."""
        return cx.xp.mean(x, axis=(1, 2)), tuple(x.shape[1:3])

    def bwd(self, cx: Context, lengths: tuple[int, int], dy: Array) -> Array:
        """Return the gradient that each value receives."""
        n, channels = dy.shape
        share = cx.be.full((1, *lengths, 1), 1.0 / math.prod(lengths))
        return share * cx.xp.reshape(dy, (n, 1, 1, channels))

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the number of channels."""
        if shape is None:
            return None
        check_picture(self, shape)
        return shape[-1:]
