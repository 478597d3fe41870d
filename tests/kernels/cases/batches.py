"""Cases of ``batches.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.engine.batching import gather_batch, rescaled
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


def _gather(
    x, y, y_bytes, weight, order, start, size, rescale, dtype, where=None, table=False
):
    if x is not None and x.dtype == "float64":
        x = x.astype(dtype)
    expected = gather_batch.reference(HOST, (x, y, weight), order, start, size, rescale)
    n = next(len(array) for array in (x, y, weight) if array is not None)
    features = 0 if x is None else x[0].size
    y_units = 0 if y is None else y[0].nbytes // y_bytes
    scale, offset = map(np.dtype(dtype).type, rescale or (1.0, 0.0))
    first = _NULL if where is None else np.array(start, where)
    x_out, y_out, weight_out = (
        _NULL if array is None else unset(array.shape, array.dtype if i else dtype)
        for i, array in enumerate(expected)
    )
    x_type = 0 if x is None else SOURCE_TYPES[x.dtype.name]
    arguments = [
        _NULL, _NULL if order is None else order,
        np.int32(0 if order is None else order.itemsize),
        np.int64(start if where is None else 99),
        first, np.int32(0 if where is None else first.itemsize), np.int64(n),
        _NULL if x is None else x, np.int32(x_type), x_out,
        np.int64(size * features), np.int64(features), np.bool_(rescale is not None),
        scale, offset,
        _NULL if y is None else y, y_out, np.int64(size * y_units),
        np.int64(y_units), np.int32(y_bytes),
        _NULL if weight is None else weight, weight_out,
        np.int64(0 if weight is None else size),
        np.int32(1 if weight is None else weight.itemsize),
    ]  # fmt: skip
    found = zip((9, 16, 21), expected, strict=True)
    written = {position: array for position, array in found if array is not None}
    if table:
        arguments[6] = np.int64(0)
        return _LookedUp((3,), (32,), arguments, written)
    return Launch((3,), (32,), arguments, written)


class _LookedUp(Launch):
    """Sources are found by a table, after the number of rows."""

    def addressed(self, given):
        sources = {place: given[place] for place in (1, 7, 15, 20)}
        arrays = [a for a in sources.values() if a is not _NULL]
        self.table = np.array([9, *(a.ctypes.data for a in arrays)], "uint64")
        cells = iter(self.table[1:].reshape(-1, 1))
        found = {p: next(cells) for p, a in sources.items() if a is not _NULL}
        return [self.table, *(found.get(p, a) for p, a in enumerate(given) if p)]


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
        "by a table": functools.partial(
            _gather, _IMAGES, _LABELS, 4, _WEIGHTS, _ORDER, 2, 5, None, table=True
        ),
        "by a table, around the end": functools.partial(
            _gather, _FLOATS, _LABELS, 4, None, None, 7, 12, None, table=True
        ),
        "samples alone": functools.partial(
            _gather, _FLOATS, None, 1, None, _ORDER, 2, 5, None
        ),
        "targets alone": functools.partial(
            _gather, None, _LABELS, 4, None, _ORDER, 2, 5, None
        ),
        "no samples": functools.partial(
            _gather, None, _FLOATS, 8, _WEIGHTS, None, 7, 5, (0.5, 1.0)
        ),
        "weights alone": functools.partial(
            _gather, None, None, 1, _WEIGHTS, _ORDER, 2, 5, None
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
