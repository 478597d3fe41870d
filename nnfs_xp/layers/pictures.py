"""Helpers for layers that change images: the shapes they accept, and windows."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.layers.nesting import MoreAxes


def check_picture(layer: Any, shape: tuple[int, ...] | None) -> None:
    """Raise InputError if samples of a shape are not images."""
    if shape is not None and len(shape) not in (2, 3):
        error = MoreAxes if len(shape) < 2 else InputError
        raise error(
            f"layers: {layer!r} takes samples of shape (height, width) or (height, "
            f"width, channels), got {shape}"
        )


def by_sample(be: Backend, values: Array, ndim: int) -> Array:
    """Return one value for each sample, followed by axes of length 1."""
    return be.xp.reshape(values, (-1, *(1,) * (ndim - 1)))


def windows(
    be: Backend,
    x: Array,
    corners: tuple[Array, Array],
    size: tuple[int, int],
    fill: float = 0.0,
) -> Array:
    """Return a window of each image, ``y[n, i, j] = x[n, i + top, j + left]``.

    Where the window lies beyond the image, it contains `fill`. The gradient of ``x``
    with ``fill = 0`` is the window of ``dy`` at ``(-top, -left)`` with the size of the
    image: pixels that were moved are moved back, and pixels that were cut off have
    gradient 0.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    x : array, shape (n, height, width, ...)
        The images.
    corners : tuple of array of int, shape (n,)
        Top and left of each window; they may be negative.
    size : tuple of int
        Height and width of the windows.
    fill : float, default 0.0
        The value beyond the images.
    """
    xp, (n, height, width) = be.xp, x.shape[:3]
    rows, columns = (
        corner[:, None] + xp.arange(length, dtype=corner.dtype, device=be.device)
        for corner, length in zip(corners, size, strict=True)
    )
    inside_rows = (rows >= 0) & (rows < height)
    inside_columns = (columns >= 0) & (columns < width)
    inside = inside_rows[:, :, None] & inside_columns[:, None, :]
    pictures = xp.arange(n, dtype=rows.dtype, device=be.device)[:, None]
    # Indices beyond the image read some pixel, which is then left out.
    places = (pictures * height + rows % height)[:, :, None] * width
    places = places + (columns % width)[:, None, :]
    pixels = xp.reshape(x, (n * height * width, -1))
    taken = be.take_rows(pixels, xp.reshape(places, (-1,)))
    taken = xp.reshape(taken, (n, *size, *x.shape[3:]))
    inside = xp.reshape(inside, (n, *size, *(1,) * (x.ndim - 3)))
    return xp.where(inside, taken, be.constant(fill))
