"""Special functions against Python's own, one number at a time."""

import math

import numpy as np
import pytest

from nnfs_xp.special import erfc, erfcx, sigmoid, softplus
from tests.conftest import backend_or_skip

# The largest relative error allowed, by dtype.
TOLERANCE = {"float64": 2e-15, "float32": 1e-6}
# Where erfc is last a normal number.
LAST = {"float64": 26.5, "float32": 9.1}


def applied(be, function, x):
    """Return the inputs as the backend rounds them, and the results, as float64."""
    inputs = be.asarray(np.asarray(x), be.dtype)
    results = function(be, inputs)
    assert results.dtype == be.dtype
    assert results.shape == inputs.shape
    return tuple(be.to_numpy(a).astype(np.float64) for a in (inputs, results))


def assert_equals(be, function, x, expected):
    inputs, results = applied(be, function, x)
    wanted = np.array([expected(float(value)) for value in inputs])
    rtol = TOLERANCE[be.dtype_name]
    np.testing.assert_allclose(results, wanted, rtol=rtol, atol=0)


def grid(start, stop, count=4001):
    """Evenly spaced and random points, and the neighbourhood of 0."""
    random = np.random.default_rng(4).uniform(start, stop, count)
    return np.concatenate(
        [np.linspace(start, stop, count), random, np.geomspace(1e-18, 1.0, 200)]
    )


def test_erfc(backend):
    assert_equals(backend, erfc, grid(-6.0, LAST[backend.dtype_name]), math.erfc)


@pytest.mark.backend("jax")
def test_erfc_is_as_exact_in_a_compiled_step(dtype):
    """Compilers turn formulas around: exp(a) exp(b) is then exp(a + b)."""
    be = backend_or_skip("jax", dtype)
    import jax

    def compiled(be, x):
        return jax.jit(lambda x: erfc(be, x))(x)

    assert_equals(be, compiled, grid(-6.0, LAST[dtype]), math.erfc)


def test_erfc_of_negative_numbers_is_2_less_that_of_positive_ones(backend):
    x = np.abs(grid(0.0, 30.0))
    _, right = applied(backend, erfc, x)
    _, left = applied(backend, erfc, -x)
    two = np.asarray(2, backend.dtype_name)
    np.testing.assert_array_equal(left, two - right.astype(backend.dtype_name))


def test_erfc_far_from_0(backend):
    x = [-np.inf, -1e30, -30.0, -0.0, 0.0, 30.0, 1e30, np.inf, np.nan]
    _, found = applied(backend, erfc, x)
    np.testing.assert_array_equal(found, [2, 2, 2, 1, 1, 0, 0, 0, np.nan])


def test_erfc_stays_positive_as_it_vanishes(backend):
    last = LAST[backend.dtype_name]
    _, found = applied(backend, erfc, np.linspace(last, last + 2, 100))
    smallest = np.finfo(backend.dtype_name).smallest_normal
    assert (found >= 0).all()
    assert (found[1:] <= found[:-1] + smallest).all()
    assert found[-1] <= smallest


def test_erfcx(backend):
    assert_equals(
        backend, erfcx, grid(0.0, 2.0), lambda x: math.exp(x * x) * math.erfc(x)
    )

    def series(x):
        """Asymptotic series, Abramowitz and Stegun 7.1.23."""
        total = term = 1.0
        for n in range(1, 12):
            term *= -(2 * n - 1) / (2 * x * x)
            total += term
        return total / (x * math.sqrt(math.pi))

    assert_equals(backend, erfcx, np.linspace(10.0, 30.0, 2001), series)


def test_sigmoid(backend):
    # Down to the smallest normal numbers.
    lowest = {"float64": -708.0, "float32": -87.0}[backend.dtype_name]
    x = np.concatenate([np.linspace(lowest, 40.0, 3001), [-0.0, 0.0]])

    def expected(x):
        return math.exp(x) / (1 + math.exp(x)) if x < 0 else 1 / (1 + math.exp(-x))

    assert_equals(backend, sigmoid, x, expected)
    _, found = applied(backend, sigmoid, [-np.inf, -1e30, 1e30, np.inf, np.nan])
    np.testing.assert_array_equal(found, [0, 0, 1, 1, np.nan])


def test_softplus(backend):
    lowest = {"float64": -708.0, "float32": -87.0}[backend.dtype_name]
    x = np.concatenate([np.linspace(lowest, 40.0, 3001), [-0.0, 0.0, 1e30]])

    def expected(x):
        return max(x, 0.0) + math.log1p(math.exp(-abs(x)))

    assert_equals(backend, softplus, x, expected)
    _, found = applied(backend, softplus, [-np.inf, -1e30, np.inf, np.nan])
    np.testing.assert_array_equal(found, [0, 0, np.inf, np.nan])


@pytest.mark.parametrize("function", [erfc, sigmoid, softplus])
def test_arguments_are_left_alone(backend, function):
    x = backend.asarray(np.linspace(-3.0, 3.0, 12).reshape(3, 4), backend.dtype)
    before = backend.to_numpy(x)
    function(backend, x)
    np.testing.assert_array_equal(backend.to_numpy(x), before)
