"""What implementations for CuPy do besides computing the same as their references."""

import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.engine.batching import gather_batch
from nnfs_xp.engine.context import Context
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.statistics import accumulate
from nnfs_xp.kernels.cupy import activations, images
from nnfs_xp.layers.chain import _replacing, fused
from nnfs_xp.layers.dropout import dropout
from nnfs_xp.layers.embedding import add_at
from nnfs_xp.layers.fusion import (
    ELEMENTWISE,
    DenseActivation,
    ElementwiseActivation,
    activation_bias_backward,
    bias_activation,
)
from nnfs_xp.layers.windows import Windows
from nnfs_xp.random import Stream
from tests.conftest import backend_or_skip
from tests.kernels import implementation_cases
from tests.kernels.cases.dense import UNITS
from tests.kernels.implementation_cases import CASES
from tests.kernels.implementation_cases.calling import calling, flat, on_backend

_random = np.random.default_rng(2)
ACTIVATIONS = (
    nx.ReLU(), nx.LeakyReLU(), nx.ELU(), nx.GELU(), nx.GELU("tanh"), nx.SiLU(),
    nx.Softplus(), nx.Sigmoid(), nx.Tanh(),
)  # fmt: skip
# Implementations that launch several kernels, or in their first case none.
LAUNCHES = {
    "accumulate": 1,
    # Heads are copied apart and joined; the gradient computes what goes before, too.
    "attention": 3,
    "attention_backward": 7,
    "batch_norm": 2,
    "batch_norm_backward": 4,
    "convolve_backward": 2,
    "group_norm_backward": 3,
    "layer_norm_backward": 3,
    "rms_norm_backward": 3,
    "activation_bias_backward": 2,
    "activation_backward": 2,
    "clip_to_norm": 2,
    "l1l2_penalty": 2,
}


@pytest.fixture(
    params=[
        pytest.param(dtype, marks=pytest.mark.backend("cupy"))
        for dtype in ("float64", "float32")
    ]
)
def be(request):
    backend = backend_or_skip("cupy", request.param)
    with backend.context():
        yield backend


@pytest.mark.parametrize("name", kernels.implementations("cupy"))
def test_a_implementation_is_one_launch_and_waits_for_nothing(be, name, launched):
    usual = [kind for kind in CASES[name] if kind.startswith(("usual", "ReLU, usual"))]
    assert usual, "one of the cases must be called 'usual'"
    kind = usual[0]
    calling(
        name, kernels.implementations("cupy"), be, on_backend(be, CASES[name][kind])
    )
    given = on_backend(be, CASES[name][kind])
    be.synchronize()
    launched.clear()
    emulated = sys.modules.get("cupy_on_cpu")
    if emulated is None:
        calling(name, kernels.implementations("cupy"), be, given)
        assert len(launched) == LAUNCHES.get(name, 1)
        return
    before = emulated.stats()["launches"]
    with emulated.forbid_sync(h2d=True):
        calling(name, kernels.implementations("cupy"), be, given)
    assert len(launched) == LAUNCHES.get(name, 1)
    # CuPy has launched no kernel of its own beside ours.
    assert emulated.stats()["launches"] - before == len(launched)


def test_a_grid_has_no_block_for_each_column_of_a_huge_row(be, launched):
    """Along its second axis it has 65,535 blocks at most."""
    for columns, launches in ((32 * 65535, ["add_at"]), (32 * 65535 + 1, [])):
        launched.clear()
        rows = be.full((2, columns), 1.5)
        sums = add_at(be, be.asarray(np.array([0, 0], "int32")), rows, 1)
        assert launched == launches
        assert sums.shape == (1, columns)
        assert bool((sums == 3.0).all())


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_an_activation_is_one_launch_each_way(be, activation, launched):
    z, biases = (be.asarray(_random.standard_normal(s), be.dtype) for s in ((5, 3), 3))
    dy, db = be.full((5, 3), 1.0), be.zeros((1, 3))
    cx = Context(activation, be)
    expected, kept = cx.fwd(z + biases[None, :])
    slope = cx.bwd(kept, dy)
    launched.clear()
    y, residuals = bias_activation(be, z, biases[None, :], activation)
    assert launched == ["bias_activation"]
    # The residuals are not used up.
    for _ in range(2):
        dz, found = activation_bias_backward(be, residuals, dy, activation, db)
        assert found is db
    assert launched[1:] == 2 * ["activation_bias_backward"]
    rtol = 1e-12 if be.dtype_name == "float64" else 1e-5
    for one, other in ((y, expected), (dz, slope), (db[0], slope.sum(axis=0))):
        np.testing.assert_allclose(be.to_numpy(one), be.to_numpy(other), rtol, rtol)


def test_linear_launches_only_its_sum(be, launched):
    linear, z, dy = nx.Linear(), be.full((4, 3), 1.0), be.full((4, 3), 2.0)
    y, residuals = bias_activation(be, z, be.full((1, 3), 2.0), linear)
    assert y is z and float(y[0, 0]) == 3.0
    launched.clear()
    dz, db = activation_bias_backward(be, residuals, dy, linear)
    assert dz is dy and be.to_numpy(db).tolist() == [[8.0, 8.0, 8.0]]
    assert launched == ["sum_over_samples"]


@pytest.mark.parametrize(
    ("name", "case", "products"),
    [
        ("convolve", "usual", 1),
        ("convolve", "groups", 2 * 9),
        ("convolve_backward", "usual", 2),
        ("convolve_backward", "inputs that need none", 1),
        ("max_pool", "usual", 0),
        ("attention", "usual", 2),
        ("attention_backward", "usual", 2 + 4),
    ],
)
def test_products_are_as_documented(be, name, case, products):
    """And nothing waits, so that a step can be captured."""
    emulated = sys.modules.get("cupy_on_cpu")
    if emulated is None:
        pytest.skip("products are counted on the emulated device")
    given = on_backend(be, CASES[name][case])
    implementations = kernels.implementations("cupy")
    calling(name, implementations, be, given)
    before = emulated.stats()["gemm"]
    with emulated.forbid_sync(h2d=True):
        calling(name, implementations, be, given)
    assert emulated.stats()["gemm"] - before == products


def test_a_convolution_of_more_than_there_is_memory_for(be, monkeypatch):
    """Some images at a time, the last stretch shorter."""
    monkeypatch.setattr(images, "_MOST_BYTES", 30_000)
    for name in ("convolve", "convolve_backward"):
        given = on_backend(be, CASES[name]["many images"])
        (windows,) = (one for one in given if isinstance(one, Windows))
        assert 2 < len(images._stretches(be, given[0], windows)) < 70
        found = calling(name, kernels.implementations("cupy"), be, given)
        expected = calling(name, kernels.references(), be, given)
        rtol = 1e-12 if be.dtype_name == "float64" else 1e-5
        for one, other in zip(flat(found), flat(expected), strict=True):
            one, other = be.to_numpy(one), be.to_numpy(other)
            np.testing.assert_allclose(one, other, rtol, rtol * np.abs(other).max())


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
    """And do not depend on how often the implementation is called."""
    dy = be.asarray(_random.standard_normal((999, 70)) * 1e3, be.dtype)
    ids = be.asarray(_random.integers(0, 5, 999), "int32")
    for name, given in (("sum_over_samples", (dy,)), ("add_at", (ids, dy, 5))):
        sums = [kernels.implementations("cupy")[name](be, *given) for _ in range(5)]
        for other in sums[1:]:
            np.testing.assert_array_equal(be.to_numpy(other), be.to_numpy(sums[0]))


class _OwnReLU(nx.ReLU):
    pass


@pytest.fixture
def mode():
    before = kernels.kernel_mode()
    yield kernels.set_kernel_mode
    kernels.set_kernel_mode(before)


class _OwnDense(nx.Dense):
    pass


def test_layers_are_fused_where_there_are_kernels(mode):
    mode("auto")
    layers = (
        nx.Flatten(), nx.Dense(4, 3), nx.ReLU(), nx.Tanh(), nx.Dense(3, 3),
        nx.Dropout(0.5), nx.GELU(), nx.Dense(3, 3), _OwnReLU(), nx.Linear(),
        nx.Dense(3, 2), nx.Softmax(), nx.Dense(2, 2, use_bias=False), nx.ReLU(),
        _OwnDense(2, 2), nx.Tanh(), nx.Dense(2, 2),
    )  # fmt: skip
    numpy = nx.get_backend("numpy")
    given = {
        str(i): Context(unit, numpy, path=f"7.{i}") for i, unit in enumerate(layers)
    }
    assert fused(numpy, given) == given
    cupy = type("Cupy", (), {"name": "cupy", "xp": np})()
    found = fused(cupy, given)
    assert {name: type(cx.unit) for name, cx in found.items()} == {
        "0": nx.Flatten, "1": DenseActivation, "3": ElementwiseActivation,
        "4": DenseActivation, "5": nx.Dropout, "6": ElementwiseActivation,
        "7": DenseActivation, "8": _OwnReLU, "9": nx.Linear, "10": DenseActivation,
        "11": nx.Softmax, "12": nx.Dense, "13": ElementwiseActivation, "14": _OwnDense,
        "15": ElementwiseActivation, "16": DenseActivation,
    }  # fmt: skip
    # What is replaced keeps its contexts, with their parameters and paths.
    assert found["1"].children == {"dense": given["1"], "activation": given["2"]}
    assert found["3"].children == {"activation": given["3"]}
    assert all(
        type(found[name]["activation"].unit) is nx.Linear
        and found[name]["dense"] is given[name]
        for name in ("4", "7", "10", "16")
    )
    assert all(cx.path == f"7.{name}" for name, cx in found.items())
    mode("off")
    assert fused(cupy, given) == given


def test_fused_units_need_and_learn_what_the_first_did(mode):
    mode("auto")
    cupy = type("Cupy", (), {"name": "cupy", "xp": np})()
    for flags in ({"training": True}, {"learns": True}, {"needs_dx": False}):
        dense = Context(nx.Dense(2, 2), cupy, keeps=False, **flags)
        cx = fused(cupy, {"0": dense, "1": Context(nx.ReLU(), cupy)})["0"]
        for name in ("training", "learns", "needs_dx", "keeps"):
            assert getattr(cx, name) == getattr(dense, name), name


@pytest.mark.parametrize("depth", [0, 1])
def test_programs_of_a_step_are_fused_and_those_of_the_shell_are_not(be, depth):
    chain = nx.Sequential([nx.Dense(4, 3), nx.ReLU(), nx.Dense(3, 4)])
    root = chain if depth == 0 else nx.Residual(chain)
    network = Network(root, be, 0, standalone=True)
    cx = Program(network, training=True, keeps=True).root
    children = cx.children if depth == 0 else cx["inner"].children
    assert [type(child.unit) for child in children.values()] == 2 * [DenseActivation]
    dense = nx.Sequential([nx.Dense(4, 3, backend=be), nx.ReLU()])
    dense.forward(be.full((2, 4), 1.0))
    assert dense.layers[0].output.shape == (2, 3)


def test_every_elementwise_activation_has_its_kernel_and_cases():
    known = set(activations._KNOWN)
    assert known == set(ELEMENTWISE)
    for units in (implementation_cases.activations.ACTIVATIONS, UNITS):
        assert {type(unit).__name__ for unit in units.values()} == known


class Apart(Context):
    """Contexts of another class are never fused."""


def passes(be, activation, arrays, needs_dx, fuse):
    """Return output, dx and gradients of a `Dense` and an activation."""
    weights, biases, x, dy = arrays
    network = Network(
        nx.Sequential([nx.Dense(4, 3), activation]), be, 0, standalone=True
    )
    program = Program(
        network, keeps=True, needs_dx=needs_dx, context=Context if fuse else Apart
    )
    cx = program.root
    if fuse and len(cx.children) == 2:
        # A backend without kernels: the fused unit computes by the references.
        dense, other = cx.children.values()
        parts = {"dense": dense, "activation": other}
        cx.children = {"0": _replacing(DenseActivation(), dense, parts)}
    assert len(cx.children) == (1 if fuse else 2)
    program.bind_arrays({"0.weights": weights, "0.biases": biases}, {})
    program.run.gradients = {}
    y, residuals = cx.fwd(x)
    return y, cx.bwd(residuals, dy), program.run.gradients


@pytest.mark.parametrize("needs_dx", [True, False])
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_fused_layers_compute_the_same(backend, shape, needs_dx):
    """By the references too, on every backend."""
    be = backend
    arrays = [
        be.asarray(_random.standard_normal(sizes), be.dtype)
        for sizes in ((4, 3), (1, 3), (*shape, 4), (*shape, 3))
    ]
    rtol = 1e-12 if be.dtype_name == "float64" else 1e-5
    with be.context():
        for activation in (*ACTIVATIONS, nx.Linear()):
            y, dx, grads = passes(be, activation, arrays, needs_dx, True)
            other_y, other_dx, other_grads = passes(
                be, activation, arrays, needs_dx, False
            )
            assert set(grads) == set(other_grads) == {"0.weights", "0.biases"}
            pairs = [(y, other_y), *((grads[k], other_grads[k]) for k in grads)]
            if needs_dx:
                pairs.append((dx, other_dx))
            else:
                assert dx is other_dx is None
            for one, other in pairs:
                one, other = be.to_numpy(one), be.to_numpy(other)
                np.testing.assert_allclose(one, other, rtol, rtol)
