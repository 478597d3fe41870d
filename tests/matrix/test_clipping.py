"""Clipping by norm where squares overflow or vanish, and of what is no number."""

import math

import numpy as np
import pytest

import nnfs_xp as nx
from tests.matrix.helpers import assert_agrees, move
from tests.matrix.optimizer_runs import fresh, train


def exactly_clipped(values, limit):
    """Clip by norm in float64, where a hypotenuse is safe from squares."""
    norm = math.hypot(*values)
    if math.isinf(norm):
        return 2 * exactly_clipped([value / 2 for value in values], limit / 2)
    return np.asarray(values) * (limit / max(norm, limit))


NORMS = {
    "usual": ([3.0, -4.0, 0.0], 1.0),
    "at the limit": ([3.0, -4.0, 0.0], 5.0),
    # One over the other and back again is not the same number in either dtype.
    "below it": ([1.0, -3.7, 0.0], 5.5),
    "zero": ([0.0, 0.0, 0.0], 1.0),
    "squares overflow": ([1e30, -3e30, 1e25], 2.0),
    "the norm overflows": ([3e38, -3e38, 3e38], 1.0),
    "and is far from the limit": ([3e38, -3e38, 3e38], 1e-5),
    "a large limit": ([3e30, 4e30, 0.0], 1e30),
    "a limit beyond the gradient": ([3e37, 4e37, 0.0], 3e38),
    "squares vanish": ([3e-30, -4e-30, 0.0], 1e-30),
    "small and below": ([3e-30, -4e-30, 0.0], 1.0),
    "all of it is tiny": ([3e-37, -4e-37, 0.0], 1e-37),
}


@pytest.mark.parametrize("kind", NORMS)
def test_norms_neither_overflow_nor_vanish(backend, kind):
    values, limit = NORMS[kind]
    rounded = np.asarray(values, backend.dtype_name).astype("float64")
    expected = exactly_clipped(rounded.tolist(), limit)
    rtol = 1e-14 if backend.dtype_name == "float64" else 1e-6
    # Outside of the context that hides warnings, as whoever calls it may be.
    found, given = clipped_step(backend, {"a": values[:1], "b": values[1:]}, limit)
    assert_agrees(found["a"], expected[:1], backend, rtol=rtol)
    assert_agrees(found["b"], expected[1:], backend, rtol=rtol)
    if np.array_equal(expected, rounded):
        for name, gradient in given.items():
            np.testing.assert_array_equal(
                backend.to_numpy(found[name]), backend.to_numpy(gradient)
            )


def clipped_step(be, values, limit):
    """Return what a step with rate 1 takes off parameters of 0, and the gradients."""
    gradients = move(be, {name: np.asarray(value) for name, value in values.items()})
    parameters = fresh(be, {k: np.zeros(len(value)) for k, value in values.items()})
    optimizer = nx.SGD(1.0, clip_norm=limit)
    state = optimizer.init(be, parameters)
    if be.name == "array_api_strict":  # its default device is another one
        with be.context():
            optimizer.update(be, parameters, gradients, state)
    else:
        optimizer.update(be, parameters, gradients, state)
    return {name: 0.0 - value for name, value in parameters.items()}, gradients


def test_norm_of_the_widest_numbers_of_float64(backend64):
    for values in ([1.5e308, 1.7e308], [3e-307, 4e-307], [3e-200, -4e-200]):
        found, _ = clipped_step(backend64, {"a": values}, values[0] / 2)
        expected = exactly_clipped(values, values[0] / 2)
        assert_agrees(found["a"], expected, backend64, rtol=1e-14)


@pytest.mark.parametrize("clip", [{"clip_value": 1.0}, {"clip_norm": 1.0}])
def test_what_is_not_a_number_stays_so(backend, clip):
    gradients = {"a": np.array([np.nan, 2.0]), "b": np.array([0.5])}
    start = {"a": np.zeros(2), "b": np.zeros(1)}
    found, _ = train(backend, nx.SGD(1.0, **clip), start, [gradients])
    expected = [np.nan, -1.0, -0.5] if "clip_value" in clip else [np.nan] * 3
    found = np.concatenate([backend.to_numpy(found[name]) for name in start])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        ({"clip_value": 1.0}, [-1.0, -1.0, 1.0]),
        # Nothing is left of the others beside an infinite one.
        ({"clip_norm": 1.0}, [np.nan, 0.0, 0.0]),
    ],
)
def test_infinite_gradients(backend, clip, expected):
    gradients, start = {"a": np.array([np.inf, 2.0, -2.0])}, {"a": np.zeros(3)}
    found, _ = train(backend, nx.SGD(1.0, **clip), start, [gradients])
    np.testing.assert_array_equal(backend.to_numpy(found["a"]), expected)


def test_a_clip_value_beyond_the_dtype(backend):
    found, _ = train(backend, nx.SGD(0.1, clip_value=1e38))
    expected, _ = train(backend, nx.SGD(0.1))
    for name, value in expected.items():
        np.testing.assert_array_equal(
            backend.to_numpy(found[name]), backend.to_numpy(value)
        )
