"""The recorded step of NumPy beside the eager one, to the bit, for every unit."""

import functools
import itertools
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.step import Batch
from nnfs_xp.kernels import forget, kernel_mode, portable
from tests.engine import gpt
from tests.executors.trainings import (
    BATCH,
    ROWS,
    assert_predicts_in_threads,
    assert_same_bits,
    classifier,
    fit_alike,
    of_layer,
    of_loss,
    of_metric,
    of_optimizer,
    of_regularizer,
    points,
    targets_like,
)
from tests.matrix.cases import parametrize

slow = pytest.mark.slow
DTYPES = ["float32", pytest.param("float64", marks=slow)]
WEIGHTED = [False, pytest.param(True, marks=slow)]


def fit_both(layers, x, y, *, dtype="float32", **options):
    """Train a model recorded and one eagerly; compare all bits, return the first."""
    ways = "require", "off"
    model = fit_alike(ways, layers, x, y, backend="numpy", dtype=dtype, **options)
    assert model.executor_note.startswith("recorded: ")
    return model


def predict_again(model, x):
    """Return a prediction, which is the same to the bit when it is a recorded one."""
    first = model.predict(x)
    for _ in range(3):
        np.testing.assert_array_equal(model.predict(x), first)
    return first


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_every_layer(case, dtype):
    layers, x = of_layer(case)
    outputs = predict_again(nx.Model(layers(), backend="numpy", seed=5), x)
    fit_both(layers, x, targets_like(outputs), dtype=dtype, loss=nx.MeanSquaredError)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", WEIGHTED)
@pytest.mark.parametrize("case", **parametrize("loss"))
def test_every_loss(case, weighted, dtype):
    fit_both(dtype=dtype, **of_loss(case, weighted))


@pytest.mark.parametrize("clips", [False, True])
@pytest.mark.parametrize("case", **parametrize("optimizer"))
def test_fifty_steps_of_every_optimizer(case, clips):
    fit_both(**of_optimizer(case, clips))


@slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", **parametrize("metric"))
def test_every_metric(case, weighted):
    fit_both(**of_metric(case, weighted))


@pytest.mark.parametrize("case", **parametrize("regularizer"))
def test_every_regularizer(case):
    fit_both(**of_regularizer(case))


# What else a step may be made of.


def test_fifty_steps_of_a_gpt(monkeypatch):
    monkeypatch.setattr(gpt, "WORDS", 7)
    x, y = gpt.sentences(n=10)
    model = fit_both(
        lambda: [gpt.gpt(1)], x, y, epochs=17, loss=nx.SoftmaxCrossEntropy,
        optimizer=lambda: nx.Adam(nx.CosineDecay(0.01, 50)),
    )  # fmt: skip
    assert model.steps_trained == 51


def test_gradients_that_are_scaled_and_steps_that_are_left_out():
    big = 1e30 * np.random.default_rng(0).standard_normal((ROWS, 5))
    _, y = points()
    for x in (points()[0], big):
        fit_both(
            classifier, x, y, loss=nx.CategoricalCrossEntropy,
            matmul_precision="float16", fit={"on_divergence": "continue"},
        )  # fmt: skip


def test_frozen_layers_and_those_that_thaw():
    x, y = points()
    models = []
    for compile in ("require", "off"):
        layers = classifier()
        layers[0].trainable = False
        model = nx.Model(
            layers, loss=nx.CategoricalCrossEntropy(), optimizer=nx.Adam(),
            backend="numpy", seed=5, compile=compile,
        )  # fmt: skip
        model.fit(x, y, epochs=3, batch_size=BATCH)
        model.layers[0].trainable = True
        model.fit(x, y, epochs=3, batch_size=BATCH)
        models.append(model)
    assert_same_bits(*models)


# When a step is recorded, and which arrays it is taken on.


def trained_model(compile="require", layers=classifier, **options):
    return nx.Model(
        layers(), loss=nx.CategoricalCrossEntropy(), optimizer=nx.Adam(),
        backend="numpy", seed=5, compile=compile, **options,
    )  # fmt: skip


def executor_of(model):
    return model._trainer.executor


def recordings(model):
    return [one for one in executor_of(model)._predictions.values() if one]


def test_a_step_is_recorded_when_its_shape_comes_again():
    model = trained_model()
    x, y = points()
    model.fit(x[:4], y[:4])
    assert model.executor_note.startswith("recorded when a batch of the same shape")
    model.fit(x[:4], y[:4])
    assert model.executor_note.startswith("recorded: ")
    model.fit(x[:3], y[:3])
    assert len(executor_of(model)._steps) == 2


def test_later_trainings_play_the_same_recording_on_other_arrays(tmp_path):
    x, y = points()
    models = []
    for compile in ("require", "off"):
        model = trained_model(compile)
        model.fit(x, y, epochs=2, batch_size=BATCH)
        before = model.layers[0].weights
        kept = np.array(before)
        model.fit(x, y, epochs=2, batch_size=BATCH)
        # Whoever holds an array from before a training finds it as it was.
        np.testing.assert_array_equal(before, kept)
        path = tmp_path / f"{compile}.safetensors"
        model.save(path)
        model.fit(x, y, batch_size=BATCH)
        model.layers[3].biases = np.ones((1, 4))
        model.optimizer.learning_rate = 0.1
        model.fit(x, y, batch_size=BATCH)
        model.fit(x, y, batch_size=BATCH, sample_weight=np.arange(ROWS))
        model.load_parameters(path)
        model.fit(x, y, batch_size=BATCH)
        models.append(model)
    assert_same_bits(*models)


def test_batches_of_another_dtype_or_layout_are_other_ones():
    x, y = points(6)
    for labels, rows_ in ((y, x), (y.astype(np.uint8), np.asfortranarray(x))):
        fit_both(
            classifier, rows_, labels, loss=nx.CategoricalCrossEntropy,
            fit={"shuffle": False},
        )  # fmt: skip


def test_labels_that_stand_for_none_are_met_where_there_were_none():
    x, y = points(12)
    y[5:8] = -100  # in the second batch, not in the first
    fit_both(
        classifier, x, y, fit={"shuffle": False},
        loss=lambda: nx.CategoricalCrossEntropy(ignore_index=-100),
    )  # fmt: skip


def test_predictions_are_recorded():
    model = trained_model()
    x, y = points(64)
    assert recordings(model) == []
    for n in (3, 4):
        predict_again(model, x[:n])
    assert len(recordings(model)) == 2
    kept = model.predict(x[:4])
    first = kept.copy()
    model.fit(x, y, epochs=2, batch_size=16)
    # The result belongs to the caller; the next one is that of the new weights.
    expected = trained_model("off")
    expected.fit(x, y, epochs=2, batch_size=16)
    np.testing.assert_array_equal(model.predict(x[:4]), expected.predict(x[:4]))
    np.testing.assert_array_equal(kept, first)
    model.layers[0].weights = np.zeros((5, 8))
    found = predict_again(model, x[:4])
    assert (found == found[0]).all()
    # Arrays of another dtype or layout are other ones.
    for other in (x[:4].astype(np.float32), np.asfortranarray(x[:4]), x[7:3:-1]):
        assert predict_again(model, other).shape == (4, 4)


def test_large_predictions_are_not_kept():
    model = nx.Model([nx.Dense(2, 1200), nx.Dense(1200, 1)], backend="numpy")
    predict_again(model, np.ones((1000, 2)))
    assert recordings(model) == []


def test_own_units_predict_as_they_are_written():
    class Keeps(nx.ReLU):
        def fwd(self, cx, z):
            self.seen = z
            return super().fwd(cx, z)

    layers = [nx.Dense(5, 8), Keeps()]
    model = nx.Model(layers, backend="numpy")
    x, _ = points()
    for _ in range(4):
        model.predict(x)
        assert type(layers[1].seen) is np.ndarray
    assert recordings(model) == []


def test_one_model_predicts_in_many_threads(request):
    request.addfinalizer(functools.partial(sys.setswitchinterval, 0.005))
    sys.setswitchinterval(1e-6)
    model, (x, _) = trained_model(), points(64)
    parts = [x[i : i + 8] for i in range(0, 64, 8)]
    expected = [(part, predict_again(model, part)) for part in parts]
    assert_predicts_in_threads(model, expected, 100)


def test_two_models_train_in_two_threads():
    x, y = points(64)
    expected = trained_model("off")
    expected.fit(x, y, epochs=20, batch_size=16)
    models = [trained_model() for _ in range(4)]
    threads = [
        threading.Thread(
            target=model.fit, args=(x, y), kwargs=dict(epochs=20, batch_size=16)
        )
        for model in models
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model in models:
        assert_same_bits(model, expected)


def test_diverging_ends_a_recorded_training():
    x, y = points()
    model = trained_model()
    model.fit(x, y, epochs=2, batch_size=BATCH)
    with pytest.raises(nx.DivergenceError):
        model.fit(x * 1e38, y, batch_size=BATCH)


# What cannot be recorded.


class Branching(nx.Layer):
    """Reads a value, as no compiled step may."""

    def fwd(self, cx, x):
        return (x * 2.0 if float(cx.xp.sum(x)) > 0 else x), None

    def bwd(self, cx, residuals, dy):
        return dy


class Choosing(Branching):
    """Has outputs whose shape depends on values."""

    def fwd(self, cx, x):
        cx.xp.sum(x[x > 0])
        return x, None


class Keeping(Branching):
    """Writes to an array of its own."""

    def fwd(self, cx, x):
        np.multiply(x, 2.0, out=np.zeros(x.shape, x.dtype))
        return x, None


class Counting(Branching):
    """Asks for what has no form."""

    def fwd(self, cx, x):
        np.histogram(x)
        return x, None


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (Branching, "it asks for the values of an array"),
        (Choosing, "the shape of an array depends on values"),
        (Keeping, "np.multiply writes to an array of its own"),
        (Counting, "it calls np.histogram"),
    ],
)
def test_what_cannot_be_recorded_runs_step_by_step(unit, reason):
    def layers():
        return [nx.Dense(5, 4), unit(), nx.BatchNorm(4), nx.Softmax()]

    x, y = points()
    model, expected = trained_model("auto", layers), trained_model("off", layers)
    for one in (model, expected):
        one.fit(x, y, epochs=3, batch_size=BATCH)
    assert model.executor_note.startswith(f"step by step (not recorded: {reason})")
    assert_same_bits(model, expected)
    with pytest.raises(nx.BackendUnavailableError, match=reason):
        trained_model("require", layers).fit(x, y, epochs=3, batch_size=BATCH)


class Doubling(nx.Layer):
    """In the words of NumPy itself, with a portable function that reads a value."""

    def fwd(self, cx, x):
        y = np.where(x > 0, np.square(x), x.copy())
        y[..., 0] += np.einsum("ij,ij->i", y, y) / x.shape[1]
        y[:, 1:] -= y[:, :-1].mean(axis=1, keepdims=True)
        y = np.clip(y, -3, 3)
        largest, y = scaled_by_largest(cx.be, y)
        return y, (x, largest)

    def bwd(self, cx, residuals, dy):
        x, largest = residuals
        return np.concatenate([dy[:, :2], dy[:, 2:] * x[:, 2:]], axis=1) / largest


@pytest.fixture
def reading_kernel():
    global scaled_by_largest

    @portable
    def scaled_by_largest(be, y):
        largest = float(be.xp.max(be.xp.abs(y))) or 1.0
        y *= 1.0 / largest
        return be.full((), largest), y

    yield
    forget("scaled_by_largest")


def test_a_unit_in_the_words_of_numpy(reading_kernel):
    fit_both(
        lambda: [nx.Dense(5, 4), Doubling(), nx.Softmax()],
        *points(), loss=nx.CategoricalCrossEntropy,
    )  # fmt: skip


# What a recording takes.

WORKLOADS = {
    "W1": ((2, 64, 3), 300, 21),
    "W2": ((64, 128, 64, 10), 64, 31),
    "W3": ((784, 128, 128, 10), 128, 31),
}


def book_network(sizes, rows, compile):
    layers = []
    for n_inputs, n_outputs in itertools.pairwise(sizes):
        layers += [nx.Dense(n_inputs, n_outputs), nx.ReLU()]
    layers[-1] = nx.Softmax()
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, sizes[0]))
    model = trained_model(compile, lambda: layers, metrics=None)
    return model, x, random.integers(0, sizes[-1], rows)


@pytest.mark.parametrize(("sizes", "rows", "most"), WORKLOADS.values(), ids=WORKLOADS)
def test_a_recorded_step_has_few_calls(sizes, rows, most):
    if kernel_mode() == "off":
        pytest.skip("references take more calls")
    model, x, y = book_network(sizes, rows, "require")
    model.fit(x, y, epochs=3, batch_size=None)
    (step,) = executor_of(model)._steps.values()
    assert step.calls <= most


def peak_of_a_step(model, x, y):
    """Return the most bytes that are allocated while an eager step is taken."""
    be, executor = model.backend, executor_of(model)
    batch = Batch(be.asarray(x, be.dtype), be.asarray(y, "int32"))
    tree = model._state.tree
    with be.context():
        for number in range(3, 6):
            executor.train(tree, batch, number)
        tracemalloc.start()
        executor.train(tree, batch, 4)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize(("sizes", "rows", "most"), WORKLOADS.values(), ids=WORKLOADS)
def test_buffers_take_no_more_than_an_eager_step(sizes, rows, most):
    eager, x, y = book_network(sizes, rows, "off")
    eager.fit(x, y, epochs=2, batch_size=None)
    recorded, *_ = book_network(sizes, rows, "require")
    recorded.fit(x, y, epochs=3, batch_size=None)
    (step,) = executor_of(recorded)._steps.values()
    assert step.nbytes <= peak_of_a_step(eager, x, y)
    # A step allocates little beside them: what NumPy casts numbers in, and results of
    # functions that cannot be told where to write.
    own = peak_of_a_step(recorded, x, y)
    assert own < 40_000 or own < 0.5 * peak_of_a_step(eager, x, y)
