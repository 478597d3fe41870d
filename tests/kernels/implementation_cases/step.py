"""Inputs of what else a training step is made of: batches, dropout, statistics."""

import numpy as np

from nnfs_xp.random import Stream
from tests.kernels.implementation_cases.calling import Exactly
from tests.kernels.implementation_cases.losses import classes

_random = np.random.default_rng(12)
_special = np.array(
    [[0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, 50.0, -50.0]]
)


def _draw(*shape, scale=2.0):
    return _random.standard_normal(shape) * scale


_IMAGES = _random.integers(0, 256, (9, 4, 3)).astype("uint8")
_LABELS = _random.integers(0, 10, 9).astype("int32")
_WEIGHTS = _random.uniform(0, 1, 9)
_ORDER = _random.permutation(9).astype("int32")
_HALF = np.array([[0.0, 1.0, -2.5, 6e-8, 6e-5, np.inf, -np.inf, np.nan, 65504.0]])


def _of_every_type():
    for name in (
        "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
        "uint64", "float32", "float64",
    ):  # fmt: skip
        values = _random.integers(0, 100, (5, 3)) - (0 if name[0] in "bu" else 50)
        yield name, Exactly(values.astype(name))
    yield "float16", Exactly(_HALF.astype("float16"))


def _gathering():
    data = (_IMAGES, _LABELS, _WEIGHTS)
    yield "usual", (data, _ORDER, 2, 4, None)
    yield "rescaled", (data, _ORDER, 0, 9, (1 / 127.5, -1.0))
    yield "order of int64", (data, _ORDER.astype("int64"), 3, 2, None)
    yield "in a row", (data, None, 2, 4, (0.5, 0.0))
    yield "around the end", (data, None, 7, 5, None)
    yield "twice around", (data, None, 20, 12, None)
    yield "no weights", ((_IMAGES, _LABELS, None), _ORDER, 0, 5, None)
    yield "rows of targets", ((_draw(9, 5), _draw(9, 5), None), _ORDER, 1, 6, None)
    yield "odd rows", (
        (_draw(9, 2), _random.integers(0, 9, (9, 3)).astype("uint8"), None),
        _ORDER, 1, 6, None,
    )  # fmt: skip
    yield "float64 targets", (
        (_draw(9, 2), Exactly(_draw(9, 3).astype("float64")), _WEIGHTS),
        _ORDER, 1, 6, None,
    )  # fmt: skip
    yield "samples alone", ((_IMAGES, None, None), _ORDER, 2, 4, (0.5, 1.0))
    yield "samples alone, in a row", ((_draw(9, 2), None, None), None, 7, 5, None)
    yield "targets alone", ((None, _LABELS, None), _ORDER, 2, 4, None)
    yield "targets alone, around the end", ((None, _LABELS, None), None, 7, 5, None)
    yield "rows of targets alone", ((None, _draw(9, 5), None), _ORDER, 1, 6, None)
    # Nothing is rescaled but samples.
    yield "no samples", ((None, _LABELS, _WEIGHTS), _ORDER, 2, 4, (0.5, 1.0))
    yield "weights alone", ((None, None, _WEIGHTS), _ORDER, 2, 4, None)
    yield "no targets", ((_IMAGES, None, _WEIGHTS), _ORDER, 2, 4, None)
    yield "targets alone, no row", ((None, _LABELS, None), _ORDER, 4, 0, None)
    yield "empty targets alone", ((None, _draw(9, 0), None), _ORDER, 2, 4, None)
    yield "one row", ((_IMAGES[:1], _LABELS[:1], None), None, 0, 1, None)
    yield "no row", (data, _ORDER, 4, 0, None)
    yield "numbers", ((_draw(9), _draw(9), None), _ORDER, 0, 9, (2.0, 1.0))
    yield "gaps", ((_draw(9, 6)[:, ::2], _LABELS, None), _ORDER, 1, 6, None)
    yield "special", ((_special.T, np.arange(12), None), None, 0, 12, (2.0, 1.0))
    for name, x in _of_every_type():
        n = len(x.array)
        rows = np.arange(n, dtype="int32")
        yield name, ((x, rows, None), rows[::-1].copy(), 0, n, (0.5, 1.0))


def _accumulating():
    number, count = np.asarray(1.5), np.asarray(3, "int32")
    row, matrix = _draw(4), _random.integers(0, 9, (3, 3)).astype("int32")
    yield (
        "usual",
        (
            [number, count, matrix],
            [np.zeros(()), np.zeros((), "int32"), np.zeros_like(matrix)],
            [_draw(33), 128, matrix],
        ),
    )
    yield "no slots", ([number, row], [None, None], [_draw(5), _draw(7, 4)])
    yield "long", ([number, row], [None, row], [_draw(5000), _draw(3000, 4)])
    yield "floats from integers", ([number], [number], [np.arange(50, dtype="int32")])
    yield "booleans", ([count], [count], [_draw(70) > 0])
    yield "long integers", ([count], [None], [np.arange(70)])
    yield "numbers", ([number, row, matrix], [number, row, None], [2, 3, 4])
    yield "size 1", ([number], [number], [np.asarray(0.5)])
    yield "no samples", ([number, row], [number, row], [_draw(0), _draw(0, 4)])
    yield "empty total", ([row[:0], count], [None, None], [row[:0], 1])
    yield "nothing", ([], [], [])
    yield "many", ([number] * 30, [number] * 30, [_draw(40) for _ in range(30)])
    yield "large matrix", ([_draw(300, 200)], [None], [_draw(300, 200)])
    yield "gaps", ([_draw(4, 4)[:, ::2]], [_draw(4, 4)[:, ::2]], [_draw(5, 4, 2)])
    yield "gaps in values", ([row], [row], [_draw(5, 8)[:, ::2]])
    yield "special", ([_special[0]], [_special[0]], [_special[0]])
    yield "huge", ([np.asarray(0.0)], [None], [np.full(9, 1e30)])


def _counting():
    scores, labels = classes(50, 7)
    ties = _random.integers(0, 2, (40, 50)).astype("float64")
    # One in a row: of several, CuPy's own argmax takes any.
    nan, first = ties.copy(), _random.integers(0, 50, 40)
    nan[np.arange(40), first] = np.nan
    first[::2] = np.argmax(ties, axis=1)[::2]
    yield "usual", (scores, labels.astype("int32"), None)
    yield "ignored labels", (scores, labels, 3)
    yield (
        "ignored label that is no class",
        (scores, np.where(labels > 3, -100, 3), -100),
    )
    yield "rows of targets", (scores, _draw(50, 7), None)
    yield "rows, and an ignored label", (scores, _draw(50, 7), 3)
    yield "rows of integers", (scores, np.eye(7, dtype="int64")[labels], None)
    yield "equal scores", (ties, np.argmax(ties, axis=1), None)
    yield "equal scores, rows", (ties, ties[::-1].copy(), None)
    yield "NaN", (nan, first, None)
    yield "infinite", (np.full((3, 3), -np.inf), np.array([0, 1, 0]), None)
    yield "one class", (_draw(5, 1), np.zeros(5, "int64"), None)
    yield "one row", (_draw(1, 5), np.array([2]), None)
    yield "many", (*classes(700, 100), 5)
    yield "labels of bytes", (scores, labels.astype("uint8"), None)
    yield "gaps", (np.repeat(scores, 2, axis=1)[:, ::2], labels, None)
    yield "no rows", (np.ones((0, 3)), np.ones(0, "int64"), None)


_SHAPES = ((3, 4), (5,), (2, 1, 3), (1,))
_COPIES = [np.zeros(shape) for shape in _SHAPES], [_draw(*shape) for shape in _SHAPES]
CASES = {
    "copy_arrays": {
        "usual": _COPIES,
        "none": ([], []),
        "one": ([np.zeros((1,))], [_draw(1)]),
        "more than at once": ([np.zeros(3)] * 30, [_draw(3) for _ in range(30)]),
        "empty": ([np.zeros((0, 2)), np.zeros(2)], [_draw(0, 2), _draw(2)]),
        "special": ([np.zeros(_special.shape)], [_special]),
        "gaps": ([np.zeros((3, 2))], [_draw(3, 4)[:, ::2]]),
        "transposed": ([np.zeros((3, 2))], [_draw(2, 3).T]),
        "stretched": ([np.zeros((3, 2))], [_draw(1, 2)]),
    },
    "draw": {
        "usual, booleans": (Stream(3, "a", 5), ("bernoulli", (33, 17), 0.3)),
        "usual, integers": (Stream(2**63 + 5, "b", 2**40), ("integers", (101,), 7)),
        "usual, uniform": (Stream(1, "c"), ("uniform", (5, 3, 2))),
        "usual, normal": (Stream(1, "c"), ("normal", (5, 3, 3))),
        "truncated normal": (Stream(1, "c"), ("truncated_normal", (5, 3))),
        "one number": (Stream(1, "c"), ("normal", ())),
        "empty": (Stream(1, "c"), ("normal", (0, 4))),
    },
    "dropout": {
        "usual": (_draw(33, 17), Stream(3, "a", 5), 0.8),
        "one axis": (_draw(9), Stream(2**63 + 5, "b", 2**40), 0.5),
        "nothing kept": (_draw(3, 4), Stream(1, "c"), 0.0),
        "all kept": (_draw(3, 4), Stream(1, "c"), 1.0),
        "nearly nothing kept": (_draw(300, 4), Stream(1, "c"), 1e-3),
        "booleans": (_draw(33, 17), _draw(33, 17) > 0, 0.8),
        "booleans, nothing kept": (_draw(3, 4), np.zeros((3, 4), bool), 0.0),
        "booleans with gaps": (_draw(3, 4), (_draw(3, 8) > 0)[:, ::2], 0.5),
        "gaps": (_draw(3, 8)[:, ::2], Stream(1, "c"), 0.5),
        "size 1": (_draw(1, 1), Stream(1, "d"), 0.5),
        "empty": (_draw(0, 4), Stream(1, "c"), 0.5),
        "special": (_special, Stream(1, "c"), 0.5),
    },
    "gather_batch": dict(_gathering()),
    "rescaled": {
        "usual": (_IMAGES, 1 / 127.5, -1.0),
        "size 1": (_draw(1, 1), 2.0, 1.0),
        "number": (np.asarray(3.0), 2.0, 1.0),
        "empty": (_draw(0, 3), 2.0, 1.0),
        "gaps": (_draw(4, 6)[:, ::2], 2.0, 1.0),
        "special": (_special, 0.5, 1.0),
        **{name: (x, -0.5, 1.0) for name, x in _of_every_type()},
    },
    "accumulate": dict(_accumulating()),
    "count_correct": dict(_counting()),
}
# Arguments that a kernel may write to.
OVERWRITTEN = {"accumulate": {0, 1}, "copy_arrays": {0}}
