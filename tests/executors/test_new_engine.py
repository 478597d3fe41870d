"""Blocks, running statistics, ids and several inputs, in every executor."""

import contextlib
import copy
import functools
import pickle

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from nnfs_xp.random import Stream
from tests.executors.models import Steps, points

SAMPLES = 9 * 16 + 5
# 10 batches an epoch, the last of them of 5 rows.
BATCHES = 10


class Gate(nx.Layer):
    """A block of a reader's own: one branch opens and shuts the other."""

    def __init__(self, n):
        super().__init__()
        self.children = {
            "value": nx.Sequential([nx.Dense(n, n), nx.Tanh(), nx.Dropout(0.2)]),
            "gate": nx.Sequential([nx.Dense(n, n), nx.Sigmoid()]),
        }

    def fwd(self, cx, x):
        value, kept_value = cx["value"].fwd(x)
        gate, kept_gate = cx["gate"].fwd(x)
        return value * gate, (value, gate, kept_value, kept_gate)

    def bwd(self, cx, residuals, dy):
        value, gate, kept_value, kept_gate = residuals
        dx = cx["value"].bwd(kept_value, dy * gate)
        return dx + cx["gate"].bwd(kept_gate, dy * value)


class MeanOverTime(nx.Layer):
    """The mean over the middle axis of (n, t, k)."""

    def fwd(self, cx, x):
        return cx.xp.mean(x, axis=1), x.shape

    def bwd(self, cx, shape, dy):
        return cx.xp.broadcast_to(dy[:, None, :] / shape[1], shape)

    def output_shape(self, shape):
        return None if shape is None else shape[-1:]


def residual():
    block = nx.Residual(nx.Sequential([nx.Dense(8, 8), nx.ReLU(), nx.Dropout(0.3)]))
    return [nx.Dense(5, 8), block, nx.Dense(8, 3), nx.Softmax()]


def batch_norm():
    return [
        nx.Dense(5, 8), nx.BatchNorm(8), nx.ReLU(), nx.Dropout(0.2), nx.Dense(8, 3),
        nx.BatchNorm(3), nx.Softmax(),
    ]  # fmt: skip


def own_block():
    return [nx.Dense(5, 8), nx.LayerNorm(8), Gate(8), nx.Dense(8, 3), nx.Softmax()]


def embedding():
    inner = nx.Sequential([nx.LayerNorm(4), nx.Dense(4, 4), nx.GELU(), nx.Dropout(0.1)])
    return [
        nx.Embedding(11, 4), nx.Residual(inner), MeanOverTime(), nx.Dense(4, 8),
        nx.ReLU(), nx.Dense(8, 3), nx.Softmax(),
    ]  # fmt: skip


def two_inputs():
    ids = nx.Sequential([nx.Embedding(11, 4), nx.Flatten()])
    floats = nx.Sequential([nx.Dense(5, 6), nx.BatchNorm(6)])
    return [
        nx.Parallel([ids, floats]), nx.Concatenate(), nx.ReLU(), nx.Dropout(0.2),
        nx.Dense(30, 3), nx.Softmax(),
    ]  # fmt: skip


def floats_before_ids():
    floats = nx.Sequential([nx.Dense(5, 6), nx.ReLU()])
    ids = nx.Sequential([nx.Embedding(11, 6), nx.Flatten(), nx.Dense(36, 6)])
    return [nx.Parallel([floats, ids]), nx.Add(), nx.Dense(6, 3), nx.Softmax()]


NETS = {
    net.__name__: net
    for net in (
        residual,
        batch_norm,
        own_block,
        embedding,
        two_inputs,
        floats_before_ids,
    )
}
EVERY_NET = pytest.mark.parametrize("net", NETS)
WITH_IDS = pytest.mark.parametrize(
    "net", ["embedding", "two_inputs", "floats_before_ids"]
)


def data_for(net, be=None):
    """Return samples as the network takes them, and labels."""
    floats, y = points(SAMPLES)
    if be is not None:
        floats = floats.astype(be.dtype_name)
    ids = np.random.default_rng(20251127).integers(0, 11, (SAMPLES, 6))
    x = {
        "embedding": ids,
        "two_inputs": (ids, floats),
        "floats_before_ids": (floats, ids),
    }
    return x.get(net, floats), y


def make(net, be, compile="auto", **options):
    defaults = {
        "loss": "categorical_crossentropy",
        "optimizer": nx.Adam(nx.CosineDecay(0.02, 50)),
        "seed": 3,
    }
    return nx.Model(NETS[net](), backend=be, compile=compile, **{**defaults, **options})


def compiled(be):
    """Return how a backend is asked to compile; PyTorch would take minutes."""
    return "require" if be.name in ("cupy", "jax") else "auto"


def trained(net, be, compile, **fit):
    model, steps = make(net, be, compile), Steps()
    x, y = data_for(net, be)
    model.fit(x, y, epochs=5, batch_size=16, callbacks=steps, **fit)
    assert len(steps.figures) == 50
    return model, steps.figures


class ByReferences:
    """Computes without kernels, for what is expected."""

    def __enter__(self):
        self.mode = kernels.kernel_mode()
        kernels.set_kernel_mode("off")

    def __exit__(self, *error):
        kernels.set_kernel_mode(self.mode)


@functools.cache
def expected_of(net):
    """Return figures and values of NumPy's references, in float64."""
    with ByReferences():
        model, figures = trained(net, nx.get_backend("numpy", dtype="float64"), "off")
    return figures, model._state.export()


def assert_same_bits(model, other):
    one, two = model._state.export(), other._state.export()
    assert set(one) == set(two)
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], name)


def assert_near(found, expected, rtol=1e-9):
    """Compare exported values, which sums to 0 may have driven apart in all digits."""
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol, rtol, err_msg=name)


@EVERY_NET
def test_fifty_steps_are_those_of_numpys_references(backend64, net):
    model, found = trained(net, backend64, compiled(backend64))
    wanted = {"cupy": "cuda graph", "jax": "jax.jit"}
    wanted |= dict.fromkeys(("numpy", "torch"), "recorded")
    assert model._trainer.executor.name == wanted.get(backend64.name, "eager")
    figures, values = expected_of(net)
    for one, other in zip(found, figures, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-9, abs=0)
        assert one["accuracy"] == other["accuracy"]
    assert_near(model._state.export(), values)


@EVERY_NET
def test_captured_steps_are_the_eager_ones_bit_for_bit(cupy, net):
    captured, found = trained(net, cupy, "require")
    eager, expected = trained(net, cupy, "off")
    assert found == expected
    assert_same_bits(captured, eager)


@EVERY_NET
def test_a_captured_step_is_one_launch(counted, cupy32, net, one_at_a_time):
    x, y = data_for(net, cupy32)
    model = make(net, cupy32, "require", optimizer=nx.Adam(0.01))
    counting, counts = contextlib.ExitStack(), []

    class Count(nx.Callback):
        """Counts from the end of the second epoch, when everything is captured."""

        def on_epoch_end(self, record):
            if record["epoch"] == 2:
                counts.append(counting.enter_context(counted()))
            elif record["epoch"] == 5:
                counting.close()

    model.fit(x, y, epochs=5, batch_size=16, callbacks=[Count()])
    (more,) = counts
    assert more["graph_launch"] == 3 * BATCHES
    # Of an epoch: its order, totals that begin anew, and figures that are read.
    assert more["launches"] + more["gemm"] <= 3 * 12
    assert more["h2d"] <= 3
    assert more["d2h"] == 3


class AtTheBeginning(nx.Callback):
    """Keeps what the model holds after steps were captured, before the first."""

    def on_fit_begin(self, model, epochs, batches):
        self.graphs = len(getattr(model._trainer.executor, "_graphs", ()))
        self.values = model._state.export()


@EVERY_NET
def test_a_rehearsal_leaves_everything_as_it_was(cupy, net):
    model, begin = make(net, cupy, "require"), AtTheBeginning()
    x, y = data_for(net, cupy)
    for _ in range(2):
        before = model._state.export()
        model.fit(x, y, batch_size=16, callbacks=begin)
        assert begin.graphs == 2
        for name, array in before.items():
            if name != "optimizer.learning_rate":
                np.testing.assert_array_equal(begin.values[name], array, name)
        moved = [n for n, v in model._state.export().items() if (v != before[n]).any()]
        assert set(model.buffers) | set(model.parameters) <= set(moved)


@WITH_IDS
@pytest.mark.parametrize("compile", ["off", "auto"])
@pytest.mark.parametrize("batches", [1, 3])
def test_streamed_training_is_the_same(cupy, net, compile, batches):
    x, y = data_for(net, cupy)
    weights = np.linspace(0.5, 1.5, SAMPLES).astype(cupy.dtype_name)
    itemsize = 4 if cupy.dtype_name == "float32" else 8
    # Six ids, a label and a weight, and five floats where there are two inputs.
    row = 6 * 4 + 4 + itemsize + (5 * itemsize if net != "embedding" else 0)
    found, models = [], []
    for limit in (2 * batches * 16 * row, 2**30):
        model, steps = make(net, cupy, compile), Steps()
        model.fit(
            x, y, epochs=3, batch_size=16, sample_weight=weights, callbacks=steps,
            device_data_limit=limit,
        )  # fmt: skip
        found.append(steps.figures)
        models.append(model)
    assert found[0] == found[1]
    assert_same_bits(*models)


@WITH_IDS
def test_streamed_ids_stay_integers(counted, cupy32, net):
    """They travel in 32 bits, and nothing is read back for it."""
    x, y = data_for(net, cupy32)
    model = make(net, cupy32)
    row = 6 * 4 + 4 + (5 * 4 if net != "embedding" else 0)
    model.fit(x, y, batch_size=16, device_data_limit=6 * 16 * row)
    with counted() as counts:
        model.fit(x, y, epochs=4, batch_size=16, device_data_limit=6 * 16 * row)
    rows = 4 * SAMPLES * row
    # A learning rate of 4 bytes for each step, and little else.
    assert rows <= counts["h2d_bytes"] < 1.1 * rows + 40 * 4
    assert counts["d2h"] == 4


@WITH_IDS
def test_ids_from_the_device(backend64, net):
    """Ids that are on the device already train as those from the host do."""
    x, y = data_for(net, backend64)
    x = (
        tuple(map(backend64.asarray, x))
        if isinstance(x, tuple)
        else backend64.asarray(x)
    )
    model = make(net, backend64, compiled(backend64))
    losses = model.fit(x, backend64.asarray(y), epochs=2, batch_size=16)["loss"]
    other = make(net, backend64, compiled(backend64))
    assert losses == other.fit(*data_for(net), epochs=2, batch_size=16)["loss"]


class Draws(nx.Layer):
    """Notes the random numbers of each step."""

    def __init__(self):
        super().__init__()
        self._drawn = []

    def fwd(self, cx, x):
        if cx.training:
            self._drawn.append(cx.random.uniform((2,)).tolist())
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy


def test_a_new_optimizer_goes_on_with_the_random_numbers_of_the_model():
    noted, (x, y) = Draws(), points(SAMPLES)
    model = nx.Model(
        [nx.Dense(5, 3), noted, nx.Softmax()], loss="categorical_crossentropy",
        optimizer="adam", dtype="float64", seed=3,
    )  # fmt: skip
    for optimizer in ("adam", "sgd", "adam"):
        model.set(optimizer=optimizer)
        model.fit(x, y, batch_size=16)
    assert model._counters.steps_before == 2 * BATCHES
    assert model.steps_trained == 3 * BATCHES
    streams = [Stream(3, "layers.1.noise", step) for step in range(3 * BATCHES)]
    assert noted._drawn == [stream.uniform((2,)).tolist() for stream in streams]


def changed_optimizers(net, be, compile):
    """Train with one optimizer after the other, and return all losses."""
    model, steps = make(net, be, compile, optimizer="adam"), Steps()
    x, y = data_for(net, be)
    for optimizer in (nx.SGD(0.05, momentum=0.9), nx.Adam(0.01)):
        model.fit(x, y, epochs=2, batch_size=16, callbacks=steps)
        model.set(optimizer=optimizer)
        assert model._counters.steps_before == model.steps_trained > 0
    model.fit(x, y, epochs=1, batch_size=16, callbacks=steps)
    assert model.steps_trained == 5 * BATCHES
    assert int(model._state.export()["optimizer.step"]) == BATCHES
    return model, steps.figures


@pytest.mark.parametrize("net", ["residual", "own_block"])
def test_changed_optimizers_in_captured_and_eager_steps(cupy, net):
    captured, found = changed_optimizers(net, cupy, "require")
    eager, expected = changed_optimizers(net, cupy, "off")
    assert found == expected
    assert_same_bits(captured, eager)


@pytest.mark.parametrize("net", ["residual", "batch_norm"])
def test_changed_optimizers_on_every_backend(backend64, net):
    model, found = changed_optimizers(net, backend64, compiled(backend64))
    numpy = nx.get_backend("numpy", dtype="float64")
    with ByReferences():
        reference, expected = changed_optimizers(net, numpy, "off")
    for one, other in zip(found, expected, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-9, abs=0)
    assert_near(model._state.export(), reference._state.export())


def values_of(model):
    held = {**model.parameters, **model.buffers}
    return {path: nx.to_numpy(value) for path, value in held.items()}


def frozen_between(net, be, compile):
    """Train with parts frozen and set free again, and return all figures."""
    model, steps = make(net, be, compile, optimizer=nx.SGD(0.05, momentum=0.9)), Steps()
    x, y = data_for(net, be)
    model.fit(x, y, epochs=2, batch_size=16, callbacks=steps)
    for number in (0, 1):
        model.layers[number].trainable = False
        before = values_of(model)
        model.fit(x, y, batch_size=16, callbacks=steps)
        for path, now in values_of(model).items():
            frozen = path.startswith(f"{number}.")
            assert np.array_equal(now, before[path]) is frozen, path
        model.layers[number].trainable = True
        model.fit(x, y, batch_size=16, callbacks=steps)
    assert model.steps_trained == int(model._state.export()["optimizer.step"])
    return model, steps.figures


@EVERY_NET
def test_freezing_between_captured_trainings(cupy, net):
    captured, found = frozen_between(net, cupy, "require")
    eager, expected = frozen_between(net, cupy, "off")
    assert found == expected
    assert_same_bits(captured, eager)


@pytest.mark.parametrize("net", ["residual", "batch_norm", "embedding"])
def test_freezing_on_every_backend(backend64, net):
    model, found = frozen_between(net, backend64, compiled(backend64))
    numpy = nx.get_backend("numpy", dtype="float64")
    with ByReferences():
        reference, expected = frozen_between(net, numpy, "off")
    for one, other in zip(found, expected, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-9, abs=0)
    assert_near(model._state.export(), reference._state.export())


# Copies, as people keep the best model of a training.

COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("net", ["batch_norm", "embedding"])
def test_a_copy_goes_on_as_the_original_does(backend64, net, way):
    x, y = data_for(net, backend64)
    model = make(net, backend64, compiled(backend64))
    fresh = COPIES[way](model)
    losses = model.fit(x, y, epochs=2, batch_size=16)["loss"]
    assert fresh.fit(x, y, epochs=2, batch_size=16)["loss"] == losses
    trained_on = COPIES[way](model)
    assert trained_on.backend == backend64 and trained_on.steps_trained == 2 * BATCHES
    assert_same_bits(trained_on, model)
    before = model._state.export()
    losses = trained_on.fit(x, y, batch_size=16)["loss"]
    for name, array in model._state.export().items():
        np.testing.assert_array_equal(array, before[name], name)
    assert model.fit(x, y, batch_size=16)["loss"] == losses
    assert_same_bits(trained_on, model)


class KeepsCopies(nx.Callback):
    def on_fit_begin(self, model, epochs, batches):
        self.model, self.copies, self.predictions = model, [], []

    def on_epoch_end(self, record):
        self.copies.append(copy.deepcopy(self.model))


@pytest.mark.parametrize("net", ["batch_norm", "embedding"])
def test_copies_made_while_fit_runs(backend64, net):
    x, y = data_for(net, backend64)
    model, keeps = make(net, backend64, compiled(backend64)), KeepsCopies()
    losses = model.fit(x, y, epochs=3, batch_size=16, callbacks=keeps)["loss"]
    alone = make(net, backend64, compiled(backend64))
    assert alone.fit(x, y, epochs=3, batch_size=16)["loss"] == losses
    for number, kept in enumerate(keeps.copies, start=1):
        assert kept.steps_trained == number * BATCHES
        rest = 3 - number
        if rest:
            again = kept.fit(x, y, epochs=rest, batch_size=16)["loss"]
            assert again == losses[number:]
        assert_same_bits(kept, model)


# What cannot be done while fit runs.


class Calls(nx.Callback):
    def __init__(self, call):
        self.call = call

    def on_fit_begin(self, model, epochs, batches):
        self.model = model

    def on_epoch_end(self, record):
        self.call(self.model)


def assigned_optimizer(model):
    model.optimizer = "sgd"


NOT_WHILE_FIT_RUNS = {
    "set": lambda model: model.set(optimizer=nx.SGD(0.9)),
    "optimizer": assigned_optimizer,
    "metrics": lambda model: model.set(metrics=None),
    "add": lambda model: model.add(nx.Dense(3, 3)),
    "to": lambda model: model.to("numpy"),
    "fit": lambda model: model.fit(*points(SAMPLES)),
    "trainable": lambda model: setattr(model.layers[0], "trainable", False),
}


@pytest.mark.parametrize("name", NOT_WHILE_FIT_RUNS)
def test_what_cannot_be_done_in_a_callback(backend64, name):
    """It is refused on every backend alike, and the model is as good as before."""
    x, y = data_for("residual", backend64)
    model = make("residual", backend64)
    with pytest.raises(nx.InputError, match="while fit runs"):
        model.fit(
            x, y, epochs=3, batch_size=16, callbacks=Calls(NOT_WHILE_FIT_RUNS[name])
        )
    assert model.steps_trained == BATCHES
    other = make("residual", backend64)
    losses = other.fit(x, y, epochs=2, batch_size=16)["loss"]
    assert model.fit(x, y, batch_size=16)["loss"] == losses[1:]
    assert_same_bits(model, other)
    NOT_WHILE_FIT_RUNS[name](model)
