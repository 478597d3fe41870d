"""What the twins for CuPy do besides computing the same as their references."""

import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.batching import gather_batch
from nnfs_xp.layers.dense_activation import (
    DenseActivation,
    activation_bias_backward,
    bias_activation,
)
from nnfs_xp.layers.dropout import dropout
from nnfs_xp.layers.elementwise import ElementwiseActivation
from nnfs_xp.layers.fusion import fused
from nnfs_xp.metrics.accumulation import accumulate
from nnfs_xp.random import Stream
from tests.conftest import backend_or_skip
from tests.kernels.twin_cases import CASES
from tests.kernels.twin_cases.calling import calling, on_backend

_random = np.random.default_rng(2)
ACTIVATIONS = (
    nx.ReLU(), nx.LeakyReLU(), nx.ELU(), nx.GELU(), nx.GELU("tanh"), nx.SiLU(),
    nx.Softplus(), nx.Sigmoid(), nx.Tanh(),
)  # fmt: skip
# Twins that launch several kernels, or in their first case none.
LAUNCHES = {
    "accumulate": 1,
    "activation_bias_backward": 2,
    "activation_backward": 2,
    "clip_to_norm": 2,
    "l1l2_penalty": 2,
}


@pytest.fixture
def be(dtype):
    backend = backend_or_skip("cupy", dtype)
    with backend.context():
        yield backend


@pytest.mark.parametrize("name", kernels.twins("cupy"))
def test_a_twin_is_one_launch_and_waits_for_nothing(be, name, launched):
    kind = next(kind for kind in CASES[name] if kind.startswith(("usual", "ReLU, usu")))
    calling(name, kernels.twins("cupy"), be, on_backend(be, CASES[name][kind]))
    given = on_backend(be, CASES[name][kind])
    be.synchronize()
    launched.clear()
    emulated = sys.modules.get("cupy_on_cpu")
    if emulated is None:
        calling(name, kernels.twins("cupy"), be, given)
        assert len(launched) == LAUNCHES.get(name, 1)
        return
    before = emulated.stats()["launches"]
    with emulated.forbid_sync(h2d=True):
        calling(name, kernels.twins("cupy"), be, given)
    assert len(launched) == LAUNCHES.get(name, 1)
    # CuPy has launched no kernel of its own beside ours.
    assert emulated.stats()["launches"] - before == len(launched)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_an_activation_is_one_launch_each_way(be, activation, launched):
    z, biases = (be.asarray(_random.standard_normal(s), be.dtype) for s in ((5, 3), 3))
    dy, db = be.full((5, 3), 1.0), be.zeros((1, 3))
    expected = activation.fwd(be, {}, z + biases[None, :])[0]
    slope = activation.bwd(be, {}, activation.fwd(be, {}, z + biases[None, :])[1], dy)
    launched.clear()
    y, residuals = bias_activation(be, z, biases[None, :], activation)
    assert launched == ["bias_activation"]
    # The residuals are not used up.
    for _ in range(2):
        dz, found = activation_bias_backward(be, residuals, dy, activation, db)
        assert found is db
    assert launched[1:] == 2 * ["activation_bias_backward"]
    rtol = 1e-12 if be.dtype_name == "float64" else 1e-5
    for one, other in ((y, expected), (dz, slope[0]), (db[0], slope[0].sum(axis=0))):
        np.testing.assert_allclose(be.to_numpy(one), be.to_numpy(other), rtol, rtol)


def test_linear_launches_only_its_sum(be, launched):
    linear, z, dy = nx.Linear(), be.full((4, 3), 1.0), be.full((4, 3), 2.0)
    y, residuals = bias_activation(be, z, be.full((1, 3), 2.0), linear)
    assert y is z and float(y[0, 0]) == 3.0
    launched.clear()
    dz, db = activation_bias_backward(be, residuals, dy, linear)
    assert dz is dy and be.to_numpy(db).tolist() == [[8.0, 8.0, 8.0]]
    assert launched == ["sum_over_samples"]


@pytest.mark.parametrize("integer", ["int32", "int64"])
def test_numbers_of_the_device(be, integer):
    """A step and a first row that a captured graph reads anew each time."""
    x = be.asarray(_random.standard_normal((50, 7)), be.dtype)
    step = be.asarray(np.array(0), integer)
    order = be.asarray(_random.permutation(50), "int32")
    for number in (3, 11):
        step[...] = number
        found = dropout(be, x, Stream(5, "layers.1.noise", step), 0.7)
        expected = dropout(be, x, Stream(5, "layers.1.noise", number), 0.7)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(be.to_numpy(one), be.to_numpy(other))
        for rows in (order, None):
            found = gather_batch(be, (x, x, None), rows, step, 20)
            expected = gather_batch.reference(be, (x, x, None), rows, number, 20)
            for one, other in zip(found[:2], expected[:2], strict=True):
                np.testing.assert_array_equal(be.to_numpy(one), be.to_numpy(other))


def test_totals_are_written_in_place(be):
    total, slot = be.full((), 1.0), be.zeros(())
    totals, batch = accumulate(be, [total], [slot], [be.full((9,), 2.0)])
    assert totals[0] is total and batch[0] is slot
    assert (float(total), float(slot)) == (19.0, 18.0)


def test_sums_are_the_same_every_time(be):
    """And do not depend on how often the twin is called."""
    dy = be.asarray(_random.standard_normal((999, 70)) * 1e3, be.dtype)
    sums = [kernels.twins("cupy")["sum_over_samples"](be, dy) for _ in range(5)]
    for other in sums[1:]:
        np.testing.assert_array_equal(be.to_numpy(other), be.to_numpy(sums[0]))


class _OwnReLU(nx.ReLU):
    pass


@pytest.fixture
def mode():
    before = kernels.kernel_mode()
    yield kernels.set_kernel_mode
    kernels.set_kernel_mode(before)


def test_layers_are_fused_where_there_are_kernels(mode):
    mode("auto")
    layers = (
        nx.Flatten(), nx.Dense(4, 3), nx.ReLU(), nx.Tanh(), nx.Dense(3, 3),
        nx.Dropout(0.5), nx.GELU(), nx.Dense(3, 3), _OwnReLU(), nx.Linear(),
        nx.Dense(3, 2), nx.Softmax(), nx.Dense(2, 2),
    )  # fmt: skip
    assert fused(nx.get_backend("numpy"), layers) == layers
    cupy = type("Cupy", (), {"name": "cupy"})()
    found = fused(cupy, layers)
    assert [type(layer) for layer in found] == [
        nx.Flatten, DenseActivation, nx.Linear, ElementwiseActivation, DenseActivation,
        nx.Dropout, ElementwiseActivation, DenseActivation, _OwnReLU, nx.Linear,
        DenseActivation, nx.Softmax, DenseActivation,
    ]  # fmt: skip
    assert found[1].activation is layers[2] and found[1].dense is layers[1]
    assert all(type(found[i].activation) is nx.Linear for i in (4, 7, 10, 12))
    assert found[1].config() == layers[1].config()
    assert found[1].initializers() == layers[1].initializers()
    assert found[1].output_shape((4,)) == (3,) and found[1].input_shape() == (4,)
    mode("off")
    assert fused(cupy, layers) == layers


def test_fused_layers_compute_the_same(backend):
    """By the references too, on every backend."""
    be, x = backend, _random.standard_normal((6, 4))
    dense, dy = nx.Dense(4, 3, seed=1, backend=backend), _random.standard_normal((6, 3))
    x, dy = be.asarray(x, be.dtype), be.asarray(dy, be.dtype)
    rtol = 1e-12 if be.dtype_name == "float64" else 1e-5
    with be.context():
        for activation in (*ACTIVATIONS, nx.Linear()):
            pair, params = DenseActivation(dense, activation), dense.params
            y, residuals = pair.fwd(be, params, x)
            dx, grads = pair.bwd(be, params, residuals, dy)
            z, kept = dense.fwd(be, params, x)
            expected, own = activation.fwd(be, {}, z)
            dz, _ = activation.bwd(be, {}, own, dy)
            expected_dx, expected_grads = dense.bwd(be, params, kept, dz)
            again = pair.parameter_gradients(be, params, residuals, dy)
            for one, other in (
                (y, expected), (dx, expected_dx),
                *((grads[name], expected_grads[name]) for name in grads),
                *((again[name], expected_grads[name]) for name in grads),
            ):  # fmt: skip
                one, other = be.to_numpy(one), be.to_numpy(other)
                np.testing.assert_allclose(one, other, rtol, rtol)
