"""Many steps in one call: the same numbers, however they are divided into calls."""

import signal
import tracemalloc

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.executors.models import images, points, varied_network
from tests.executors.test_jax_programs import compiled


class Every(nx.Callback):
    """Keeps the figures of some batches, and of the epoch so far."""

    def __init__(self, interval):
        self.batch_interval = interval
        self.seen, self.batches = {}, []

    def on_batch_end(self, event):
        self.batches.append(event.batch)
        place = event.epoch, event.batch
        self.seen[place] = event.batch_figures(), event.figures(), event.samples


class Nothing(nx.Callback):
    """Has an interval, and no use for batches."""

    batch_interval = 1


@pytest.fixture(
    params=[
        pytest.param(("jax", "auto"), marks=pytest.mark.backend("jax"), id="jax"),
        pytest.param(("numpy", "auto"), id="numpy"),
    ]
)
def where(request):
    name, compile = request.param
    return {"be": backend_or_skip(name, "float32"), "compile": compile}


def values(model):
    return {name: nx.to_numpy(array) for name, array in model.parameters.items()}


def assert_same(model, other):
    assert model.steps_trained == other.steps_trained
    for name, array in values(other).items():
        np.testing.assert_array_equal(values(model)[name], array, err_msg=name)


def fit(where, callbacks=(), samples=100, **options):
    model = varied_network(**where)
    x, y = points(samples)
    how = {"epochs": 2, "batch_size": 8, **options}
    return model, model.fit(x, y, callbacks=callbacks, **how)


def test_an_interval_changes_no_number(where):
    """13 batches in an epoch, the last one of 4 samples."""
    each, some, often = Every(1), Every(5), Every(None)
    alone, history = fit(where)
    model, records = fit(where, [each, Nothing()])
    other, others = fit(where, [some, often])
    assert history["loss"] == records["loss"] == others["loss"]
    assert_same(model, alone)
    assert_same(other, alone)
    assert some.batches == 2 * [1, 6, 11, 13]
    # Whoever does not mind is called where the others are, too.
    assert set(some.seen) <= set(often.seen) <= set(each.seen)
    for place, figures in [*some.seen.items(), *often.seen.items()]:
        np.testing.assert_equal(figures, each.seen[place])


@pytest.mark.parametrize("interval", [0, -1, 1.5, "all", True])
def test_what_is_no_interval(interval):
    with pytest.raises(nx.InputError, match=r"batch_interval of Every must be a pos"):
        fit({"be": backend_or_skip("numpy", "float32")}, Every(interval))


@pytest.mark.backend("jax")
def test_one_program_for_each_size_of_a_batch(caplog):
    be = backend_or_skip("jax", "float32")
    x, y = points(100)
    model = nx.Model(
        [nx.Dense(5, 6), nx.ReLU(), nx.Dense(6, 3), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.Adam(decay=0.1), backend=be,
    )  # fmt: skip

    def train():
        for interval in (1, 7, None):
            model.fit(x, y, epochs=2, batch_size=8, callbacks=Every(interval))
        model.fit(x, y, epochs=3, batch_size=8)

    steps = [name for name in compiled(caplog, train) if "train" in name]
    assert steps == ["jit(pure_train_many)"] * 2


@pytest.mark.backend("jax")
def test_random_numbers_cost_few_programs(caplog):
    where = {"be": backend_or_skip("jax", "float32")}
    found = compiled(caplog, lambda: fit(where, samples=1600, epochs=4))
    # 200 steps at once at most: room for 2, 8, 64 or 512.
    assert 1 <= found.count("jit(pure_train_many)") <= 4


@pytest.mark.backend("jax")
def test_noise_is_added_alike_however_steps_are_divided():
    be, (x, y) = backend_or_skip("jax", "float32"), points(100)

    def train(interval):
        model = nx.Model(
            [nx.GaussianNoise(0.3), nx.Dense(5, 6), nx.ReLU(), nx.Dense(6, 3)],
            loss="mean_squared_error", optimizer="adam", metrics=None, backend=be,
        )  # fmt: skip
        y_of = np.eye(3, dtype="float32")[y]
        model.fit(x, y_of, epochs=2, batch_size=10, callbacks=Every(interval))
        return model

    assert_same(train(1), train(4))


@pytest.mark.backend("jax")
def test_an_epoch_begins_without_new_arrays(monkeypatch):
    made = []
    where = {"be": backend_or_skip("jax", "float32")}
    zeros = type(where["be"]).zeros

    def counted(*arguments):
        made.append(arguments)
        return zeros(*arguments)

    def arrays_made(epochs):
        made.clear()
        model.fit(*points(100), epochs=epochs, batch_size=50)
        return len(made)

    monkeypatch.setattr(type(where["be"]), "zeros", counted)
    model, _ = fit(where, batch_size=50)
    assert made
    assert arrays_made(1) == arrays_made(4)


def several_inputs(be, **options):
    branches = [
        nx.Sequential([nx.Embedding(7, 4), nx.Flatten()]),
        nx.Sequential([nx.Rescaling(0.1), nx.Dense(3, 8)]),
    ]
    return nx.Model(
        [nx.Parallel(branches), nx.Concatenate(), nx.Dense(16, 2)],
        loss="mean_squared_error", optimizer="adam", backend=be, **options,
    )  # fmt: skip


@pytest.mark.backend("jax")
@pytest.mark.parametrize("kind", ["several inputs", "weights", "bytes", "batch norm"])
def test_gathered_steps_are_those_of_the_eager_executor(kind):
    be = backend_or_skip("jax", "float64")
    random = np.random.default_rng(7)
    weight = None
    if kind == "several inputs":
        x = random.integers(0, 7, (50, 2)), random.normal(size=(50, 3))
        y, make = random.normal(size=(50, 2)), several_inputs
    elif kind == "bytes":
        x, y = images(50, 6)

        def make(be, **options):
            return nx.Model(
                [nx.Rescaling(1 / 127.5, -1.0), nx.Dense(6, 10), nx.Softmax()],
                loss="categorical_crossentropy", optimizer="sgd", backend=be, **options,
            )  # fmt: skip

    elif kind == "weights":
        (x, y), make = points(50), varied_network
        weight = random.uniform(0.5, 2.0, 50)
    else:
        x, y = points(50)

        def make(be, **options):
            layers = [nx.Dense(5, 8), nx.BatchNorm(8), nx.Tanh(), nx.Dense(8, 3)]
            return nx.Model(
                [*layers, nx.Softmax()], loss="categorical_crossentropy",
                optimizer=nx.SGD(0.1, momentum=0.9), backend=be, **options,
            )  # fmt: skip

    found = []
    for compile in ("require", "off"):
        options = {} if weight is None else {"metrics": None}
        model = make(be, compile=compile, **options)
        how = {"epochs": 2, "batch_size": 16, "sample_weight": weight}
        model.fit(x, y, shuffle=False, **how)
        history = model.fit(x, y, **how)
        found.append({**model._state.export(), "loss": np.asarray(history["loss"])})
    assert found[0].keys() == found[1].keys()
    for name, array in found[1].items():
        np.testing.assert_allclose(found[0][name], array, rtol=1e-9, atol=1e-11)


def test_a_schedule_that_fails_leaves_the_steps_before_it(where):
    def schedule(step):
        return 0.01 if step < 7 else -1.0

    model = varied_network(**where, optimizer=nx.SGD(schedule))
    with pytest.raises(nx.InputError, match="learning_rate at step 7"):
        model.fit(*points(100), batch_size=8)
    assert model.steps_trained == 7
    assert int(model._state.tree["optimizer"]["step"]) == 7


class Bell(nx.Layer):
    """Interrupts the third step that is run step by step."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def fwd(self, cx, x):
        self.calls.append(cx.training)
        if sum(self.calls) == 3 and cx.training:
            signal.raise_signal(signal.SIGINT)
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy


def test_an_interruption_waits_for_no_further_step(monkeypatch):
    # As on a machine that takes a thousand steps in no time.
    monkeypatch.setattr("nnfs_xp.engine.trainer.Pace.follow", lambda *_: None)
    monkeypatch.setattr(
        "nnfs_xp.engine.trainer.Pace.__init__", lambda self: setattr(self, "steps", 99)
    )
    model = nx.Model(
        [nx.Dense(5, 3), Bell(), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="adam", backend="numpy",
        compile="off",
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        model.fit(*points(100), batch_size=8)
    assert model.steps_trained == 3


def test_divergence_names_the_steps_between_two_readings(where):
    model = varied_network(**where, optimizer=nx.SGD(1e30))
    with pytest.raises(nx.DivergenceError, match="epoch 1, steps 1 to 13"):
        model.fit(*points(100), batch_size=8)
    model = varied_network(**where, optimizer=nx.SGD(1e30))
    with pytest.raises(nx.DivergenceError, match=r"epoch 1, step(s 2 to)? [1-7]\b"):
        model.fit(*points(100), batch_size=8, callbacks=Every(1))


class Stop(nx.Callback):
    def on_batch_end(self, event):
        if (event.epoch, event.batch) == (2, 6):
            raise KeyboardInterrupt


def test_a_training_that_goes_on_within_an_epoch(where, tmp_path):
    how = {"checkpoint": tmp_path / "run.safetensors", "epochs": 3}
    with pytest.raises(KeyboardInterrupt):
        fit(where, Stop(), **how)
    model, history = fit(where, resume=True, **how)
    whole, records = fit(where, epochs=3)
    assert history["loss"] == records["loss"]
    assert_same(model, whole)


@pytest.mark.parametrize(
    "name", ["numpy", pytest.param("torch", marks=pytest.mark.backend("torch"))]
)
def test_data_of_the_host_is_not_copied(name):
    be = backend_or_skip(name, "float32")
    x = np.random.default_rng(3).random((20_000, 100), dtype=np.float32)
    y = np.arange(20_000) % 3
    model = nx.Model(
        [nx.Dense(100, 3), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="sgd", backend=be,
    )  # fmt: skip
    # What is imported for the first steps has its memory, too.
    model.fit(x[:6400], y[:6400], validation_data=(x[:200], y[:200]))
    tracemalloc.start()
    try:
        model.fit(x, y, validation_data=(x, y))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes / 3
