"""Convolution and pooling for NumPy: long rows, and few products.

What lies below one row of the window, in all positions along a row of an image, is
copied side by side. Each row of the window is then one product with a view of these
copies, and not one for each place with a copy of its own. They are made for a few
images at a time, so that they stay in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnfs_xp.kernels.plans import New, Plan, by_plan
from nnfs_xp.kernels.registry import implements

Windows = Any
# Bytes of copies that are made at a time.
_AT_A_TIME = 2**19
# Values side by side that are worth to be copied as one piece.
_LONG_ENOUGH = 16


class Rows:
    """What lies below a row of a window, for a block of images.

    Rows of images are sorted by their remainder modulo the stride, so that those below
    a row of the window lie one after another.

    Attributes
    ----------
    blocks : list of slice
        The images of each block.
    values : numpy.ndarray, shape (images, remainders, rows, positions, places * c)
    """

    def __init__(self, new: New, x: np.ndarray, windows: Windows) -> None:
        signals = x.ndim == 3
        self.x = x[:, np.newaxis] if signals else x
        one: tuple[int, ...] = (1,) if signals else ()
        pads = windows.pads(x.shape[1:-1])
        self.pads = ((0, 0), *pads) if signals else pads
        self.size, self.apart = one + windows.size, one + windows.dilation
        self.counts = one + windows.counts(x.shape[1:-1])
        # From the only position there is no step, however long it was to be.
        self.stride = tuple(
            step if count > 1 else 1
            for step, count in zip(one + windows.stride, self.counts, strict=True)
        )
        n, h, w, c = self.x.shape
        (top, bottom), (left, right) = self.pads
        step = self.stride[0]
        high, wide = h + top + bottom, w + left + right
        shape = (step, -(-high // step), self.counts[1], self.size[1] * c)
        image = math.prod(shape) * x.itemsize
        many = max(1, min(n, _AT_A_TIME // max(1, image)))
        self.blocks = [slice(at, min(n, at + many)) for at in range(0, n, many)]
        self.values = new((many, *shape), x.dtype)
        self.padded = new((many, high, wide, c), x.dtype)

    @property
    def has_long_pieces(self) -> bool:
        """Return whether what lies below a row of the window is worth one copy."""
        return self.size[1] * self.x.shape[-1] >= _LONG_ENOUGH

    def inside(self, a: np.ndarray) -> np.ndarray:
        """Return the part of padded images where the images are."""
        (top, _), (left, _) = self.pads
        _, h, w, _ = self.x.shape
        return a[:, top : top + h, left : left + w]

    def fill(self, block: slice) -> None:
        """Copy what lies below."""
        x = self.x[block]
        padded = self.padded[: len(x)]
        if any(map(any, self.pads)):
            padded[...] = 0
        self.inside(padded)[...] = x
        n, h, _, c = padded.shape
        of_image, of_row, of_column, of_value = padded.strides
        below = as_strided(
            padded, (n, h, self.counts[1], self.size[1], c),
            (of_image, of_row, of_column * self.stride[1], of_column * self.apart[1],
             of_value),
        )  # fmt: skip
        for rest in range(self.stride[0]):
            rows = below[:, rest :: self.stride[0]]
            into = self.values[:n, rest, : rows.shape[1]].reshape(rows.shape)
            if self.has_long_pieces:
                into[...] = rows
                continue
            # NumPy copies short pieces slowly, so these go place by place.
            for place in range(self.size[1]):
                into[..., place, :] = rows[..., place, :]

    def of_row(self, row: int, n: int) -> np.ndarray:
        """Return a matrix for each of n images: positions, and values below a row."""
        at, step = row * self.apart[0], self.stride[0]
        first = at // step
        found = self.values[:n, at % step, first : first + self.counts[0]]
        return found.reshape(n, self.counts[0] * self.counts[1], -1)

    def fold(self, block: slice, dx: np.ndarray) -> None:
        """Add the gradients of all rows to those of the images."""
        n, c, step = block.stop - block.start, dx.shape[-1], self.stride[1]
        padded = self.padded[:n]
        padded[...] = 0
        for rest in range(self.stride[0]):
            rows = padded[:, rest :: self.stride[0]]
            gradients = self.values[:n, rest, : rows.shape[1]]
            for place in range(self.size[1]):
                at = place * self.apart[1]
                below = rows[:, :, at : at + (self.counts[1] - 1) * step + 1 : step]
                below += gradients[..., place * c : (place + 1) * c]
        dx[block] = self.inside(padded)


@implements("convolve", "numpy")
@by_plan
def convolve(
    be: Any, new: New, x: np.ndarray, w: np.ndarray, windows: Windows, groups: int
) -> Plan:
    """Multiply once for each row of the window."""
    if not _can_convolve(be, x, w, groups):
        return NotImplemented
    counts, filters = windows.counts(x.shape[1:-1]), w.shape[-1]
    y = new((len(x), *counts, filters), x.dtype)
    rows, positions = Rows(new, x, windows), math.prod(counts)
    of_row, matrix = _by_rows(w, rows), y.reshape(len(x), positions, filters)
    part = new((len(rows.values), positions, filters), x.dtype)

    def call() -> None:
        for block in rows.blocks:
            n = block.stop - block.start
            rows.fill(block)
            np.matmul(rows.of_row(0, n), of_row[0], out=matrix[block])
            for row in range(1, len(of_row)):
                np.matmul(rows.of_row(row, n), of_row[row], out=part[:n])
                matrix[block] += part[:n]

    return y, call


def plan_backward(
    rows_of: Callable[..., Rows],
    be: Any,
    new: New,
    x: np.ndarray,
    w: np.ndarray,
    dy: np.ndarray,
    windows: Windows,
    groups: int,
    learns: bool,
    needs_dx: bool,
) -> Plan:
    """Plan to go back through the products, and to add up gradients of rows once.

    Parameters
    ----------
    rows_of : callable
        ``rows_of(new, x, windows)`` returns the rows, which know how to be filled.
    """
    if not _can_convolve(be, x, w, groups):
        return NotImplemented
    filters, positions = w.shape[-1], math.prod(dy.shape[1:-1])
    dw: Any = new(w.shape, w.dtype) if learns else None
    dx: Any = new(x.shape, x.dtype) if needs_dx else None
    dx_of_images: Any = (
        dx.reshape(dx.shape[0], -1, *dx.shape[-2:]) if needs_dx else None
    )
    rows = rows_of(new, x, windows)
    of_row = _by_rows(w, rows)
    dw_of_row: Any = _by_rows(dw, rows) if learns else None
    many = len(rows.values)
    of_weights: Any = new((many, *of_row.shape[1:]), x.dtype) if learns else None
    of_inputs: Any = (
        new((many, positions, of_row.shape[1]), x.dtype) if needs_dx else None
    )
    plain = dy.flags.c_contiguous
    dz = (dy if plain else new(dy.shape, dy.dtype)).reshape(len(x), positions, filters)

    def call() -> None:
        if not plain:
            dz.reshape(dy.shape)[...] = dy
        if learns:
            dw[...] = 0
        for block in rows.blocks:
            n, gradients = block.stop - block.start, dz[block]
            if learns:
                rows.fill(block)
                for row, total in enumerate(dw_of_row):
                    below = rows.of_row(row, n).swapaxes(1, 2)
                    np.matmul(below, gradients, out=of_weights[:n])
                    total += np.add.reduce(of_weights[:n], 0)
            if needs_dx:
                rows.values[:n] = 0
                for row, weights in enumerate(of_row):
                    np.matmul(gradients, weights.T, out=of_inputs[:n])
                    below = rows.of_row(row, n)
                    below += of_inputs[:n]
                rows.fold(block, dx_of_images)

    return (dw, dx), call


@implements("convolve_backward", "numpy")
@by_plan
def convolve_backward(be: Any, new: New, *arguments: Any) -> Plan:
    """Multiply once for each row of the window, and gradient."""
    return plan_backward(Rows, be, new, *arguments)


def _by_rows(w: np.ndarray, rows: Rows) -> np.ndarray:
    """Return weights as a matrix for each row of the window."""
    return w.reshape(rows.size[0], -1, w.shape[-1])


def _can_convolve(be: Any, x: np.ndarray, w: np.ndarray, groups: int) -> bool:
    fits = groups == 1 and be.matmul_precision == "full" and w.flags.c_contiguous
    return fits and bool(x.size) and x.dtype == w.dtype == be.dtype


@implements("max_pool_backward", "numpy")
@by_plan
def max_pool_backward(
    be: Any,
    new: New,
    x: np.ndarray,
    y: np.ndarray,
    dy: np.ndarray,
    windows: Windows,
) -> Plan:
    """Write each part of the gradient once, where windows lie side by side.

    The bits of `dy` are kept where the largest value is found, and cleared elsewhere.
    """
    lengths = x.shape[1:-1]
    beside = all(a >= b for a, b in zip(windows.stride, windows.size, strict=True))
    if not beside or any(map(any, windows.pads(lengths))) or dy.dtype != be.dtype:
        return NotImplemented
    covered = all(
        a == b and length % a == 0
        for a, b, length in zip(windows.stride, windows.size, lengths, strict=True)
    )
    dx = new(x.shape, x.dtype)
    integer = {4: np.int32, 8: np.int64}[dy.itemsize]
    bits, dx_bits, dy_bits = new(dy.shape, integer), dx.view(integer), dy.view(integer)
    found, open_still = new(dy.shape, np.bool_), new(dy.shape, np.bool_)
    keys = [key for _, key in windows.places(lengths)]

    def call() -> None:
        if not covered:
            dx[...] = 0
        open_still[...] = True
        for key in keys:
            np.equal(x[key], y, out=found)
            np.logical_and(found, open_still, out=found)
            np.logical_xor(found, open_still, out=open_still)
            # True is 1, and -1 has every bit set.
            np.copyto(bits, found.view(np.int8))
            np.negative(bits, out=bits)
            np.bitwise_and(bits, dy_bits, out=dx_bits[key])

    return dx, call
