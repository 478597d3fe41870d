"""Inputs of softmax with cross-entropy."""

import numpy as np

_random = np.random.default_rng(6)


def _draw(*shape, scale=2.0):
    return _random.standard_normal(shape) * scale


def classes(rows, columns):
    """Return scores of rows, and the class of each."""
    return _draw(rows, columns, scale=3.0), _random.integers(0, columns, rows)


def _int32(rows, columns):
    scores, labels = classes(rows, columns)
    return scores, labels.astype("int32")


def _weighed(n):
    return {"number": 0.25, "weights": _random.uniform(0, 1, n)}


def _repeated(rows, times):
    """Return rows with further columns, of other numbers where they are finite."""
    return np.concatenate([rows - number for number in range(times)], axis=1)


def _with_gradient():
    far = np.array([[1e9, -1e9, 0.0], [-np.inf, 0.0, 1.0], [1e4, -1e4, 0.0]])
    nan = np.array([[np.nan, 0.0], [0.0, 1.0], [0.0, np.nan]])
    cases = {
        "usual": classes(20, 4),
        "many classes": classes(7, 100),
        "more classes": classes(3, 3000),
        "one class": classes(3, 1),
        "one row": classes(1, 5),
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
        "many rows": classes(300, 3),
        "many rows of targets": (_draw(200, 4), np.abs(_draw(200, 4))),
        "many rows, column by column": (
            _draw(10, 90).T,
            np.arange(90, dtype="int32") % 11,
        ),
        "many rows, far apart": (np.tile(far, (100, 1)), np.tile([1, 1, 0], 100)),
        "many rows, NaN": (np.tile(nan, (100, 1)), np.tile([0, 1, 0], 100)),
        "many classes, far apart": (_repeated(far, 9), np.array([13, 4, 25], "int32")),
        "many classes, NaN": (_repeated(nan, 10), np.array([3, 17, 4])),
        "no such label of many": (_draw(4, 30), np.array([-1, 30, 29, 2**31])),
    }
    for kind, (z, y) in cases.items():
        for name, weights in _weighed(len(z)).items():
            yield f"{kind}, {name}", (z, y, weights)


_z, _labels = _int32(20, 4)
_rows = np.abs(_draw(20, 4))
_weights = _random.uniform(0, 1, 20)
_far = np.array([[1e9, -1e9, 0.0], [-np.inf, 0.0, 1.0], [1e-300, 0.0, 0.0]])

CASES = {
    "softmax_cross_entropy": {
        "usual": (_z, _labels),
        "many classes": _int32(7, 100),
        "many rows": _int32(300, 3),
        "one class": _int32(3, 1),
        "one row": _int32(1, 5),
        "rows of targets": (_z, _rows),
        "not contiguous": (np.repeat(_z, 2, axis=1)[:, ::2], _labels),
        "transposed": (np.asfortranarray(_z), _labels),
        "far apart": (_far, np.array([1, 1, 0], dtype="int32")),
        "NaN": (np.array([[np.nan, 0.0], [0.0, 1.0]]), np.array([0, 1], "int32")),
    },
    "softmax_cross_entropy_backward": {
        "usual": (np.abs(_z), _labels, 0.25),
        "weights": (np.abs(_z), _labels, _weights),
        "rows of targets": (np.abs(_z), _rows, 0.25),
        "rows and weights": (np.abs(_z), _rows, _weights),
        "many rows": (np.abs(_draw(300, 3)), _int32(300, 3)[1], 0.25),
        "one row": (np.ones((1, 3)), np.array([2], "int32"), 1.0),
        "not contiguous": (np.abs(_z).T.copy().T, _labels, 0.5),
        "NaN": (np.array([[np.nan, 0.0]]), np.array([1], "int32"), 1.0),
    },
    "softmax_cross_entropy_with_gradient": dict(_with_gradient()),
}
OVERWRITTEN = {}
