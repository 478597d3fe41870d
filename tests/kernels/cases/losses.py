"""Cases of ``losses.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.losses.softmax_cross_entropy import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(32)
_FAR = np.array([[1e9, -1e9, 0.0], [-np.inf, 0.0, 1.0], [1e4, -1e4, 0.0]])
_NAN = np.array([[np.nan, 0.0], [0.0, 1.0], [-np.inf, -np.inf]])


def _draw(n, k):
    return _random.standard_normal((n, k)) * 3


def _labels(n, k, dtype="int64"):
    return _random.integers(0, k, n).astype(dtype)


# Scores, and labels or rows.
INPUTS = {
    "usual": (_draw(20, 4), _labels(20, 4)),
    "labels of int32": (_draw(20, 4), _labels(20, 4, "int32")),
    "more than a warp": (_draw(9, 70), _labels(9, 70)),
    "a block for a row": (_draw(3, 1100), _labels(3, 1100)),
    "one class": (_draw(3, 1), _labels(3, 1)),
    "rows": (_draw(9, 5), np.abs(_draw(9, 5))),
    "long rows": (_draw(2, 1100), np.abs(_draw(2, 1100))),
    "no such label": (_draw(3, 4), np.array([0, -1, 4])),
    "far apart": (_FAR, np.array([1, 1, 0])),
    "NaN": (_NAN, np.array([0, 1, 0])),
}


def _launch(kernel, kind, weighted, dtype):
    z, y = INPUTS[kind]
    z = z.astype(dtype)
    n, k = z.shape
    label_bytes = np.int32(0 if y.ndim == 2 else y.dtype.itemsize)
    y = y.astype(dtype) if y.ndim == 2 else y
    real = np.dtype(dtype).type
    weights = np.linspace(0.0, 1.0, n).astype(dtype) if weighted else np.uint64(0)
    factors = weights.astype("float64") if weighted else 0.25
    losses, (p, _) = softmax_cross_entropy.reference(HOST, z.astype("float64"), y)
    given = p.astype(dtype)
    if kernel == "softmax_cross_entropy_backward":
        p = given.astype("float64")
    dz = softmax_cross_entropy_backward.reference(HOST, p, y, factors)
    targets, scale = (y, label_bytes), (weights, real(0.25))
    sizes = np.int64(n), np.int64(k)
    grid, block = ((-(-n // 8),), (32, 8)) if k <= 1024 else ((n,), (256, 1))
    rows, row = unset((n, k), dtype), unset((n,), dtype)
    if kernel == "softmax_cross_entropy":
        arguments, expected = [z, *targets, row, rows, *sizes], {3: losses, 4: p}
    elif kernel == "softmax_cross_entropy_backward":
        arguments, expected = [given, *targets, *scale, rows, *sizes], {5: dz}
    else:
        arguments = [z, *targets, *scale, row, rows, *sizes]
        expected = {5: losses, 6: dz}
    return Launch(grid, block, arguments, expected)


def _cases(kernel, weights=(False, True)):
    return {
        f"{kind}, {'weights' if weighted else 'number'}": functools.partial(
            _launch, kernel, kind, weighted
        )
        for kind in INPUTS
        for weighted in weights
    }


KERNELS = {
    "softmax_cross_entropy": _cases("softmax_cross_entropy", (False,)),
    "softmax_cross_entropy_backward": _cases("softmax_cross_entropy_backward"),
    "softmax_cross_entropy_with_gradient": _cases(
        "softmax_cross_entropy_with_gradient"
    ),
}
