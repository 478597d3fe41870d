"""Cases of the kernels that a whole training step is made of."""

from __future__ import annotations

import dataclasses

import numpy as np

import nnfs_xp as nx
import nnfs_xp.layers.dense_activation
import nnfs_xp.layers.elementwise
import nnfs_xp.metrics.accumulation
from nnfs_xp.random import Stream

_random = np.random.default_rng(12)


@dataclasses.dataclass(frozen=True)
class Exactly:
    """An array whose dtype is kept, also where it is one of floats."""

    array: np.ndarray


ACTIVATIONS = {
    "Linear": nx.Linear(),
    "ReLU": nx.ReLU(),
    "LeakyReLU": nx.LeakyReLU(0.1),
    "steep LeakyReLU": nx.LeakyReLU(2.0),
    "ELU": nx.ELU(),
    "ELU of 0.5": nx.ELU(0.5),
    "GELU": nx.GELU(),
    "GELU tanh": nx.GELU("tanh"),
    "SiLU": nx.SiLU(),
    "Softplus": nx.Softplus(),
    "Sigmoid": nx.Sigmoid(),
    "Tanh": nx.Tanh(),
}
_special = np.array(
    [[0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, 50.0, -50.0]]
)


def _draw(*shape, scale=2.0):
    return _random.standard_normal(shape) * scale


def _shapes():
    """Yield pairs of (n, k) arrays of all kinds."""
    yield "usual", _draw(33, 17), _draw(33, 17)
    yield "wide", _draw(3, 5000), _draw(3, 5000)
    yield "long", _draw(3000, 3), _draw(3000, 3)
    yield "size 1", _draw(1, 1), _draw(1, 1)
    yield "no rows", _draw(0, 4), _draw(0, 4)
    yield "transposed", _draw(6, 5).T, _draw(6, 5).T
    yield "gaps", _draw(6, 6)[::2, ::3], _draw(6, 6)[::2, ::3]
    yield "special", _special, np.ones((1, 12))
    yield "far", np.linspace(-110, 110, 60)[None], np.ones((1, 60))


def _activation_cases():
    for shape, z, dy in _shapes():
        for name, activation in ACTIVATIONS.items():
            if shape in ("usual", "special", "far") or name in ("ReLU", "SiLU"):
                yield f"{name}, {shape}", z, dy, activation
    special = np.where(np.isnan(_special), 1.0, _special)
    for name in ("ReLU", "Linear"):
        yield f"{name}, special dy", _draw(1, 12), special, ACTIVATIONS[name]


_PAIRS = list(_activation_cases())
_BIASES = {kind: _draw(1, z.shape[1], scale=0.1) for kind, z, _, _ in _PAIRS}

# How to call what cannot be called alone: f gives a function by its name.
CALLS = {
    "bias_activation": lambda f, be, *given: f("bias_activation")(be, *given)[0],
    "activation_bias_backward": lambda f, be, z, biases, dy, activation: f(
        "activation_bias_backward"
    )(be, f("bias_activation")(be, z, biases, activation)[1], dy, activation),
    "activation_forward": lambda f, be, *given: f("activation_forward")(be, *given)[0],
    "activation_backward": lambda f, be, x, dy, activation: f("activation_backward")(
        be, f("activation_forward")(be, x, activation)[1], dy, activation
    ),
}


def _classes(rows, columns):
    return _draw(rows, columns, scale=3.0), _random.integers(0, columns, rows)


def _weighed(n):
    return {"number": 0.25, "weights": _random.uniform(0, 1, n)}


def _with_gradient():
    far = np.array([[1e9, -1e9, 0.0], [-np.inf, 0.0, 1.0], [1e4, -1e4, 0.0]])
    nan = np.array([[np.nan, 0.0], [0.0, 1.0], [0.0, np.nan]])
    cases = {
        "usual": _classes(20, 4),
        "many classes": _classes(7, 100),
        "more classes": _classes(3, 3000),
        "one class": _classes(3, 1),
        "one row": _classes(1, 5),
        "rows of targets": (_draw(20, 4), np.abs(_draw(20, 4))),
        "long rows of targets": (_draw(3, 2000), np.abs(_draw(3, 2000))),
        "rows of integers": (_draw(3, 4), _random.integers(0, 2, (3, 4))),
        "labels of bytes": (_draw(3, 4), np.array([0, 3, 1], "uint8")),
        "short labels": (_draw(3, 4), np.array([0, 3, 1], "int32")),
        "no such label": (_draw(3, 4), np.array([0, -1, 4])),
        "gaps": (np.repeat(_draw(5, 4), 2, axis=1)[:, ::2], np.array([0, 1, 2, 3, 0])),
        "transposed": (_draw(4, 5).T, np.array([0, 1, 2, 3, 0])),
        "far apart": (far, np.array([1, 1, 0])),
        "NaN": (nan, np.array([0, 1, 0])),
        "infinite": (np.array([[-np.inf, -np.inf], [np.inf, 0.0]]), np.array([0, 1])),
        "no rows": (np.ones((0, 3)), np.ones(0, "int64")),
    }
    for kind, (z, y) in cases.items():
        for name, weights in _weighed(len(z)).items():
            yield f"{kind}, {name}", (z, y, weights)


_WITH_GRADIENT = dict(_with_gradient())

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
    scores, labels = _classes(50, 7)
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
    yield "many", (*_classes(700, 100), 5)
    yield "labels of bytes", (scores, labels.astype("uint8"), None)
    yield "gaps", (np.repeat(scores, 2, axis=1)[:, ::2], labels, None)
    yield "no rows", (np.ones((0, 3)), np.ones(0, "int64"), None)


MORE_CASES = {
    "bias_activation": {
        kind: (z, _BIASES[kind], activation) for kind, z, _, activation in _PAIRS
    },
    "activation_bias_backward": {
        kind: (z, _BIASES[kind], dy, activation) for kind, z, dy, activation in _PAIRS
    },
    "activation_forward": {
        **{kind: (z, activation) for kind, z, _, activation in _PAIRS},
        "three axes": (_draw(2, 3, 4), nx.GELU()),
        "unknown": (_draw(2, 3), nx.Softmax()),
    },
    "activation_backward": {
        **{kind: (z, dy, activation) for kind, z, dy, activation in _PAIRS},
        "three axes": (_draw(2, 3, 4), _draw(2, 3, 4), nx.GELU()),
        "unknown": (_draw(2, 3), _draw(2, 3), nx.Softmax()),
    },
    "softmax_cross_entropy_with_gradient": _WITH_GRADIENT,
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
MORE_OVERWRITTEN = {
    "bias_activation": {0},
    "activation_bias_backward": {0},
    "accumulate": {0, 1},
}
