"""Inputs of convolution and pooling."""

import numpy as np

import nnfs_xp as nx
from nnfs_xp.layers.max_pool import max_pool
from nnfs_xp.layers.windows import Windows

_random = np.random.default_rng(43)
_normal = _random.standard_normal


def _convolution(
    shape, size, filters, *, stride=1, padding="valid", dilation=1, groups=1
):
    """Return arguments of `convolve`."""
    axes = len(shape) - 2

    def each(value):
        return value if isinstance(value, (tuple, str)) else (value,) * axes

    windows = Windows(each(size), each(stride), each(padding), each(dilation))
    weights = _normal((*windows.size, shape[-1] // groups, filters))
    return _normal(shape), weights, windows, groups


def _with_gradient(case, learns=True, needs_dx=True):
    """Return arguments of `convolve_backward`."""
    x, w, windows, groups = case
    counts = windows.counts(x.shape[1:-1])
    dy = _normal((len(x), *counts, w.shape[-1]))
    return x, w, dy, windows, groups, learns, needs_dx


_convolutions = {
    "usual": _convolution((4, 9, 8, 3), 3, 5, padding="same"),
    "one channel": _convolution((3, 12, 12, 1), 5, 4),
    "many images": _convolution((70, 7, 7, 2), 3, 4, padding=1),
    "wide": _convolution((2, 6, 5, 40), 3, 33, padding="same"),
    "same, a step of 2": _convolution(
        (2, 7, 6, 3), (3, 2), 4, stride=2, padding="same"
    ),
    "steps beyond the window": _convolution((2, 11, 9, 2), 2, 3, stride=(3, 4)),
    "apart": _convolution((2, 9, 10, 2), 3, 3, dilation=(2, 3), stride=(2, 1)),
    "groups": _convolution((2, 6, 6, 6), 3, 4, groups=2, padding="same"),
    "a group for each channel": _convolution((2, 5, 6, 4), 3, 8, groups=4, padding=1),
    "one place": _convolution((3, 5, 4, 6), 1, 7),
    "one place, steps": _convolution((3, 5, 4, 6), 1, 7, stride=2),
    "one image": _convolution((1, 1, 1, 1), 1, 1),
    "more around than inside": _convolution((2, 2, 3, 2), 2, 3, padding=4, stride=3),
    "signals": _convolution((4, 11, 3), 4, 5, stride=2, padding="same", dilation=2),
    "signals, padded": _convolution((4, 9, 4), 3, 6, padding=2, groups=2),
    "no images": _convolution((0, 5, 5, 2), 3, 2),
}


def _gaps(case):
    """Return a case whose images have gaps."""
    x, *others = case
    return (np.repeat(x, 2, axis=-1)[..., ::2], *others)


_convolutions["gaps"] = _gaps(_convolutions["usual"])
_convolutions["huge"] = (1e15 * _convolutions["usual"][0], *_convolutions["usual"][1:])


def _pooled(shape, size, stride=None, padding="valid"):
    """Return arguments of the poolings: images of which some values are equal."""

    def each(value):
        return value if isinstance(value, (tuple, str)) else (value,) * 2

    steps = each(size if stride is None else stride)
    return np.maximum(_normal(shape), 0.0), Windows(
        each(size), steps, each(padding), (1, 1)
    )


_pools = {
    "usual": _pooled((4, 8, 6, 5), 2),
    "odd lengths": _pooled((3, 7, 5, 2), 2),
    "windows that overlap": _pooled((2, 7, 6, 3), 3, 2, "same"),
    "a step of 1": _pooled((2, 5, 6, 1), (3, 2), 1),
    "steps beyond the window": _pooled((2, 9, 8, 2), 2, 3),
    "padded": _pooled((2, 6, 5, 2), (3, 2), (1, 2), (1, 1)),
    "much around": _pooled((1, 4, 4, 2), 3, 2, 2),
    "one pixel": _pooled((1, 1, 1, 1), 1),
    "many channels": _pooled((2, 4, 4, 70), 2),
    "no images": _pooled((0, 4, 4, 2), 2),
}
_pools["gaps"] = _gaps(_pools["usual"])
_pools["infinite"] = (
    np.where(_normal((2, 4, 6, 3)) > 1, np.inf, -np.inf),
    _pools["usual"][1],
)


def _of_maxima(case):
    """Return arguments of `max_pool_backward`."""
    x, windows = case
    be = nx.get_backend("numpy", dtype="float64")
    # In float32, so that the maxima are values of the images in both precisions.
    x = x.astype("float32").astype("float64")
    y = max_pool.reference(be, x, windows)
    return x, y, _normal(y.shape), windows


def _of_means(case):
    """Return arguments of `average_pool_backward`."""
    x, windows = case
    counts = windows.counts(x.shape[1:-1])
    return _normal((len(x), *counts, x.shape[-1])), x.shape, windows


_finite = {name: case for name, case in _pools.items() if name != "infinite"}
CASES = {
    "convolve": _convolutions,
    "convolve_backward": {
        **{name: _with_gradient(case) for name, case in _convolutions.items()},
        "inputs that need none": _with_gradient(_convolutions["usual"], needs_dx=False),
        "frozen weights": _with_gradient(_convolutions["usual"], learns=False),
    },
    "max_pool": _pools,
    "max_pool_backward": {name: _of_maxima(case) for name, case in _pools.items()},
    "average_pool": _finite,
    "average_pool_backward": {name: _of_means(case) for name, case in _finite.items()},
}
OVERWRITTEN = {}
