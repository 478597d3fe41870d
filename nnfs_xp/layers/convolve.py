"""Convolution as a sum over the places of a window, forward and backward.

What lies below a place of the window in all of its positions is a matrix, (positions,
channels), and the weights of the place are one, (channels, filters). The output is the
sum of these products over the places.
"""

from __future__ import annotations

import math

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.layers.windows import Windows, added, inside, padded


@portable
def convolve(be: Backend, x: Array, w: Array, windows: Windows, groups: int) -> Array:
    """Return the sum over the places of a window of inputs times weights.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    x : array, shape (n, lengths..., channels)
    w : array, shape (sizes..., channels / groups, filters)
    windows : Windows
    groups : int
        Number of groups of channels; each has as many filters.

    Returns
    -------
    array, shape (n, positions..., filters)
    """
    lengths = tuple(x.shape[1:-1])
    wide, counts = padded(be, x, windows.pads(lengths)), windows.counts(lengths)
    y = be.zeros((x.shape[0] * math.prod(counts), w.shape[-1]))
    for place, key in windows.places(lengths):
        below, of_place = _rows(be, wide[key]), w[(*place, ...)]
        pairs = zip(_split(below, groups), _split(of_place, groups), strict=True)
        y += _joined(be, [be.matmul(a, b) for a, b in pairs])
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

    Each place of the window is a product of matrices, ``y += x W``, and has its
    gradients, ``dW = x^T dy`` and ``dx += dy W^T``. One that is not wanted, as `learns`
    and `needs_dx` say, is None.
    """
    xp, lengths = be.xp, tuple(x.shape[1:-1])
    pads = windows.pads(lengths)
    wide, dz = padded(be, x, pads), _split(_rows(be, dy), groups)
    dw, dx = [], be.zeros(wide.shape if needs_dx else ())
    for place, key in windows.places(lengths):
        if learns:
            below = _split(_rows(be, wide[key]), groups)
            pairs = zip(below, dz, strict=True)
            dw.append(_joined(be, [be.matmul(a.T, d) for a, d in pairs]))
        if needs_dx:
            of_place = _split(w[(*place, ...)], groups)
            pairs = zip(dz, of_place, strict=True)
            part = _joined(be, [be.matmul(d, b.T) for d, b in pairs])
            dx = added(be, dx, key, xp.reshape(part, wide[key].shape))
    return (
        xp.reshape(xp.stack(dw), w.shape) if learns else None,
        dx[inside(pads, lengths)] if needs_dx else None,
    )


def _rows(be: Backend, a: Array) -> Array:
    return be.xp.reshape(a, (-1, a.shape[-1]))


def _split(a: Array, groups: int) -> list[Array]:
    """Return the columns of each group."""
    if groups == 1:
        return [a]
    width = a.shape[-1] // groups
    return [a[:, at : at + width] for at in range(0, width * groups, width)]


def _joined(be: Backend, parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else be.xp.concat(parts, axis=-1)
