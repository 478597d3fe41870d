"""Cases of ``norms.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.layers.batch_normalization import batch_norm, batch_norm_backward
from nnfs_xp.layers.group_norm import group_norm, group_norm_backward
from nnfs_xp.layers.layer_norm import layer_norm, layer_norm_backward
from nnfs_xp.layers.rms_norm import rms_norm, rms_norm_backward
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(46)
_EPS = 1e-5
_NULL = np.uint64(0)
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


def _forward(n, k, threads, dtype, centred=True):
    given = _rows(n, k, dtype)
    if centred:
        y, (normal, factors) = layer_norm.reference(HOST, *_wide(given), _EPS, True)
    else:
        y, (normal, factors) = rms_norm.reference(HOST, *_wide(given[:2]), _EPS)
        given[2] = _NULL
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


def _backward(n, k, threads, dtype, centred=True):
    given, (dx, _, _) = _gradients(n, k, dtype)
    if not centred:
        normal, factors, *others = _wide(given)
        dx, _ = rms_norm_backward.reference(HOST, (normal, factors), *others)
    sizes = np.bool_(centred), np.int64(n), np.int64(k)
    arguments = [*given, unset((n, k), dtype), *sizes]
    return Launch(*_over_rows(n, threads), arguments, {4: dx})


def _sums(n, k, width, dtype, centred=True):
    (normal, _, _, dy), (_, dgamma, dbeta) = _gradients(n, k, dtype)
    outputs = [unset((k,), dtype), unset((k,), dtype) if centred else _NULL]
    sizes = np.int64(n), np.int64(k), np.int32(width)
    arguments = [normal, dy, *outputs, *sizes]
    expected = {2: dgamma, 3: dbeta} if centred else {2: dgamma}
    return Launch((-(-k // width),), (1024,), arguments, expected)


def _group(n, positions, k, groups, dtype):
    x = _random.standard_normal((n, positions, k)).astype(dtype)
    _, gamma, beta = _rows(n, k, dtype)
    y, (normal, factors) = group_norm.reference(
        HOST, *_wide((x, gamma, beta)), groups, _EPS
    )
    outputs = [unset(a.shape, dtype) for a in (y, normal, factors)]
    sizes = np.int64(positions), np.int64(k), np.int32(groups)
    arguments = [x, gamma, beta, *outputs, np.dtype(dtype).type(_EPS), *sizes]
    expected = {3: y, 4: normal, 5: factors}
    return Launch((n * groups,), (64,), arguments, expected)


def _group_backward(n, positions, k, groups, dtype):
    x, dy = (_random.standard_normal((n, positions, k)) for _ in range(2))
    _, gamma, beta = _rows(n, k, dtype)
    _, residuals = group_norm.reference(HOST, x, *_wide((gamma, beta)), groups, _EPS)
    given = [a.astype(dtype) for a in (*residuals, gamma, dy)]
    normal, factors, *others = _wide(given)
    dx, _, _ = group_norm_backward.reference(HOST, (normal, factors), *others, groups)
    sizes = np.int64(positions), np.int64(k), np.int32(groups)
    arguments = [*given, unset(dx.shape, dtype), *sizes]
    return Launch((n * groups,), (64,), arguments, {4: dx})


# Samples, positions, channels, groups.
_GROUPS = {
    "usual": (3, 5, 6, 2),
    "one group": (2, 4, 5, 1),
    "a group for each channel": (2, 4, 3, 3),
    "longer than a block": (2, 70, 4, 2),
}


def _shared_out(n, k, rows, width):
    sizes = np.int64(n), np.int64(k), np.int64(rows), np.int32(width)
    return (-(-k // width), -(-n // rows)), (256,), sizes


def _statistics(x, rows):
    """Return mean and sum of squares of each part."""
    parts = [x[i : i + rows] for i in range(0, len(x), rows)]
    return np.stack([np.stack([p.mean(0), p.var(0) * len(p)], axis=-1) for p in parts])


def _batch_parts(n, k, rows, width, dtype):
    x = _random.standard_normal((n, k)).astype(dtype)
    expected = _statistics(x.astype("float64"), rows)
    grid, block, sizes = _shared_out(n, k, rows, width)
    arguments = [x, unset(expected.shape, dtype), *sizes]
    return Launch(grid, block, arguments, {1: expected})


def _batch(n, k, rows, width, dtype):
    x, gamma, beta = _rows(n, k, dtype)
    old = [_random.uniform(size=k).astype(dtype) for _ in range(2)]
    found = batch_norm.reference(HOST, *_wide((x, gamma, beta, *old)), 0.1, _EPS)
    y, (normal, factors), mean, variance = found
    parts = _statistics(x.astype("float64"), rows).astype(dtype)
    outputs = y, normal, factors, mean, variance
    options = (np.dtype(dtype).type(number) for number in (0.1, _EPS))
    grid, block, sizes = _shared_out(n, k, rows, width)
    arguments = [
        x, parts, gamma, beta, *old, *(unset(a.shape, dtype) for a in outputs),
        *options, *sizes,
    ]  # fmt: skip
    return Launch(grid, block, arguments, dict(enumerate(outputs, 6)))


def _batch_gradients(n, k, rows, dtype):
    """Return residuals, gain and gradient, the sums of parts, and what follows."""
    normal, gamma, factors = _rows(n, k, dtype)
    dy = _random.standard_normal((n, k)).astype(dtype)
    wide = _wide((normal, factors, gamma, dy))
    expected = batch_norm_backward.reference(HOST, wide[:2], *wide[2:])
    summed = np.stack([wide[3] * wide[0], wide[3]], axis=-1)
    parts = np.stack([summed[i : i + rows].sum(axis=0) for i in range(0, n, rows)])
    return (normal, factors, gamma, dy), parts, expected


def _batch_sums(n, k, rows, width, dtype):
    (normal, _, _, dy), parts, _ = _batch_gradients(n, k, rows, dtype)
    grid, block, sizes = _shared_out(n, k, rows, width)
    return Launch(
        grid, block, [normal, dy, unset(parts.shape, dtype), *sizes], {2: parts}
    )


def _batch_backward(n, k, rows, width, dtype):
    given, parts, expected = _batch_gradients(n, k, rows, dtype)
    grid, block, sizes = _shared_out(n, k, rows, width)
    outputs = [unset(array.shape, dtype) for array in expected]
    arguments = [*given, parts.astype(dtype), *outputs, *sizes]
    return Launch(grid, block, arguments, dict(enumerate(expected, 5)))


# Rows, columns, rows of a part, columns of a block.
_SHARES = {
    "usual": (20, 5, 8, 8),
    "one part": (9, 3, 9, 4),
    "two blocks of columns": (30, 40, 16, 32),
    "one column": (600, 1, 300, 1),
    "one row": (1, 4, 1, 4),
}


def _each(function, given=_SHAPES):
    return {n: functools.partial(function, *sizes) for n, sizes in given.items()}


KERNELS = {
    "layer_norm": {
        **_each(_forward),
        "not centred": functools.partial(_forward, 5, 17, 32, centred=False),
    },
    "layer_norm_backward": {
        **_each(_backward),
        "not centred": functools.partial(_backward, 5, 17, 32, centred=False),
    },
    "layer_norm_gradients": {
        "usual": functools.partial(_sums, 7, 17, 8),
        "not centred": functools.partial(_sums, 7, 17, 8, centred=False),
        "many rows": functools.partial(_sums, 300, 9, 8),
        "one column": functools.partial(_sums, 40, 1, 1),
        "wide blocks": functools.partial(_sums, 5, 40, 32),
    },
    "group_norm": _each(_group, _GROUPS),
    "group_norm_backward": _each(_group_backward, _GROUPS),
    "batch_norm_parts": _each(_batch_parts, _SHARES),
    "batch_norm": _each(_batch, _SHARES),
    "batch_norm_sums": _each(_batch_sums, _SHARES),
    "batch_norm_backward": _each(_batch_backward, _SHARES),
}
