"""Pooling of images by the mean of each window."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable
from nnfs_xp.layers.pooling import _Pool2D
from nnfs_xp.layers.windows import Windows, inside, padded
from nnfs_xp.registry import register


@register("layer")
class AveragePool2D(_Pool2D):
    """Average pooling of images: the mean of each window, per channel.

    The gradient of each output is distributed equally among the N values of its window.
    Let ``p`` be a position of the window and ``t`` an offset within it::

        y[p] = sum over t of x[p + t] / N
        dx[p + t] += dy[p] / N  for each p and t

    Padding is not counted, so N is smaller at the edges of the image.

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of the window.
    stride : int or pair of int, optional
        Step between window positions; `size` if not given.
    padding : {"valid", "same"}, int or pair of int, default "valid"
        Padding around the images, as in `Conv2D`. An integer must be less than `size`.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is out of range, or inputs are not of shape (n, height, width,
        channels) or are smaller than the window.

    References
    ----------
    LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition", 1989.
    PyTorch counts the padding unless ``count_include_pad=False``.

    Examples
    --------
    >>> from nnfs_xp import AveragePool2D
    >>> layer = AveragePool2D(2, dtype="float64")
    >>> image = [[[1], [2], [7], [0]], [[4], [3], [7], [6]]]
    >>> layer.forward([image])[..., 0]
    array([[[2.5, 5. ]]])
    >>> layer.backward([[[[4], [8]]]])[..., 0]
    array([[[1., 1., 2., 2.],
            [1., 1., 2., 2.]]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[int, ...]]:
        """Return the means, and the shape of the inputs."""
        return average_pool(cx.be, x, self._windows), tuple(x.shape)

    def bwd(self, cx: Context, shape: tuple[int, ...], dy: Array) -> Array:
        """Return the gradient of each value."""
        return average_pool_backward(cx.be, dy, shape, self._windows)


@portable
def average_pool(be: Backend, x: Array, windows: Windows) -> Array:
    """Return the mean over each position of a window."""
    lengths = tuple(x.shape[1:-1])
    wide = padded(be, x, windows.pads(lengths))
    return _sum(wide, windows, lengths) * _share(be, windows, lengths)


@portable
def average_pool_backward(
    be: Backend, dy: Array, shape: tuple[int, ...], windows: Windows
) -> Array:
    """Return the gradient of each value, given the gradients of the means."""
    n, *lengths, channels = shape
    pads = windows.pads(tuple(lengths))
    wide = [size + sum(of) for size, of in zip(lengths, pads, strict=True)]
    dx, share = be.zeros((n, *wide, channels)), dy * _share(be, windows, tuple(lengths))
    for _, key in windows.places(tuple(lengths)):
        dx = be.added(dx, key, share)
    return dx[inside(pads, tuple(lengths))]


def _sum(wide: Array, windows: Windows, lengths: tuple[int, ...]) -> Array:
    total: Any = 0.0
    for _, key in windows.places(lengths):
        total = total + wide[key]
    return total


def _share(be: Backend, windows: Windows, lengths: tuple[int, ...]) -> Any:
    """Return ``1 / N``: a number, or an array if N is not the same everywhere."""
    pads = windows.pads(lengths)
    if not any(map(any, pads)):
        return 1.0 / math.prod(windows.size)
    ones = padded(be, be.full((1, *lengths, 1), 1.0), pads)
    return 1.0 / _sum(ones, windows, lengths)
