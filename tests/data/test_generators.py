"""What the generators of random points have in common: arguments and seeds."""

from __future__ import annotations

import numpy as np
import pytest

from nnfs_xp.data import spiral_data, vertical_data
from nnfs_xp.errors import DTypeError, InputError

# The tests are about this very state.
# ruff: noqa: NPY002


@pytest.fixture(params=[spiral_data, vertical_data], ids=lambda f: f.__name__)
def generate(request):
    return request.param


@pytest.fixture
def global_state():
    """Leave NumPy's global generator as it was."""
    before = np.random.get_state()
    yield
    np.random.set_state(before)


def state_of(generator):
    _, keys, position, has_gauss, gauss = generator.get_state()
    return keys.tolist(), position, has_gauss, gauss


def test_a_seed_leaves_the_global_state_alone(generate):
    before = state_of(np.random)
    first, _ = generate(10, 2, seed=7)
    again, _ = generate(10, 2, seed=np.uint32(7))
    other, _ = generate(10, 2, seed=8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert state_of(np.random) == before


def test_none_draws_from_the_global_state(generate, global_state):
    np.random.seed(7)
    expected, _ = generate(11, 3, seed=7)
    found, _ = generate(11, 3, seed=None)
    np.testing.assert_array_equal(found, expected)
    following, _ = generate(11, 3, seed=None)
    assert (following != expected).any()


def test_none_and_a_generator_go_on_alike(generate, global_state):
    np.random.seed(3)
    generator = np.random.RandomState(3)
    for _ in range(2):
        found, _ = generate(5, 2, seed=None)
        expected, _ = generate(5, 2, seed=generator)
        np.testing.assert_array_equal(found, expected)
    assert state_of(np.random) == state_of(generator)


def test_none_does_not_see_a_replaced_randn(generate, global_state, monkeypatch):
    """As nnfs.init() replaces it, and so would round float64 noise."""
    expected, _ = generate(5, 2, seed=3, dtype="float64")
    randn = np.random.randn
    rounded = lambda *shape: randn(*shape).astype("float32")  # noqa: E731
    monkeypatch.setattr(np.random, "randn", rounded)
    np.random.seed(3)
    found, _ = generate(5, 2, seed=None, dtype="float64")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64"), float])
def test_dtype_has_several_spellings(generate, dtype):
    assert generate(2, 2, dtype=dtype)[0].dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"samples": 0, "classes": 3}, "samples"),
        ({"samples": -1, "classes": 3}, "samples"),
        ({"samples": 2**31, "classes": 3}, "samples"),
        ({"samples": 2.0, "classes": 3}, "samples"),
        ({"samples": "2", "classes": 3}, "samples"),
        ({"samples": True, "classes": 3}, "samples"),
        ({"samples": 2, "classes": 0}, "classes"),
        ({"samples": 2, "classes": 257}, "classes"),
        ({"samples": 2, "classes": None}, "classes"),
        ({"samples": 2, "classes": 3, "seed": -1}, "seed"),
        ({"samples": 2, "classes": 3, "seed": 2**32}, "seed"),
        ({"samples": 2, "classes": 3, "seed": 0.5}, "seed"),
        ({"samples": 2, "classes": 3, "seed": False}, "seed"),
        ({"samples": 2, "classes": 3, "seed": [1, 2]}, "seed"),
        ({"samples": 2, "classes": 3, "seed": np.random.default_rng(0)}, "seed"),
    ],
)
def test_refused(generate, arguments, name, global_state):
    before = state_of(np.random)
    with pytest.raises(InputError, match=f"{name} must be an integer from"):
        generate(**arguments)
    assert state_of(np.random) == before


@pytest.mark.parametrize("dtype", ["float16", ">f4", "int64", None, 3, "x y"])
def test_refused_dtype(generate, dtype):
    with pytest.raises(DTypeError, match="dtype must be 'float32' or 'float64'"):
        generate(2, 2, dtype=dtype)
