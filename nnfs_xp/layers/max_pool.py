"""Pooling of images by the largest value of each window."""

from __future__ import annotations

import math

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable
from nnfs_xp.layers.pooling import _Pool2D
from nnfs_xp.layers.windows import Windows, inside, padded
from nnfs_xp.registry import register


@register("layer")
class MaxPool2D(_Pool2D):
    """Max pooling of images: the largest value in each window, per channel.

    The gradient of each output is passed only to the largest value of its window, or to
    the first one in row-major order if there is a tie::

        y[p] = max over t of x[p + t]
        dx[p + t] += dy[p]  with t the first offset where x[p + t] = y[p]

    Parameters
    ----------
    size : int or pair of int, default 2
        Height and width of the window.
    stride : int or pair of int, optional
        Step between window positions; `size` if not given.
    padding : {"valid", "same"}, int or pair of int, default "valid"
        Padding around the images, as in `Conv2D`. It is never the largest value. An
        integer must be less than `size`.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is out of range, or inputs are not of shape (n, height, width,
        channels) or are smaller than the window.

    References
    ----------
    Ranzato, Huang, Boureau and LeCun, "Unsupervised Learning of Invariant Feature
    Hierarchies", CVPR 2007, section 3.

    Examples
    --------
    >>> from nnfs_xp import MaxPool2D
    >>> layer = MaxPool2D(2, dtype="float64")
    >>> image = [[[1], [2], [7], [0]], [[4], [3], [7], [5]]]
    >>> layer.forward([image])[..., 0]
    array([[[4., 7.]]])
    >>> layer.backward([[[[10], [20]]]])[..., 0]
    array([[[ 0.,  0., 20.,  0.],
            [10.,  0.,  0.,  0.]]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return the maxima; residuals are the inputs and the outputs."""
        y = max_pool(cx.be, x, self._windows)
        return y, (x, y)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return each gradient at the index of its maximum."""
        return max_pool_backward(cx.be, *residuals, dy, self._windows)


@portable
def max_pool(be: Backend, x: Array, windows: Windows) -> Array:
    """Return the largest value in each position of a window."""
    lengths = tuple(x.shape[1:-1])
    wide = padded(be, x, windows.pads(lengths), -math.inf)
    first, *others = [wide[key] for _, key in windows.places(lengths)]
    for below in others:
        first = be.xp.maximum(first, below)
    return first


@portable
def max_pool_backward(
    be: Backend, x: Array, y: Array, dy: Array, windows: Windows
) -> Array:
    """Return each gradient at the first index of the largest value."""
    xp, lengths = be.xp, tuple(x.shape[1:-1])
    pads = windows.pads(lengths)
    # NaN equals nothing: padding never gets a gradient, even if all values are -inf.
    wide = padded(be, x, pads, math.nan)
    dx, open_still = be.zeros(wide.shape), y == y
    for _, key in windows.places(lengths):
        found = xp.logical_and(open_still, wide[key] == y)
        dx = be.added(dx, key, xp.where(found, dy, be.zero))
        open_still = xp.logical_and(open_still, xp.logical_not(found))
    return dx[inside(pads, lengths)]
