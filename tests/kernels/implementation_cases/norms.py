"""Inputs of layer normalization and of its gradient."""

import numpy as np

_random = np.random.default_rng(44)
_normal = _random.standard_normal


def _rows(*shape):
    return _normal(shape), _normal(shape[-1:]), _normal(shape[-1:]), 1e-5


_wide = _normal((7, 12))
_no_number = _normal((3, 5))
_no_number[1] = [np.nan, 1.0, 2.0, np.inf, 0.0]
_of_six = _rows(1, 6)[1:]
_of_five = _rows(1, 5)[1:]
_usual, _deep = _rows(40, 17), _rows(3, 5, 8)


def _columns(*shape):
    """Return what `batch_norm` takes, with running statistics."""
    x, gamma, beta, eps = _rows(*shape)
    return x, gamma, beta, _normal(shape[-1:]), _normal(shape[-1:]) ** 2, 0.1, eps


def _without_shift(case):
    x, gamma, _, eps, *others = case
    return x, gamma, eps, *others


_batches = {
    "usual": _columns(40, 17),
    "images": _columns(3, 5, 4, 8),
    "several parts": _columns(900, 3),
    "wide": _columns(5, 300),
    "one row": _columns(1, 4),
    "one feature": _columns(40, 1),
    "two rows": _columns(2, 3),
    "no rows": _columns(0, 4),
    "huge": (_usual[0] * 1e15, *_columns(40, 17)[1:]),
    "tiny": (_usual[0] * 1e-15, *_columns(40, 17)[1:]),
    "gaps": (_wide[:, ::2], *_columns(7, 6)[1:]),
    "transposed": (_normal((6, 7)).T, *_columns(7, 6)[1:]),
    "no number": (_no_number, *_columns(3, 5)[1:]),
}
_layer_norms = {
    "usual": (*_usual, _normal((40, 17))),
    "three axes": (*_deep, _normal((3, 5, 8))),
    "wide": (*_rows(5, 300), _normal((5, 300))),
    "longer than a block": (*_rows(2, 1100), _normal((2, 1100))),
    "one row": (*_rows(1, 4), _normal((1, 4))),
    "one feature": (*_rows(4, 1), _normal((4, 1))),
    "no rows": (*_rows(0, 4), _normal((0, 4))),
    "gaps": (_wide[:, ::2], *_of_six, _wide[:, 1::2]),
    "transposed": (_normal((6, 7)).T, *_of_six, _normal((6, 7)).T),
}


def _groups(groups, *shape):
    x, gamma, beta, eps = _rows(*shape)
    return x, gamma, beta, groups, eps


_group_norms = {
    "usual": _groups(3, 4, 5, 6),
    "images": _groups(2, 3, 4, 5, 8),
    "no positions": _groups(2, 7, 6),
    "one group": _groups(1, 3, 5, 4),
    "a group for each channel": _groups(4, 3, 5, 4),
    "one value in a group": _groups(4, 3, 4),
    "larger than a block": _groups(2, 2, 300, 6),
    "far from 0": (_normal((4, 5, 6)) + 10.0, *_groups(3, 4, 5, 6)[1:]),
    "gaps": (_wide[:, ::2], *_groups(2, 7, 6)[1:]),
    "transposed": (_normal((6, 7)).T, *_groups(2, 7, 6)[1:]),
    "no number": (_no_number, *_groups(5, 3, 5)[1:]),
}
CASES = {
    "group_norm": _group_norms,
    "group_norm_backward": {
        name: (*case, _normal(case[0].shape)) for name, case in _group_norms.items()
    },
    "batch_norm": _batches,
    "batch_norm_backward": {
        name: (x, gamma, beta, eps, _normal(x.shape))
        for name, (x, gamma, beta, _, _, _, eps) in _batches.items()
        if name not in ("huge", "tiny")
    },
    "rms_norm": {name: _without_shift(case)[:3] for name, case in _layer_norms.items()},
    "rms_norm_backward": {
        name: _without_shift(case) for name, case in _layer_norms.items()
    },
    "layer_norm": {
        "usual": (*_usual, True),
        "in use": (*_usual, False),
        "three axes": (*_deep, True),
        "wide": (*_rows(5, 300), True),
        "one row": (*_rows(1, 4), True),
        "one feature": (*_rows(4, 1), True),
        "no rows": (*_rows(0, 4), True),
        "far from 0": (_usual[0] + 10.0, *_usual[1:], True),
        "all the same": (np.full((3, 17), 2.0), *_usual[1:], True),
        "huge": (_usual[0] * 1e15, *_usual[1:], True),
        "tiny": (_usual[0] * 1e-15, *_usual[1:], True),
        "gaps": (_wide[:, ::2], *_of_six, True),
        "transposed": (_normal((6, 7)).T, *_of_six, True),
        "no number": (_no_number, *_of_five, True),
    },
    "layer_norm_backward": {
        "usual": (*_usual, _normal((40, 17))),
        "three axes": (*_deep, _normal((3, 5, 8))),
        "wide": (*_rows(5, 300), _normal((5, 300))),
        "one row": (*_rows(1, 4), _normal((1, 4))),
        "one feature": (*_rows(4, 1), _normal((4, 1))),
        "no rows": (*_rows(0, 4), _normal((0, 4))),
        "far from 0": (_usual[0] + 10.0, *_usual[1:], _normal((40, 17))),
        "gaps": (_wide[:, ::2], *_of_six, _wide[:, 1::2]),
        "a gradient with gaps": (*_rows(7, 6), _wide[:, ::2]),
        "transposed": (_normal((6, 7)).T, *_of_six, _normal((6, 7)).T),
    },
}
OVERWRITTEN = {}
