"""What a program has set for a whole library changes nothing, and stays as it is."""

import contextlib
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import MATRIX, backend_or_skip
from tests.executors.models import points, varied_network

X, Y = points(37)


def figures_of(be, **options):
    """Return everything that a model computes, as host arrays."""
    model = varied_network(be, **options)
    losses = model.fit(X, Y, epochs=2, batch_size=16, validation_split=0.2)["loss"]
    figures = model.evaluate(X, Y)
    return [
        losses,
        *map(nx.to_numpy, figures.values()),
        nx.to_numpy(model.predict(X)),
        *map(nx.to_numpy, model.parameters.values()),
        *map(nx.to_numpy, model.gradients(X, Y).values()),
    ]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


# NumPy


def test_numpy_errors_are_not_raised(backend):
    """Far values: a softmax, and a float32, have underflows."""
    x = X * 300.0
    usual = varied_network(backend)
    usual.fit(x, Y, epochs=2)
    with np.errstate(all="raise"):
        model = varied_network(backend)
        model.fit(x, Y, epochs=2)
        model.predict(np.full((2, 5), 1e-310))
        model.evaluate(x, Y)
        assert set(np.geterr().values()) == {"raise"}
    for name, value in model.parameters.items():
        np.testing.assert_array_equal(
            nx.to_numpy(value), nx.to_numpy(usual.parameters[name])
        )


@pytest.mark.parametrize(
    "unit",
    [
        nx.Softmax(), nx.LogSoftmax(), nx.Sigmoid(), nx.GELU(), nx.SiLU(),
        nx.Softplus(), nx.Tanh(), nx.ELU(),
    ],
    ids=repr,
)  # fmt: skip
def test_units_used_alone_underflow_silently(backend, unit):
    unit = type(unit)(backend=backend)
    x = backend.asarray(np.array([[-800.0, 0.0, 800.0, 1e-30]]), backend.dtype)
    dy = backend.asarray(np.full((1, 4), 1e-30), backend.dtype)
    with np.errstate(all="raise"):
        unit.forward(x)
        unit.backward(dy)
    assert np.isfinite(nx.to_numpy(unit.output)).all()


def test_losses_and_metrics_used_alone(backend):
    be = backend
    scores = be.asarray(np.array([[1e3, -1e3], [-1e3, 1e3]]), be.dtype)
    labels = be.asarray(np.array([0, 0]), "int32")
    with np.errstate(all="raise"):
        loss = nx.SoftmaxCrossEntropy(backend=be).calculate(scores, labels)
        accuracy = nx.Accuracy(backend=be).calculate(scores, labels)
        moved = be.asarray(np.array([1e-300, 1e300]), "float32")
    assert float(loss) == 1000.0 and float(accuracy) == 0.5
    assert nx.to_numpy(moved).tolist() == [0.0, float("inf")]


# PyTorch


@contextlib.contextmanager
def default(kind, value, usual):
    import torch

    setter = getattr(torch, f"set_default_{kind}")
    setter(value)
    try:
        yield
    finally:
        setter(usual)


TORCH = {
    "autocast": lambda torch: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference mode": lambda torch: torch.inference_mode(),
    "no grad": lambda torch: torch.no_grad(),
    "float64": lambda torch: default("dtype", torch.float64, torch.float32),
    "float16": lambda torch: default("dtype", torch.float16, torch.float32),
    # A device without memory: nothing could be computed on it.
    "device": lambda torch: default("device", "meta", None),
}


def settings_of_torch(torch):
    return (
        torch.is_autocast_enabled("cpu"),
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.random.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("setting", TORCH)
def test_settings_of_torch_change_nothing(dtype, setting, torch):
    be = backend_or_skip("torch", dtype)
    expected = figures_of(be)
    with TORCH[setting](torch):
        before = settings_of_torch(torch)
        # A backend may be made in it, too.
        again = type(be)(None if setting == "device" else be.device, dtype)
        assert again == be
        assert_same(figures_of(again), expected)
        inside = varied_network(be)
        inside.fit(X, Y)
        unit = nx.Dense(5, 3, backend=be)
        unit.forward(be.asarray(X, be.dtype))
        assert settings_of_torch(torch) == before
    outside = varied_network(be)
    outside.fit(X, Y)
    # What was made in it can be trained without it, and the other way round.
    with TORCH[setting](torch):
        outside.fit(X, Y)
    inside.fit(X, Y)
    unit.backward(be.full((37, 3), 1.0))
    nx.SGD(0.1).step(unit)
    for name, value in inside.parameters.items():
        assert torch.equal(value, outside.parameters[name])


# JAX


@pytest.mark.slow
@pytest.mark.parametrize("flag", [False, True])
def test_the_64_bit_flag_of_jax_changes_nothing(dtype, flag):
    be = backend_or_skip("jax", dtype)
    import jax

    expected = figures_of(be)
    with jax.enable_x64(flag):
        assert_same(figures_of(be), expected)
        assert jax.config.jax_enable_x64 == flag


@pytest.mark.slow
def test_float64_on_jax_leaves_the_flag_alone():
    """In a process of its own: elsewhere the tests set the flag."""
    pytest.importorskip("jax", reason="JAX is not installed")
    program = """
import jax, numpy as np
before = dict(jax.config.values)
import nnfs_xp as nx
from tests.test_process import figures_of, X
found = [figures_of(nx.get_backend(name, dtype="float64")) for name in ("numpy", "jax")]
for one, other in zip(*found, strict=True):
    assert np.asarray(other).dtype == np.asarray(one).dtype
    np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)
be = nx.get_backend("jax", dtype="float64")
layer = nx.Dense(5, 2, backend=be)
layer.forward(be.asarray(X))
layer.backward(be.full((37, 2), 1.0))
layer.weights = be.full((5, 2), 0.5)
nx.Adam().step(layer)
metric = nx.R2(backend=be)
metric.update(be.zeros((4, 2)), be.asarray(X[:4, :2]))
for array in (
    layer.output, layer.dinputs, layer.dweights, layer.weights, metric.result(),
    nx.MeanSquaredError(backend=be).calculate(be.zeros((4, 2)), be.asarray(X[:4, :2])),
):
    assert array.dtype == "float64", array
assert dict(jax.config.values) == before
assert jax.numpy.ones(3).dtype == "float32"
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


# The process


@pytest.mark.slow
def test_nothing_of_the_process_is_changed(tmp_path):
    """By importing, training, saving and loading on every backend that works here."""
    program = f"""
import importlib.util, os, signal, sys
for name in ("torch", "jax", "array_api_strict"):
    if importlib.util.find_spec(name) is not None:
        __import__(name)
import locale, logging, random, threading, warnings
import numpy as np, safetensors.numpy, array_api_compat.numpy

def snapshot():
    return {{
        "warnings": list(warnings.filters),
        "NumPy's errors": np.geterr(),
        "NumPy's printing": np.get_printoptions(),
        "NumPy's numbers": np.random.get_state()[1].tolist(),
        "numbers": random.getstate(),
        "signals": [signal.getsignal(s) for s in sorted(signal.valid_signals())],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "handlers": list(logging.getLogger().handlers),
        "hooks": (sys.excepthook, sys.stdout, sys.stderr, threading.excepthook),
        "recursion": sys.getrecursionlimit(),
        "umask": (os.umask(0o22), os.umask(0o22)),
    }}

before = snapshot()
import nnfs_xp as nx
from tests.test_process import figures_of, X, Y
from tests.executors.models import varied_network
for name in nx.BACKEND_NAMES:
    if nx.backend_status(name).works:
        figures_of(nx.get_backend(name))
        model = varied_network(nx.get_backend(name))
        model.save({str(tmp_path / "model.safetensors")!r})
        nx.Model.load({str(tmp_path / "model.safetensors")!r}, backend=name).fit(X, Y)
after = snapshot()
for key, value in before.items():
    assert value == after[key], (key, value, after[key])
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


# Threads and signals


def in_threads(*functions):
    """Run functions at once, and return their results."""
    found, gate = {}, threading.Barrier(len(functions))

    def run(number, function):
        gate.wait()
        found[number] = function()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[number] for number in range(len(functions))]


@pytest.mark.parametrize("name", MATRIX)
def test_models_of_two_threads_are_those_of_one(name, dtype):
    be = backend_or_skip(name, dtype)
    seeds = (3, 4)
    alone = [figures_of(be, seed=seed) for seed in seeds]
    for _ in range(3):
        found = in_threads(*(lambda s=s: figures_of(be, seed=s) for s in seeds))
        for one, other in zip(found, alone, strict=True):
            assert_same(one, other)


def test_a_handler_set_during_a_training_is_kept():
    """As a callback may do that saves the model when it is told to end."""
    usual = signal.getsignal(signal.SIGINT)

    def own(*given):
        pass

    class Sets(nx.Callback):
        def on_fit_begin(self, *given):
            signal.signal(signal.SIGINT, own)

    try:
        model = varied_network(nx.get_backend("numpy"))
        model.fit(X, Y, callbacks=Sets())
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, usual)


def test_a_training_in_a_thread_leaves_handlers_alone():
    usual = signal.getsignal(signal.SIGINT)

    class Looks(nx.Callback):
        def on_batch_end(self, event):
            assert signal.getsignal(signal.SIGINT) is usual

    model = varied_network(nx.get_backend("numpy"))
    (history,) = in_threads(lambda: model.fit(X, Y, epochs=2, callbacks=Looks()))
    assert len(history) == 2
    assert signal.getsignal(signal.SIGINT) is usual
