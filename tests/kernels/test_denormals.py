"""Numbers too small to be normal: on CuPy they count as they are, or as 0.

In float32 the kernels are compiled to take them for 0, which a product of matrices need
not do. So neither may be off by more than the smallest normal number.
"""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.context import Context
from tests.conftest import backend_or_skip

pytestmark = pytest.mark.backend("cupy")
UNITS = (nx.ReLU(), nx.LeakyReLU(0.5), nx.ELU(), nx.GELU(), nx.SiLU(), nx.Tanh())


@pytest.fixture
def numbers(dtype):
    """Pairs of CuPy and NumPy, small numbers, and the smallest that is normal."""
    info = np.finfo(dtype)
    normal, smallest = float(info.smallest_normal), float(info.smallest_subnormal)
    x = [0.0, -0.0, smallest, -smallest, normal / 2, -normal / 2, normal, -normal, 1.0]
    pair = backend_or_skip("cupy", dtype), nx.get_backend("numpy", dtype=dtype)
    return pair, np.array([x], dtype), normal


def assert_near(found, expected, normal, terms=1):
    found, expected = map(nx.to_numpy, (found, expected))
    rtol = 1e-12 if found.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=terms * normal)


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_activations(numbers, unit):
    pair, x, normal = numbers
    found = []
    for be in pair:
        with be.context():
            cx, own = Context(unit, be), be.asarray(x)
            y, residuals = cx.fwd(own)
            found.append((y, cx.bwd(residuals, own)))
    for one, other in zip(*found, strict=True):
        assert_near(one, other, normal)


def test_products(numbers):
    pair, x, normal = numbers
    found = []
    for be in pair:
        with be.context():
            own = be.asarray(x)
            found.append(be.matmul(be.asarray(x.T.copy()), own))
    assert_near(*found, normal)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop", "adagrad"])
def test_optimizers(numbers, optimizer):
    """Gradients that vanish, over steps in which moments decay."""
    pair, x, normal = numbers
    found = []
    for be in pair:
        momentum = optimizer == "momentum"
        made = nx.SGD(1.0, momentum=0.5) if momentum else optimizer
        made = nx.registry.resolve("optimizer", made, "optimizer")
        with be.context():
            parameters = {"flat": be.zeros(x[0].shape)}
            gradients = {"flat": be.asarray(x[0])}
            state = made.init(be, parameters)
            for _ in range(3):
                made.update(be, parameters, gradients, state)
        found.append(parameters["flat"])
    # What Adam divides by its root may be 0 on one of them; epsilon is not.
    rate = 1e-3 / 1e-7
    assert_near(*found, max(normal, normal**0.5 * 1e-3) * rate)


@pytest.mark.parametrize("kernels_mode", ["auto", "no_dense_step"])
def test_a_training_on_vanishing_samples(dtype, kernels_mode, monkeypatch):
    monkeypatch.setattr(nx.kernels.registry, "_mode", kernels_mode)
    small = float(np.finfo(dtype).smallest_normal) / 4
    x = np.full((48, 6), small, dtype) * np.arange(1, 49, dtype=dtype)[:, None]
    y = np.arange(48) % 3
    losses = []
    for be in (backend_or_skip("cupy", dtype), nx.get_backend("numpy", dtype=dtype)):
        model = nx.Model(
            [nx.Dense(6, 8), nx.ReLU(), nx.Dense(8, 8), nx.ReLU(), nx.Dense(8, 3),
             nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", backend=be, seed=1,
        )  # fmt: skip
        losses.append(model.fit(x, y, batch_size=16, epochs=2)["loss"])
    # The sign of such a number decides whether a ReLU lets a gradient through.
    np.testing.assert_allclose(*losses, rtol=1e-4)
