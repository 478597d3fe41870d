"""What the tests of executors share: a CUDA device, and an emulated one."""

import contextlib
import sys

import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.engine import trainer
from tests.conftest import backend_or_skip

CUPY = [
    pytest.param(dtype, marks=pytest.mark.backend("cupy"))
    for dtype in ("float64", "float32")
]


@pytest.fixture(params=CUPY)
def cupy(request):
    """CuPy on a device, real or emulated, in both precisions."""
    return backend_or_skip("cupy", request.param)


@pytest.fixture(params=CUPY[1:])
def cupy32(request):
    return backend_or_skip("cupy", request.param)


@pytest.fixture(autouse=True)
def steps_of_many_kernels(request):
    """Take no steps in three kernels, but in their own tests.

    An emulated device needs a hundred times as long for them.
    """
    own = request.module.__name__.endswith("test_dense_step")
    if own or not any(name.startswith("cupy") for name in request.fixturenames):
        yield
        return
    before = kernels.kernel_mode()
    kernels.set_kernel_mode("no_dense_step" if before == "auto" else before)
    yield
    kernels.set_kernel_mode(before)


@pytest.fixture
def one_at_a_time(monkeypatch):
    """Look up from the training after each step, however fast it is."""
    monkeypatch.setattr(trainer, "SHORT_SECONDS", -1.0)
    monkeypatch.setattr(trainer, "LONG_SECONDS", -1.0)


@pytest.fixture
def many_at_once(monkeypatch):
    """Take twice as many steps each time, however long they take."""
    monkeypatch.setattr(trainer, "SHORT_SECONDS", 1e9)
    monkeypatch.setattr(trainer, "LONG_SECONDS", 1e9)


class Counted:
    """What the device was asked for inside a block."""

    def __init__(self, emulator):
        self.emulator = emulator

    @contextlib.contextmanager
    def __call__(self):
        nx.get_backend("cupy").synchronize()
        before = self.emulator.stats()
        counts = {}
        yield counts
        after = self.emulator.stats()
        counts |= {name: after[name] - before[name] for name in after}


@pytest.fixture
def emulator():
    """The emulated device: it counts launches, and chooses the order of streams."""
    backend_or_skip("cupy", "float32")
    emulator = sys.modules.get("cupy_on_cpu")
    if emulator is None or not emulator.installed():
        pytest.skip("only the emulated device counts launches and orders streams")
    return emulator


@pytest.fixture
def counted(emulator):
    """Counts launches and copies."""
    return Counted(emulator)
