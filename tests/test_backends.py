"""Choosing a backend, and moving arrays to and from it."""

import copy
import logging
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.backends import backend_of, choice, library_of
from tests.conftest import MATRIX


def test_default_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("NNFS_XP_BACKEND", raising=False)
    assert nx.get_backend().name == "numpy"
    monkeypatch.setenv("NNFS_XP_BACKEND", "array_api_strict")
    assert nx.get_backend().name == "array_api_strict"
    assert nx.Dense(2, 2).backend.name == "array_api_strict"
    assert nx.Model([nx.Dense(2, 2)]).backend.name == "array_api_strict"
    assert nx.get_backend("numpy").name == "numpy"


def test_every_backend_is_entered_everywhere():
    names = set(nx.BACKEND_NAMES)
    assert {backend for backend, _ in MATRIX.values()} == names
    assert set(choice._INSTALL_HINTS) == names - {"numpy"}
    config = tomllib.loads(
        Path(__file__).parents[1].joinpath("pyproject.toml").read_text()
    )
    contracts = config["tool"]["importlinter"]["contracts"]
    portable = next(c for c in contracts if c["id"] == "portable")
    assert names <= set(portable["forbidden_modules"])


def test_unknown_names_are_refused():
    with pytest.raises(nx.InputError, match=r"backend must be one of .*'tensorflow'"):
        nx.get_backend("tensorflow")
    with pytest.raises(nx.InputError, match=r"dtype must be one of .*'float16'"):
        nx.get_backend("numpy", dtype="float16")
    with pytest.raises(nx.InputError, match="name must be one of"):
        nx.backend_status("tensorflow")
    with pytest.raises(nx.InputError, match="backend must be"):
        nx.Model([nx.Dense(2, 2)], backend="tensorflow")


@pytest.mark.parametrize(
    "device", ["nowhere:7", "", ":0", "cpu:-1", -1, 99, False, True, 1.5, [], ()]
)
def test_unknown_devices_are_refused(backend64, device):
    with pytest.raises(nx.BackendUnavailableError, match="has (only )?the device"):
        nx.get_backend(backend64.name, device=device)


@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "array_api_strict"])
def test_device_0_is_not_the_processor(name):
    """A number is one of an accelerator, and 0 is not as if nothing were given."""
    pytest.importorskip(name)
    if name == "torch" and pytest.importorskip("torch").cuda.is_available():
        assert str(nx.get_backend(name, device=0).device) == "cuda:0"
        return
    with pytest.raises(nx.BackendUnavailableError, match="has (only )?the device"):
        nx.get_backend(name, device=0)


@pytest.mark.parametrize("dtype", ["", 0, False])
def test_no_dtype_is_not_the_dtype_of_a_backend(dtype):
    be = nx.get_backend("numpy", dtype="float64")
    with pytest.raises(nx.InputError, match="dtype must be one of"):
        nx.get_backend(be, dtype=dtype)
    model = nx.Model([nx.Dense(2, 2)], backend=be)
    with pytest.raises(nx.InputError, match="dtype must be one of"):
        model.to("numpy", dtype=dtype)
    assert model.backend.dtype_name == "float64"


def test_a_device_can_be_named(backend64):
    again = nx.get_backend(
        backend64.name, device=backend64.device_name, dtype="float64"
    )
    assert again == backend64
    assert hash(again) == hash(backend64)
    assert backend64.device_name in repr(backend64)


def test_description_survives_copies(backend):
    for again in (copy.deepcopy(backend), pickle.loads(pickle.dumps(backend))):
        assert again == backend


@pytest.mark.parametrize(
    "kind", ["bool", "uint8", "int16", "int32", "float32", "float64"]
)
def test_round_trip_keeps_values_and_dtype(backend64, kind):
    values = np.array([[0, 1, 2], [3, 4, 100]]).astype(kind)
    there = backend64.asarray(values)
    assert isinstance(there, backend64.array_type())
    assert library_of(there) == backend64.name
    assert backend_of(there, "float64") == backend64
    back = nx.to_numpy(there)
    assert type(back) is np.ndarray
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.arange(4, dtype=">f8"),
        np.arange(4, dtype=">i4"),
        np.arange(6, dtype="float16"),
        np.arange(6, dtype="longdouble"),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.float64(3.0),
        np.array(7),
        [[1, 2], [3, 4]],
        [1.5, 2.5],
    ],
    ids=lambda v: f"{type(v).__name__}-{getattr(v, 'dtype', '')}",
)
def test_any_host_values_can_be_moved(backend64, values):
    moved = backend64.asarray(values)
    np.testing.assert_array_equal(nx.to_numpy(moved), np.asarray(values, dtype=float))


def test_moving_copies(backend64):
    values = np.ones(3)
    moved = backend64.asarray(values)
    back = nx.to_numpy(moved)
    back[0] = 5.0
    if backend64.name != "numpy":  # whose arrays are already where they belong
        values[1] = 5.0
    np.testing.assert_array_equal(nx.to_numpy(moved), [1, 1, 1])


def test_python_numbers_take_the_backends_dtype(backend):
    assert backend.asarray([1.5, 2.5]).dtype == backend.dtype
    assert backend.constant(2.0).dtype == backend.dtype
    assert backend.constant(2.0).shape == ()


def test_backend_of_refuses_what_is_no_array():
    with pytest.raises(nx.BackendMismatchError, match="expected an array, got list"):
        backend_of([1, 2])
    assert library_of([1, 2]) is None
    assert library_of(object()) is None


def test_units_without_a_backend_follow_their_inputs(backend):
    x = backend.asarray(np.array([[1.0, -2.0]]), backend.dtype)
    for unit in (nx.ReLU(), nx.Softmax()):
        assert isinstance(unit.forward(x), backend.array_type())
        assert unit.output.dtype == backend.dtype


def test_units_take_backend_device_and_dtype(backend):
    where = {
        "backend": backend.name,
        "device": backend.device_name,
        "dtype": backend.dtype_name,
    }
    x = backend.asarray(np.array([[1.0, 0.0]]))
    y = backend.asarray(np.array([0]))
    for layer in (nx.Dense(2, 2, **where), nx.ReLU(**where), nx.Softmax(**where)):
        assert layer.forward(x).dtype == backend.dtype
        assert backend_of(layer.output) == backend
    for unit in (
        nx.CategoricalCrossEntropy(**where),
        nx.SoftmaxCrossEntropy(**where),
        nx.Accuracy(**where),
    ):
        assert unit.calculate(x, y).dtype == backend.dtype


def test_status_of_every_backend():
    for name in nx.BACKEND_NAMES:
        status = nx.backend_status(name)
        assert status.name == name
        if status.works:
            assert status.version
            assert status.devices
            assert not status.reason
        else:
            assert name in status.reason
            with pytest.raises(nx.BackendUnavailableError) as caught:
                nx.get_backend(name)
            assert str(caught.value) == status.reason


def test_a_broken_library_is_a_reason_and_not_a_crash(monkeypatch):
    """Such as a driver that is too old, which raises the library's own error."""

    class Broken(choice.backend_class("numpy")):
        name = "cupy"

        @classmethod
        def namespace(cls):
            raise OSError("libcuda.so.1: cannot open shared object file")

        @classmethod
        def version(cls):
            raise ImportError("half installed")

    monkeypatch.setattr(choice, "backend_class", lambda name: Broken)
    monkeypatch.setattr(choice, "_seen_working", {})
    status = nx.backend_status("cupy")
    assert not status.works
    assert status.version == ""
    assert "OSError: libcuda.so.1: cannot open" in status.reason
    with pytest.raises(nx.BackendUnavailableError, match="libcuda"):
        nx.Model([nx.Dense(2, 2)], backend="cupy")


def test_a_library_that_computes_wrongly_is_not_used(monkeypatch):
    class Wrong(choice.backend_class("numpy")):
        def full_matmul(self, a, b, out=None):
            return a @ b + 1

    monkeypatch.setattr(choice, "backend_class", lambda name: Wrong)
    monkeypatch.setattr(choice, "_seen_working", {})
    with pytest.raises(nx.BackendUnavailableError, match="multiplies wrongly"):
        nx.get_backend("numpy")


def no_gpu():
    return nx.backend_status("cupy").works


@pytest.mark.skipif("no_gpu()", reason="this machine has a CUDA device")
def test_auto_without_a_gpu_takes_numpy_and_says_so(caplog):
    with caplog.at_level(logging.INFO, "nnfs_xp"):
        model = nx.Model([nx.Dense(2, 2)], backend="auto")
    assert model.backend.name == "numpy"
    assert "auto selected numpy because no GPU works: cupy: " in caplog.text
    lines = []
    model.summary(lines.append)
    assert "auto selected numpy" in lines[0]
    assert nx.get_backend("numpy").note == "", "the note stays on its own backend"


def test_auto_takes_a_working_gpu_and_says_so(caplog):
    status = nx.backend_status("cupy")
    if not status.works:
        pytest.skip(status.reason)
    with caplog.at_level(logging.INFO, "nnfs_xp"):
        be = nx.get_backend("auto")
    assert be.name == "cupy"
    assert "auto selected cupy" in caplog.text


def test_float64_on_jax_without_the_flag_set_before():
    pytest.importorskip("jax", reason="JAX is not installed")
    program = (
        "import numpy as np, nnfs_xp as nx\n"
        "single = nx.Dense(2, 2, backend='jax')\n"
        "assert str(single.weights.dtype) == 'float32'\n"
        "double = nx.Dense(2, 2, backend='jax', dtype='float64')\n"
        "out = double.forward(double.backend.asarray(np.ones((1, 2))))\n"
        "assert str(out.dtype) == 'float64', out.dtype\n"
        "assert str(single.weights.dtype) == 'float32'\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_large_labels_do_not_wrap_on_jax_with_32_bits():
    """In a process of its own: elsewhere the tests set the 64-bit flag."""
    pytest.importorskip("jax", reason="JAX is not installed")
    program = (
        "import numpy as np, nnfs_xp as nx\n"
        "model = nx.Model([nx.Dense(2, 2), nx.Softmax()], backend='jax',\n"
        "                 loss='categorical_crossentropy', optimizer='sgd')\n"
        "for bad in (2**32, 2**40 + 1, -2**32):\n"
        "    try:\n"
        "        model.fit(np.ones((2, 2)), np.array([0, bad]))\n"
        "    except nx.InputError as error:\n"
        "        assert 'labels from 0 to 1' in str(error), error\n"
        "    else:\n"
        "        raise AssertionError(bad)\n"
        "history = model.fit(np.ones((2, 2)), np.array([0, 1]), epochs=2)\n"
        "assert len(history) == 2\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_arrays_of_another_library_are_not_moved_unasked(backend64):
    other = "array_api_strict" if backend64.name == "numpy" else "torch"
    if other == backend64.name:
        other = "array_api_strict"
    foreign = backend_or_skip_library(other).asarray(np.ones(3))
    with pytest.raises(nx.BackendMismatchError, match=r"nnfs_xp\.to_numpy first"):
        backend64.asarray(foreign)
    there = backend64.asarray(nx.to_numpy(foreign))
    assert isinstance(there, backend64.array_type())


def backend_or_skip_library(name):
    status = nx.backend_status(name)
    if not status.works:
        pytest.skip(status.reason)
    return nx.get_backend(name)


def test_asarray_moves_between_devices_of_one_library():
    one, other = (
        nx.get_backend("array_api_strict", device=name) for name in ("device1", "cpu")
    )
    moved = other.asarray(one.asarray(np.arange(3.0)))
    assert backend_of(moved) == other.like("float64")
    np.testing.assert_array_equal(nx.to_numpy(moved), [0, 1, 2])


def test_auto_chooses_the_device_itself():
    with pytest.raises(nx.InputError, match="device must be left out"):
        nx.get_backend("auto", device="cuda:0")
