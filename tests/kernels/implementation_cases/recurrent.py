"""Inputs of a loop over positions."""

import numpy as np

_random = np.random.default_rng(45)


def _step(carry, inputs):
    (state, count), (x, gain) = carry, inputs
    new = 0.5 * state + x * gain
    return (new, count + 1.0), (new, state, count * gain)


def _given(t, n, k):
    carry = _random.standard_normal((n, k)), np.zeros((n, k))
    return _step, carry, tuple(_random.standard_normal((2, t, n, k)))


CASES = {
    "scan": {
        "usual": (*_given(7, 3, 4), False),
        "backward": (*_given(7, 3, 4), True),
        "one position": (*_given(1, 2, 1), True),
        "no samples": (*_given(3, 0, 2), False),
    },
}
OVERWRITTEN = {}
