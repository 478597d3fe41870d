"""Cases of ``statistics.cu``."""

from __future__ import annotations

import functools

import numpy as np

from nnfs_xp.engine.statistics import accumulate
from nnfs_xp.kernels.cupy.statistics import _ENTRIES
from nnfs_xp.metrics.accuracy import count_correct
from tests.kernels.cases.launch import HOST, Launch, unset

_random = np.random.default_rng(35)


def _draw(*shape):
    return _random.standard_normal(shape)


class AccumulateLaunch(Launch):
    """Its arrays are known to the kernel by the addresses in a struct."""

    def addressed(self, given):
        """Return the struct with the addresses of these arrays."""
        table = self.arguments[0].copy()
        for number, entry in enumerate(table["entry"]):
            for position, name in enumerate(("total", "batch", "values")):
                array = given[1 + 3 * number + position] if self.rows > number else None
                if isinstance(array, np.ndarray):
                    entry[name] = array.ctypes.data
        return [table[()]]

    @property
    def rows(self):
        return (len(self.arguments) - 1) // 3


def _accumulate(totals, slots, values, dtype):
    cast = [
        value.astype(dtype) if getattr(value, "dtype", None) == "float64" else value
        for value in (*totals, *values)
    ]
    totals, values = cast[: len(totals)], cast[len(totals) :]
    kept = [
        unset(t.shape, t.dtype) if s else None
        for t, s in zip(totals, slots, strict=True)
    ]
    sums, own = accumulate.reference(
        HOST, [t.astype("float64" if t.dtype.kind == "f" else t.dtype) for t in totals],
        kept, values,
    )  # fmt: skip
    table, arguments, expected = np.zeros((), _ENTRIES), [None], {}
    for number, (total, slot, value) in enumerate(
        zip(totals, kept, values, strict=True)
    ):
        entry = table["entry"][number]
        entry["length"], entry["rows"] = total.size, 1
        entry["total_is_integer"] = total.dtype.kind == "i"
        if isinstance(value, int):
            entry["number"] = value
        else:
            entry["rows"] = len(value) if value.ndim > total.ndim else 1
            entry["values_are_integers"] = value.dtype.kind == "i"
        arguments += [total, slot, value]
        expected[1 + 3 * number] = sums[number]
        if slot is not None:
            # A number stands for an array full of it.
            expected[2 + 3 * number] = np.broadcast_to(own[number], slot.shape)
    arguments[0] = table
    return AccumulateLaunch((2, len(totals)), (64,), arguments, expected)


def _count(scores, targets, ignored, blocks, dtype):
    scores = scores.astype(dtype)
    rows = targets.ndim == 2
    targets = targets.astype(dtype) if rows else targets
    found = count_correct.reference(HOST, scores, targets, ignored)
    n, k = scores.shape
    counts = unset(2, "int32") if blocks == 1 else np.zeros(2, "int32")
    arguments = [
        scores, targets, np.int32(0 if rows else targets.itemsize),
        np.bool_(ignored is not None and not rows),
        np.int64(0 if ignored is None else ignored), counts, np.int64(n), np.int64(k),
    ]  # fmt: skip
    expected = np.array([found["correct"], found["count"]])
    return Launch((blocks,), (64,), arguments, {5: expected})


_SCORES, _LABELS = _draw(50, 7), _random.integers(0, 7, 50)
_TIES = _random.integers(0, 2, (40, 50)).astype("float64")
_NAN = np.where(_random.uniform(size=(40, 50)) > 0.95, np.nan, _TIES)
_ROW, _NUMBER, _COUNT = _draw(4), np.asarray(1.5), np.asarray(3, "int32")
_MATRIX = _random.integers(0, 9, (3, 3)).astype("int32")

KERNELS = {
    "accumulate": {
        "usual": functools.partial(
            _accumulate,
            [_NUMBER, _COUNT, _MATRIX, _ROW],
            [True, True, False, False],
            [_draw(500), 128, _MATRIX, _draw(6, 4)],
        ),
        "many rows": functools.partial(
            _accumulate, [_ROW, _NUMBER], [True, False], [_draw(300, 4), _draw(33)]
        ),
        "of other types": functools.partial(
            _accumulate,
            [_NUMBER, _COUNT, _ROW],
            [True, True, True],
            [np.arange(70, dtype="int32"), np.arange(9.0), 5],
        ),
        "no rows": functools.partial(_accumulate, [_ROW], [True], [_draw(0, 4)]),
        "twelve": functools.partial(
            _accumulate, [_NUMBER] * 12, [True] * 12, [_draw(n + 28) for n in range(12)]
        ),
        "large": functools.partial(_accumulate, [_draw(500)], [True], [_draw(500)]),
        "huge": functools.partial(
            _accumulate, [np.zeros(())], [True], [np.full(50, 1e30)]
        ),
    },
    "count_correct": {
        f"{kind}, {blocks} blocks": functools.partial(
            _count, scores, targets, ignored, blocks
        )
        for blocks in (1, 3)
        for kind, scores, targets, ignored in (
            ("usual", _SCORES, _LABELS, None),
            ("labels of int32", _SCORES, _LABELS.astype("int32"), None),
            ("ignored labels", _SCORES, _LABELS, 3),
            ("rows", _SCORES, _draw(50, 7), 3),
            ("equal scores", _TIES, np.argmax(_TIES, axis=1), None),
            ("equal scores, rows", _TIES, _TIES[::-1].copy(), None),
            ("NaN", _NAN, np.argmax(_NAN, axis=1), None),
            ("infinite", np.full((3, 40), -np.inf), np.array([0, 1, 0]), None),
            ("one class", _draw(3, 1), np.zeros(3, "int64"), None),
        )
    },
}
