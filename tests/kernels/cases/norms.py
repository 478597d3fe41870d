"""Cases of ``norms.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.layers.layer_norm import layer_norm, layer_norm_backward
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(46)
_EPS = 1e-5
# Rows, their length, and the threads of a block that go through a row.
_SHAPES = {
    "usual": (5, 17, 32),
    "one feature": (4, 1, 32),
    "exactly a warp": (9, 32, 32),
    "a block for each row": (3, 90, 64),
}


def _rows(n, k, dtype):
    return [_random.standard_normal(s).astype(dtype) for s in ((n, k), k, k)]


def _over_rows(n, threads):
    return ((-(-n // 2),), (32, 2)) if threads == 32 else ((n,), (threads, 1))


def _wide(arrays):
    return [array.astype("float64") for array in arrays]


def _forward(n, k, threads, dtype):
    given = _rows(n, k, dtype)
    y, (normal, factors) = layer_norm.reference(HOST, *_wide(given), _EPS, True)
    outputs = [unset(a.shape, dtype) for a in (y, normal, factors)]
    sizes = np.dtype(dtype).type(_EPS), np.int64(n), np.int64(k)
    arguments = [*given, *outputs, *sizes]
    expected = {3: y, 4: normal, 5: factors}
    return Launch(*_over_rows(n, threads), arguments, expected)


def _gradients(n, k, dtype):
    """Return residuals, gain and gradient in a dtype, and what follows from them."""
    x, gamma, beta = _rows(n, k, dtype)
    _, residuals = layer_norm.reference(HOST, *_wide((x, gamma, beta)), _EPS, True)
    given = [*(a.astype(dtype) for a in residuals), gamma, _rows(n, k, dtype)[0]]
    normal, factors, *others = _wide(given)
    return given, layer_norm_backward.reference(HOST, (normal, factors), *others)


def _backward(n, k, threads, dtype):
    given, (dx, _, _) = _gradients(n, k, dtype)
    arguments = [*given, unset((n, k), dtype), np.int64(n), np.int64(k)]
    # Of one feature nothing is left but what the residuals are rounded by.
    return Launch(*_over_rows(n, threads), arguments, {4: dx})


def _sums(n, k, width, dtype):
    (normal, _, _, dy), (_, dgamma, dbeta) = _gradients(n, k, dtype)
    outputs = [unset((k,), dtype) for _ in range(2)]
    sizes = np.int64(n), np.int64(k), np.int32(width)
    arguments = [normal, dy, *outputs, *sizes]
    return Launch((-(-k // width),), (1024,), arguments, {2: dgamma, 3: dbeta})


def _each(function):
    return {n: functools.partial(function, *given) for n, given in _SHAPES.items()}


KERNELS = {
    "layer_norm": _each(_forward),
    "layer_norm_backward": _each(_backward),
    "layer_norm_gradients": {
        "usual": functools.partial(_sums, 7, 17, 8),
        "many rows": functools.partial(_sums, 300, 9, 8),
        "one column": functools.partial(_sums, 40, 1, 1),
        "wide blocks": functools.partial(_sums, 5, 40, 32),
    },
}
