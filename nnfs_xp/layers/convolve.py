"""Convolution as a sum over the entries of a window, forward and backward.

For each entry of the window, the values below it in all positions form a matrix,
(positions, channels), and its weights form a matrix, (channels, filters). The output is
the sum of their products over all entries.
"""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.layers.windows import Windows, inside, padded


@portable
def convolve(be: Backend, x: Array, w: Array, windows: Windows, groups: int) -> Array:
    """Return the sum of inputs times weights over the entries of a window.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    x : array, shape (n, lengths..., channels)
    w : array, shape (sizes..., channels / groups, filters)
    windows : Windows
    groups : int
        Number of groups of channels; all have the same number of filters.

    Returns
    -------
    array, shape (n, positions..., filters)
    """
    lengths = tuple(x.shape[1:-1])
    wide, counts = padded(be, x, windows.pads(lengths)), windows.counts(lengths)
    y = be.zeros((x.shape[0] * math.prod(counts), w.shape[-1]))
    for place, key in windows.places(lengths):
        below, of_place = _rows(be, wide[key]), w[(*place, ...)]
        for channels, filters in _parts(x, w, groups):
            product = be.matmul(below[:, channels], of_place[:, filters])
            y = be.added(y, (slice(None), filters), product)
    return be.xp.reshape(y, (x.shape[0], *counts, w.shape[-1]))


@portable
def convolve_backward(
    be: Backend,
    x: Array,
    w: Array,
    dy: Array,
    windows: Windows,
    groups: int,
    learns: bool,
    needs_dx: bool,
) -> tuple[Array | None, Array | None]:
    """Return the gradients of weights and inputs of a convolution.

    Each entry of the window contributes a product of matrices, ``y += x W``, with the
    gradients ``dW = x^T dy`` and ``dx += dy W^T``. A gradient that is not needed,
    according to `learns` and `needs_dx`, is None.
    """
    lengths = tuple(x.shape[1:-1])
    pads = windows.pads(lengths)
    wide, dz = padded(be, x, pads), _rows(be, dy)
    dw: Any = be.zeros(w.shape) if learns else None
    dx: Any = be.zeros(wide.shape) if needs_dx else None
    for place, key in windows.places(lengths):
        below: Any = _rows(be, wide[key]) if learns else None
        of_place = w[(*place, ...)]
        for channels, filters in _parts(x, w, groups):
            if learns:
                product = be.matmul_over_rows(below[:, channels], dz[:, filters])
                dw = be.replaced(dw, (*place, slice(None), filters), product)
            if needs_dx:
                product = be.matmul(dz[:, filters], of_place[:, filters].T)
                part = be.xp.reshape(product, (*dy.shape[:-1], w.shape[-2]))
                dx = be.added(dx, (*key[:-1], channels), part)
    return dw, dx[inside(pads, lengths)] if needs_dx else None


def _rows(be: Backend, a: Array) -> Array:
    return be.xp.reshape(a, (-1, a.shape[-1]))


def _parts(x: Array, w: Array, groups: int) -> list[tuple[slice, slice]]:
    """Return the channels and the filters of each group."""
    channels, filters = x.shape[-1] // groups, w.shape[-1] // groups
    return [
        (slice(g * channels, (g + 1) * channels), slice(g * filters, (g + 1) * filters))
        for g in range(groups)
    ]
