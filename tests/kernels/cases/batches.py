"""Cases of ``batches.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.batching import gather_batch, rescaled
from nnfs_xp.kernels.cupy.launch import SOURCE_TYPES
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(34)
_NULL = np.uint64(0)
_HALVES = np.array(
    [
        [0.0, -0.0, 1.0, -2.5],
        [6e-8, 6e-5, -65504.0, 0.333],
        [np.inf, -np.inf, np.nan, 3],
    ]
).astype("float16")


def _values(name):
    if name == "float16":
        return _HALVES
    low = 0 if name[0] in "bu" else -50
    return _random.integers(low, 100, (9, 4)).astype(name)


def _gather(x, y, y_bytes, weight, order, start, size, rescale, dtype, where=None):
    x = x.astype(dtype) if x.dtype == "float64" else x
    expected = gather_batch.reference(HOST, (x, y, weight), order, start, size, rescale)
    features = x[0].size
    y_units = y[0].nbytes // y_bytes
    scale, offset = map(np.dtype(dtype).type, rescale or (1.0, 0.0))
    first = _NULL if where is None else np.array(start, where)
    no_weight = weight is None
    arguments = [
        _NULL if order is None else order,
        np.int32(0 if order is None else order.itemsize),
        np.int64(start if where is None else 99),
        first, np.int32(0 if where is None else first.itemsize), np.int64(len(x)),
        x, np.int32(SOURCE_TYPES[x.dtype.name]), unset(expected[0].shape, dtype),
        np.int64(size * features), np.int64(features), np.bool_(rescale is not None),
        scale, offset,
        y, unset(expected[1].shape, y.dtype), np.int64(size * y_units),
        np.int64(y_units), np.int32(y_bytes),
        _NULL if no_weight else weight,
        _NULL if no_weight else unset(size, weight.dtype),
        np.int64(0 if no_weight else size),
        np.int32(1 if no_weight else weight.itemsize),
    ]  # fmt: skip
    found = {8: expected[0], 15: expected[1]}
    if not no_weight:
        found[20] = expected[2]
    return Launch((3,), (32,), arguments, found)


_IMAGES, _LABELS = _values("uint8"), np.arange(9, dtype="int32") * 3
_FLOATS = _random.standard_normal((9, 3))
_ORDER = _random.permutation(9).astype("int32")
_WEIGHTS = _random.uniform(0, 1, 9)


def _of_type(name, dtype):
    x = _values(name)
    y = np.arange(len(x))
    return _gather(x, y, 8, None, None, 0, len(x), (0.5, 1.0), dtype)


def _rescale(x, scale, offset, dtype):
    x = x.astype(dtype) if x.dtype == "float64" else x
    arguments = [
        x, np.int32(SOURCE_TYPES[x.dtype.name]), unset(x.shape, dtype),
        np.int64(x.size), *map(np.dtype(dtype).type, (scale, offset)),
    ]  # fmt: skip
    return Launch(
        (2,), (32,), arguments, {2: rescaled.reference(HOST, x, scale, offset)}
    )


KERNELS = {
    "gather_batch": {
        "usual": functools.partial(
            _gather, _IMAGES, _LABELS, 4, _WEIGHTS, _ORDER, 2, 5, None
        ),
        "rescaled": functools.partial(
            _gather, _IMAGES, _LABELS, 4, None, _ORDER, 0, 9, (1 / 255, -0.5)
        ),
        "order of int64": functools.partial(
            _gather, _IMAGES, _LABELS, 4, None, _ORDER.astype("int64"), 1, 2, None
        ),
        "around the end": functools.partial(
            _gather, _FLOATS, _LABELS, 4, _WEIGHTS, None, 7, 12, None
        ),
        "start of int32": functools.partial(
            _gather, _FLOATS, _LABELS, 4, None, None, 7, 5, None, where="int32"
        ),
        "start of int64": functools.partial(
            _gather, _FLOATS, _LABELS, 4, None, _ORDER, 4, 5, None, where="int64"
        ),
        **{
            f"targets by {size} bytes": functools.partial(
                _gather, _FLOATS, _FLOATS, size, None, _ORDER, 4, 5, None
            )
            for size in (1, 2, 4, 8)
        },
        **{name: functools.partial(_of_type, name) for name in SOURCE_TYPES},
    },
    "rescaled": {
        name: functools.partial(_rescale, _values(name), -0.5, 1.0)
        for name in SOURCE_TYPES
    },
}
