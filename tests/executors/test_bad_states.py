"""What is wrong with a device or its libraries is said, before anything is computed."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.kernels.cupy import module
from tests.executors.models import books_network, images

TWO_EMULATED = "import cupy_on_cpu; cupy_on_cpu.install(devices=2)\n"
NO_DEVICE = """
import nnfs_xp as nx

try:
    nx.Model([nx.Dense(2, 2)], backend="cupy")
except nx.BackendUnavailableError as error:
    print(error)
print(nx.get_backend("auto"))
"""


def run(program, **environment):
    """Run a program in a process of its own, and return the lines it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_without_a_device():
    """The real library, and a driver that is missing or shows no device."""
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("CuPy is not installed")
    message, automatic = run(NO_DEVICE, CUDA_VISIBLE_DEVICES="")
    assert "backend 'cupy' does not work here: CUDARuntimeError: cudaErr" in message
    assert "NVIDIA GPU and its driver" in message
    assert automatic.startswith("numpy on cpu")


TWO_DEVICES = """
import numpy as np
import nnfs_xp as nx
from nnfs_xp.backends import get_backend

one, two = (get_backend("cupy", device=f"cuda:{i}") for i in range(2))
x, y = np.ones((8, 2), dtype="float32"), np.zeros(8, dtype="int32")


def make(be):
    return nx.Model(
        [nx.Dense(2, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend=be,
    )


for call in (
    lambda: make(one).fit(two.asarray(x), two.asarray(y)),
    lambda: make(one).predict(two.asarray(x)),
    lambda: nx.Dense(2, 2, backend=one).forward(two.asarray(x)),
):
    try:
        call()
    except nx.BackendMismatchError as error:
        print(str(error).partition(", but")[0])
losses = [make(be).fit(x, y, epochs=3)["loss"] for be in (one, two, one)]
assert losses[0] == losses[1] == losses[2]
print(make(two).fit(two.asarray(x), two.asarray(y), epochs=2)["loss"] == losses[0][:2])
model = make(one)
model.fit(x, y)
print(model.to(two).backend, model.fit(x, y, epochs=2)["loss"] == losses[0][1:])
"""


def test_arrays_and_models_of_two_devices(counted):
    assert run(TWO_EMULATED + TWO_DEVICES) == [
        "x is an array on device <CUDA Device 1>",
        "x is an array on device <CUDA Device 1>",
        "inputs is an array on device <CUDA Device 1>",
        "True",
        "cupy on cuda:1, float32 True",
    ]


@pytest.fixture
def broken_source(cupy32, monkeypatch):
    """Kernels whose source does not compile."""
    whole = module.source()
    module.kernel.cache_clear()
    module.module.cache_clear()
    monkeypatch.setattr(module, "source", lambda: whole + "\nthis is no C++;\n")
    yield
    module.kernel.cache_clear()
    module.module.cache_clear()


def test_a_kernel_that_does_not_compile(cupy32, broken_source):
    x, y = images(64)
    model = books_network(cupy32)
    before = nx.to_numpy(model.layers[1].weights)
    with pytest.raises(
        nx.KernelCompileError, match="the CUDA kernel .* cannot be used with float32"
    ):
        model.fit(x, y)
    np.testing.assert_array_equal(nx.to_numpy(model.layers[1].weights), before)
    assert model.steps_trained == 0
    mode = kernels.kernel_mode()
    kernels.set_kernel_mode("off")
    try:
        books_network(cupy32).fit(x, y)
    finally:
        kernels.set_kernel_mode(mode)
