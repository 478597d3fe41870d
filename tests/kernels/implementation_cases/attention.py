"""Inputs of attention and of its gradient."""

import numpy as np

_random = np.random.default_rng(43)
_normal = _random.standard_normal


def _self(n, t, d):
    return (_normal((n, t, 3 * d)),)


def _cross(n, t, s, d):
    return _normal((n, t, d)), _normal((n, s, 2 * d))


def _drop(*shape):
    return (_random.uniform(size=shape) < 0.7) / 0.7


_mask = np.array([[1, 1, 0, 1, 1], [0, 0, 1, 1, 0]], "int32")
_blind = np.array([[0, 0, 0, 0, 0], [0, 1, 1, 1, 1]], "int32")
_wide = _normal((2, 5, 24))
# One value of the queries, keys or values of a sample, 6 features each.
_NO_NUMBERS = {
    f"{name} in the {part}, {t} positions": (t, number, 6 * place + 2)
    for name, number in {"NaN": np.nan, "infinity": np.inf}.items()
    for place, part in enumerate(("queries", "keys", "values"))
    for t in (7, 32)
}

# Parts, heads, causal, mask and drop.
_GIVEN = {
    "usual": (_self(3, 21, 12), 2, True, None, None),
    "not causal": (_self(2, 7, 6), 3, False, None, None),
    "of a length of vectors": (_self(2, 32, 8), 2, True, None, None),
    "long": (_self(1, 70, 4), 1, True, None, None),
    "another sequence": (_cross(2, 7, 5, 6), 2, False, None, None),
    "dropping": (_self(2, 9, 8), 2, True, None, _drop(2, 2, 9, 9)),
    "hiding": (_self(2, 5, 8), 2, False, _mask, None),
    "hiding and causal": (_self(2, 5, 8), 2, True, _blind, _drop(2, 2, 5, 5)),
    "one position": (_self(3, 1, 4), 2, True, None, None),
    "one feature": (_self(2, 3, 1), 1, True, None, None),
    "no samples": (_self(0, 3, 4), 2, True, None, None),
    "steep": ((3 * _self(2, 5, 4)[0],), 2, True, None, None),
    "gaps": ((_wide[..., ::2],), 2, True, None, None),
    "transposed": ((_normal((2, 12, 5)).swapaxes(1, 2),), 2, True, None, None),
}


def _with_one(t, number, feature):
    (parts,) = _self(2, t, 6)
    parts[1, 3, feature] = number
    return parts


def _gradient(parts):
    width = sum(part.shape[-1] for part in parts) // 3
    return _normal((*parts[0].shape[:2], width))


CASES = {
    "attention": {
        **{name: (*given, True) for name, given in _GIVEN.items()},
        "in use": (*_GIVEN["usual"], False),
        **{
            name: ((_with_one(*given),), 2, True, None, None, True)
            for name, given in _NO_NUMBERS.items()
        },
    },
    "attention_backward": {
        **{name: (*given, _gradient(given[0])) for name, given in _GIVEN.items()},
        "a gradient with gaps": (*_GIVEN["usual"], _normal((3, 21, 24))[..., ::2]),
    },
}
OVERWRITTEN = {}
