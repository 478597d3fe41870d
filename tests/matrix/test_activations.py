"""Activations at the ends of the number line, at 0, and where nothing is a number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnfs_xp as nx
from nnfs_xp.testing import Bound
from tests.matrix.cases.activations import ACTIVATIONS
from tests.matrix.cases.types import ElementwiseCase
from tests.matrix.helpers import NUMPY64

Function = Callable[[float], float]


@dataclasses.dataclass
class Known:
    """What is known of an activation, in Python's numbers, for every digit."""

    make: Callable[[], nx.Layer]
    value: Function
    slope: Function
    # What value and slope are, to the last digit, from far out to infinity.
    left: Function
    left_slope: float
    right: Function
    right_slope: float


def same(x):
    return x


def nothing(x):
    return 0.0


def sigmoid(x):
    return math.exp(min(x, 0)) / (1 + math.exp(-abs(x)))


def log_1_exp(x):
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


def normal(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def bell(x):
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def cubic(x):
    return math.sqrt(8 / math.pi) * (x + 0.044715 * x**3)


def cubic_slope(x):
    return math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * x**2)


def rectifier(make, value, slope, left=nothing, left_slope=0.0):
    return Known(make, value, slope, left, left_slope, same, 1.0)


def elu(alpha):
    return rectifier(
        lambda: nx.ELU(alpha),
        lambda x: x if x > 0 else alpha * math.expm1(x),
        lambda x: 1 if x > 0 else alpha * math.exp(x),
        left=lambda x: -alpha,
    )


def leaky(slope):
    return rectifier(
        lambda: nx.LeakyReLU(slope),
        lambda x: x if x > 0 else slope * x,
        lambda x: 1 if x > 0 else slope,
        left=lambda x: slope * x,
        left_slope=slope,
    )


KNOWN = {
    "ReLU": rectifier(nx.ReLU, lambda x: max(x, 0), lambda x: float(x > 0)),
    "LeakyReLU": leaky(0.01),
    "LeakyReLU, falling": leaky(-0.5),
    "ELU": elu(1.0),
    "ELU, steep": elu(2.0),
    "GELU": rectifier(
        nx.GELU, lambda x: x * normal(x), lambda x: normal(x) + x * bell(x)
    ),
    "GELU, tanh": rectifier(
        lambda: nx.GELU("tanh"),
        lambda x: x * sigmoid(cubic(x)),
        lambda x: sigmoid(cubic(x)) * (1 + x * sigmoid(-cubic(x)) * cubic_slope(x)),
    ),
    "SiLU": rectifier(
        nx.SiLU,
        lambda x: x * sigmoid(x),
        lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
    ),
    "Mish": rectifier(
        nx.Mish,
        lambda x: x * math.tanh(log_1_exp(x)),
        lambda x: (
            math.tanh(log_1_exp(x)) + x * sigmoid(x) / math.cosh(log_1_exp(x)) ** 2
        ),
    ),
    "CELU": rectifier(
        lambda: nx.CELU(2.0),
        lambda x: x if x > 0 else 2 * math.expm1(x / 2),
        lambda x: 1 if x > 0 else math.exp(x / 2),
        left=lambda x: -2.0,
    ),
    "LogSigmoid": Known(
        nx.LogSigmoid, lambda x: -log_1_exp(-x), lambda x: sigmoid(-x),
        same, 1.0, nothing, 0.0,
    ),
    "Softplus": rectifier(
        nx.Softplus, log_1_exp, sigmoid
    ),
    "Linear": rectifier(nx.Linear, same, lambda x: 1.0, left=same, left_slope=1.0),
    "Sigmoid": Known(
        nx.Sigmoid, sigmoid, lambda x: sigmoid(x) * sigmoid(-x),
        nothing, 0.0, lambda x: 1.0, 0.0,
    ),
    "Tanh": Known(
        nx.Tanh, math.tanh, lambda x: 1 - math.tanh(x) ** 2,
        lambda x: -1.0, 0.0, lambda x: 1.0, 0.0,
    ),
}  # fmt: skip


@pytest.fixture(params=list(KNOWN))
def known(request):
    return KNOWN[request.param]


def value_and_slope(layer, be, x):
    """Return both on the host. Without be.context(), NumPy warns of overflow."""
    x = be.asarray(np.asarray(x, be.dtype_name))
    unit = Bound(layer, be, {})
    y, residuals = unit.fwd(x)
    dx, _ = unit.bwd(residuals, be.asarray(np.ones(x.shape), be.dtype))
    return be.to_numpy(y), be.to_numpy(dx)


# Those of every activation that computes each output from one input, beside PyTorch's.
ELEMENTWISE = {
    repr(case.make()): case
    for cases in ACTIVATIONS.values()
    for case in cases
    if isinstance(case, ElementwiseCase)
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_far_out_and_where_nothing_is_a_number(backend, torch, name):
    """As PyTorch's function, where that is no NaN itself; and NaN stays NaN."""
    case, info = ELEMENTWISE[name], np.finfo(backend.dtype_name)
    far = 1e4 if backend.dtype_name == "float32" else 1e9
    large = float(info.max) / 8
    x = np.array([-np.inf, -large, -far, -40, 40, far, large, np.inf, 1.05, np.nan])
    x = x.astype(backend.dtype_name).astype("float64")
    leaf = torch.tensor(x, requires_grad=True)
    expected = case.torch_forward(torch, {}, leaf)
    expected.sum().backward()
    y, dx = value_and_slope(case.make(), backend, x)
    # Nor may a limit be NaN where PyTorch's function is.
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))
    assert not np.isnan(dx[:-1]).any()
    near = {"rtol": 64 * info.eps, "atol": 2 * info.eps}
    for found, theirs in ((y, expected.detach().numpy()), (dx, leaf.grad.numpy())):
        there = ~np.isnan(theirs)
        there[-1] = False
        assert there[2:6].all()
        np.testing.assert_allclose(found[there], theirs[there], **near)


def test_limits(backend, known):
    info = np.finfo(backend.dtype_name)
    far = 1e4 if backend.dtype_name == "float32" else 1e9
    x = [-np.inf, -float(info.max), -far, far, float(info.max), np.inf]
    y, dx = value_and_slope(known.make(), backend, x)
    values = [*map(known.left, x[:3]), *map(known.right, x[3:])]
    np.testing.assert_allclose(y, values, rtol=info.eps)
    slopes = [known.left_slope] * 3 + [known.right_slope] * 3
    # A sigmoid is never quite flat: a loss after it may divide by its slope.
    np.testing.assert_allclose(dx, slopes, rtol=info.eps, atol=info.tiny / info.eps)


def test_0_and_its_neighbours(backend, known):
    info = np.finfo(backend.dtype_name)
    normal, subnormal = float(info.smallest_normal), float(info.smallest_subnormal)
    x = np.array([-normal, -subnormal, -0.0, 0.0, subnormal, normal])
    y, dx = value_and_slope(known.make(), backend, x)
    np.testing.assert_allclose(y, known.value(0.0), rtol=info.eps, atol=4 * normal)
    for at, slope in zip(x, dx, strict=True):
        # Some libraries take a subnormal number for 0.
        allowed = [known.slope(x) for x in ([at, 0.0] if abs(at) < normal else [at])]
        assert np.isclose(slope, allowed, rtol=2 * info.eps, atol=0).any(), at


def test_small_values_have_all_digits(backend, known):
    """None is what 1 less something leaves, or the like."""
    x = np.linspace(-5, 12, 200).astype(backend.dtype_name)
    x = np.concatenate([x, [-1e-3, -1e-6, 1e-6, 1e-3]]).astype(backend.dtype_name)
    y, dx = value_and_slope(known.make(), backend, x)
    eps = float(np.finfo(backend.dtype_name).eps)
    exact = [known.value(float(v)) for v in x]
    np.testing.assert_allclose(y, exact, rtol=64 * eps, atol=0)
    slopes = [known.slope(float(v)) for v in x]
    np.testing.assert_allclose(dx, slopes, rtol=64 * eps, atol=64 * eps)


def test_log_softmax_is_exact_far_out(backend):
    far = 1e4 if backend.dtype_name == "float32" else 1e9
    z = np.array([[far, -far, 0.0], [far, far, -far], [0.0, -np.inf, 0.0]])
    log_2 = math.log(2)
    y, dz = value_and_slope(nx.LogSoftmax(), backend, z)
    expected = [
        [0, -2 * far, -far],
        [-log_2, -log_2, -2 * far - log_2],
        [-log_2, -np.inf, -log_2],
    ]
    eps = float(np.finfo(backend.dtype_name).eps)
    np.testing.assert_allclose(y, expected, rtol=eps)
    # Of the sum of a row: 1 less three times the softmax.
    expected = [[-2, 1, 1], [-0.5, -0.5, 1], [-0.5, 1, -0.5]]
    np.testing.assert_allclose(dz, expected, rtol=eps)
    y, dz = value_and_slope(nx.LogSoftmax(), backend, [[np.nan, 0.0], [1.0, 1.0]])
    assert np.isnan(y[0]).all() and np.isnan(dz[0]).all()
    assert np.isfinite(y[1]).all() and np.isfinite(dz[1]).all()


numbers = st.floats(-1e9, 1e9) | st.floats(-20, 20)
several = st.lists(numbers, min_size=1, max_size=8)
near = {"rtol": 1e-14, "atol": 1e-14}


@settings(max_examples=50)
@given(several)
def test_symmetries(x):
    x = np.array(x)

    def both(make):
        layer = make()
        right, left = (value_and_slope(layer, NUMPY64, at) for at in (x, -x))
        return *right, *left

    for make in (nx.GELU, lambda: nx.GELU("tanh"), nx.SiLU):
        y, dx, y_left, dx_left = both(make)
        np.testing.assert_allclose(y - y_left, x, **near)
        np.testing.assert_allclose(dx + dx_left, 1.0, **near)
    y, dx, y_left, dx_left = both(nx.Softplus)
    np.testing.assert_allclose(y - y_left, x, **near)
    np.testing.assert_allclose(dx + dx_left, 1.0, **near)
    y, dx, y_left, dx_left = both(nx.Sigmoid)
    np.testing.assert_allclose(y + y_left, 1.0, **near)
    np.testing.assert_allclose(dx, dx_left, **near)
    y, dx, y_left, dx_left = both(nx.Tanh)
    np.testing.assert_array_equal(y, -y_left)
    np.testing.assert_array_equal(dx, dx_left)


@settings(max_examples=50)
@given(several)
def test_monotonous_ones_never_fall(x):
    x = np.sort(x)
    for name in ("ReLU", "LeakyReLU", "ELU", "Softplus", "Sigmoid", "Tanh"):
        y, dx = value_and_slope(KNOWN[name].make(), NUMPY64, x)
        assert (y[1:] >= y[:-1] - 4e-16 * np.abs(y[1:])).all(), name
        assert (dx >= 0).all(), name


@settings(max_examples=50)
@given(several)
def test_log_softmax_is_the_logarithm_of_the_softmax(z):
    y, _ = value_and_slope(nx.LogSoftmax(), NUMPY64, [z])
    p, _ = value_and_slope(nx.Softmax(), NUMPY64, [z])
    assert (y <= 0).all()
    np.testing.assert_allclose(np.exp(y), p, rtol=1e-13)


def test_linear_gives_back_what_it_is_given(backend):
    layer = nx.Linear()
    x = backend.asarray(np.ones((2, 3)), backend.dtype)
    unit = Bound(layer, backend, {})
    y, residuals = unit.fwd(x)
    assert y is x
    assert unit.bwd(residuals, x)[0] is x


@pytest.mark.parametrize("bad", [math.nan, math.inf, "0.1", None, True])
@pytest.mark.parametrize(
    ("make", "name"), [(nx.LeakyReLU, "negative_slope"), (nx.ELU, "alpha")]
)
def test_slopes_are_finite_numbers(make, name, bad):
    with pytest.raises(nx.InputError, match=f"{name} must be a finite number, got"):
        make(bad)


@pytest.mark.parametrize("bad", ["fast", "Tanh", None, True, 1])
def test_gelu_has_two_forms(bad):
    with pytest.raises(nx.InputError, match=r"approximate must be one of .*'tanh'"):
        nx.GELU(bad)
