"""Cases of ``images.cu``."""

from __future__ import annotations

import functools
import math

import numpy as np

from nnfs_xp.kernels.cupy.images import _geometry
from nnfs_xp.layers.average_pool import average_pool, average_pool_backward
from nnfs_xp.layers.convolve import convolve, convolve_backward
from nnfs_xp.layers.max_pool import max_pool, max_pool_backward
from nnfs_xp.layers.windows import Windows
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(45)


def _images(shape, dtype, whole=False):
    """Return images, of which some values are equal."""
    drawn = _random.integers(-2, 3, shape) if whole else _random.standard_normal(shape)
    return drawn.astype(dtype)


def _launch(arguments, expected, position):
    arguments[position] = unset(expected.shape, arguments[0].dtype)
    arguments.append(np.int64(expected.size))
    return Launch((3,), (32,), arguments, {position: expected})


def _copies(windows, channels):
    """Return weights by which a convolution copies what lies below its windows."""
    count = math.prod(windows.size) * channels
    return np.eye(count).reshape(*windows.size, channels, count)


def _columns(shape, windows, dtype):
    x = _images(shape, dtype)
    copies = _copies(windows, shape[-1])
    expected = convolve.reference(HOST, x.astype("float64"), copies, windows, 1)
    return _launch([x, _geometry(windows, x), None], expected, 2)


def _sums(shape, windows, dtype):
    x, copies = np.zeros(shape), _copies(windows, shape[-1])
    counts = windows.counts(shape[1:-1])
    below = _images((shape[0], *counts, copies.shape[-1]), dtype)
    _, expected = convolve_backward.reference(
        HOST, x, copies, below.astype("float64"), windows, 1, False, True
    )
    return _launch([below, _geometry(windows, x), None], expected, 2)


def _pool(reference, shape, windows, dtype):
    x = _images(shape, dtype, whole=True)
    expected = reference(HOST, x.astype("float64"), windows)
    return _launch([x, _geometry(windows, x), None], expected, 2)


def _maxima(shape, windows, dtype, value=None):
    x = _images(shape, dtype, whole=True)
    if value is not None:
        x[x > 1] = value
    y = max_pool.reference(HOST, x.astype("float64"), windows).astype(dtype)
    dy = _images(y.shape, dtype)
    given = (a.astype("float64") for a in (x, y, dy))
    expected = max_pool_backward.reference(HOST, *given, windows)
    return _launch([x, y, dy, _geometry(windows, x), None], expected, 4)


def _means(shape, windows, dtype):
    x, counts = np.zeros(shape), windows.counts(shape[1:-1])
    dy = _images((shape[0], *counts, shape[-1]), dtype)
    expected = average_pool_backward.reference(
        HOST, dy.astype("float64"), shape, windows
    )
    return _launch([dy, _geometry(windows, x), None], expected, 2)


def _lowest(dtype):
    """What is put around the image is as large, and first."""
    windows = Windows((3, 3), (1, 1), "same", (1, 1))
    x = np.full((1, 3, 3, 1), -np.inf, dtype)
    dy = _images(x.shape, dtype)
    expected = max_pool_backward.reference(HOST, x, x, dy.astype("float64"), windows)
    return _launch([x, x.copy(), dy, _geometry(windows, x), None], expected, 4)


# Size, stride, padding and dilation.
_SHAPES = {
    "usual": ((2, 5, 6, 3), Windows((3, 3), (1, 1), "same", (1, 1))),
    "steps": ((2, 7, 6, 2), Windows((3, 2), (2, 3), (1, 1), (1, 1))),
    "steps beyond the window": ((1, 9, 8, 1), Windows((2, 2), (3, 4), "valid", (1, 1))),
    "side by side": ((2, 4, 6, 2), Windows((2, 2), (2, 2), "valid", (1, 1))),
    "one pixel": ((1, 1, 1, 1), Windows((1, 1), (1, 1), "valid", (1, 1))),
}
_APART = {"apart": ((2, 8, 9, 2), Windows((2, 3), (2, 1), "valid", (3, 2)))}
_SIGNAL = {"signal": ((2, 9, 3), Windows((4,), (2,), "same", (2,)))}


def _each(function, shapes):
    return {name: functools.partial(function, *given) for name, given in shapes.items()}


_everything = {**_SHAPES, **_APART, **_SIGNAL}
KERNELS = {
    "columns": _each(_columns, _everything),
    "sum_of_columns": _each(_sums, _everything),
    "max_pool": _each(functools.partial(_pool, max_pool.reference), _SHAPES),
    "max_pool_backward": {
        **_each(_maxima, _SHAPES),
        **{
            f"with {value}": functools.partial(
                _maxima, *_SHAPES["usual"], value=float(value)
            )
            for value in ("nan", "-inf")
        },
        "nothing but -inf": _lowest,
    },
    "average_pool": _each(functools.partial(_pool, average_pool.reference), _SHAPES),
    "average_pool_backward": _each(_means, _SHAPES),
}
