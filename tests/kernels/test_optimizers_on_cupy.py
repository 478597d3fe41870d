"""The optimizers' kernels in use: over many steps, and how many launches they take."""

import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.optimizers.clipping import clip_to_norm
from nnfs_xp.registry import resolve, to_config
from nnfs_xp.regularizers.l1l2 import l1l2_penalty
from tests.conftest import backend_or_skip
from tests.matrix.optimizer_runs import CLIPS, first_cases, train

pytestmark = pytest.mark.backend("cupy")


def has_kernel(optimizer):
    """Return whether a step is that of a portable function; all but two are."""
    return not isinstance(optimizer, (nx.LAMB, nx.Muon))


KERNELS = pytest.mark.parametrize(
    "case", [case for case in first_cases() if has_kernel(case.values[0].make())]
)


@pytest.fixture
def mode():
    before = kernels.kernel_mode()
    yield kernels.set_kernel_mode
    kernels.set_kernel_mode(before)


@pytest.fixture
def emulator():
    """Count what is launched, where the device is the emulated one."""
    module = sys.modules.get("cupy_on_cpu")
    if module is None or not module.installed():
        pytest.skip("launches are counted on the emulated device only")
    return module


@KERNELS
@pytest.mark.parametrize("kind", [None, *CLIPS])
def test_kernels_and_references_stay_together(mode, dtype, case, kind):
    be, found = backend_or_skip("cupy", dtype), {}
    for chosen in ("off", "auto"):
        mode(chosen)
        config = {**to_config(case.make()), **CLIPS.get(kind, {})}
        found[chosen], _ = train(be, resolve("optimizer", config, "optimizer"))
    # A step depends on all before it, so what is rounded away grows.
    rtol = 1e-11 if dtype == "float64" else 1e-4
    for name, expected in found["off"].items():
        host = be.to_numpy(expected)
        np.testing.assert_allclose(
            be.to_numpy(found["auto"][name]), host, rtol=rtol,
            atol=rtol * np.abs(host).max(),
        )  # fmt: skip


def flat_update(be, optimizer, size=1000):
    """Return a function that takes a step over one flat buffer."""
    with be.context():
        parameters = {"flat": be.full((size,), 1.0)}
        gradients = {"flat": be.full((size,), 0.5)}
        state = optimizer.init(be, parameters)
        state["step"] += 1

    def update():
        with be.context():
            optimizer.update(be, parameters, gradients, state, counted=True)

    return update


def launches(emulator, function):
    """Return the launches of the second call; the first may make constants."""
    function()
    emulator.reset()
    function()
    counts = emulator.stats()
    assert counts["d2h"] == counts["sync"] == 0
    return counts["launches"]


@KERNELS
def test_a_step_is_one_launch(emulator, dtype, case):
    be = backend_or_skip("cupy", dtype)
    optimizer = case.make()
    # The product of momenta is for all parameters.
    expected = 2 if isinstance(optimizer, nx.Nadam) else 1
    assert launches(emulator, flat_update(be, optimizer)) == expected


@pytest.mark.parametrize(("kind", "more"), [("value", 1), ("norm", 2)])
def test_launches_of_clipping(emulator, dtype, kind, more):
    be = backend_or_skip("cupy", dtype)
    optimizer = nx.Adam(**CLIPS[kind])
    assert launches(emulator, flat_update(be, optimizer)) == 1 + more


def test_launches_of_penalties(emulator, dtype):
    be = backend_or_skip("cupy", dtype)
    w, gradient = be.full((30, 7), 0.5), be.full((30, 7), 2.0)
    for penalty in (nx.L1(0.1), nx.L2(0.1), nx.L1L2(0.1, 0.2, "book")):
        assert (
            launches(emulator, lambda p=penalty: p.add_gradient(be, gradient, w)) == 1
        )
        assert launches(emulator, lambda p=penalty: p.penalty(be, w)) == 2


def test_the_same_bits_every_time(dtype):
    be = backend_or_skip("cupy", dtype)
    g = be.asarray(np.random.default_rng(3).standard_normal(70_000), be.dtype)
    with be.context():
        for function in (
            lambda: clip_to_norm(be, 1.0, g)[0],
            lambda: l1l2_penalty(be, g, 0.1, 0.2),
        ):
            first = be.to_numpy(function())
            for _ in range(3):
                np.testing.assert_array_equal(be.to_numpy(function()), first)


def test_the_grid_is_what_the_device_runs_at_once(monkeypatch):
    """However many blocks that are, the numbers are the same."""
    from nnfs_xp.kernels.cupy import launch, module

    be = backend_or_skip("cupy", "float32")
    grids, found = [], []
    for at_once in (module.blocks_at_once("float32", "adam", 256), 3):

        def noted(dtype, name, at_once=at_once):
            def run(grid, block, arguments):
                grids.append(grid)
                module.kernel(dtype, name)(grid, block, arguments)

            return run

        monkeypatch.setattr(launch, "kernel", noted)
        monkeypatch.setattr(module, "_blocks_at_once", lambda *_, n=at_once: n)
        optimizer = nx.Adam(0.1)
        with be.context():
            size = 256 * 3 * 100
            parameters = {"flat": be.asarray(np.linspace(-1, 1, size), be.dtype)}
            gradients = {"flat": be.full((size,), 0.5)}
            state = optimizer.init(be, parameters)
            optimizer.update(be, parameters, gradients, state)
        found.append(be.to_numpy(parameters["flat"]))
    assert grids == [(300,), (3,)]
    np.testing.assert_array_equal(*found)
