"""The recorded step of PyTorch on a CPU beside the eager one, to the bit."""

import subprocess
import sys

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
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


class Notes(nx.Callback):
    """Keeps what the model says of its executor."""

    def on_batch_end(self, event):
        pass

    def on_fit_begin(self, model, epochs, batches):
        self.model = model

    def on_epoch_end(self, record):
        self.last = self.model.executor_note


def fit_both(layers, x, y, **options):
    """Train a model as it is by default and one eagerly; compare all bits."""
    be = backend_or_skip("torch", "float32")
    if be.device.type != "cpu":
        pytest.skip("steps are recorded on a CPU")
    notes, ways = Notes(), ("auto", "off")
    model = fit_alike(ways, layers, x, y, backend=be, callbacks=[notes], **options)
    assert notes.last.startswith("recorded: "), notes.last
    return model


def predict_again(model, x):
    """Return a prediction, which is the same to the bit when it is a recorded one."""
    first = nx.to_numpy(model.predict(x))
    for _ in range(3):
        np.testing.assert_array_equal(nx.to_numpy(model.predict(x)), first)
    return first


def recordings(model):
    return [one for one in model._trainer.executor._predictions.values() if one]


@slow
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_every_layer(case):
    layers, x = of_layer(case)
    outputs = nx.Model(layers(), backend="numpy", seed=5).predict(x)
    model = fit_both(layers, x, targets_like(outputs), loss=nx.MeanSquaredError)
    predict_again(model, x)


@slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", **parametrize("loss"))
def test_every_loss(case, weighted):
    fit_both(**of_loss(case, weighted))


@slow
@pytest.mark.parametrize("clips", [False, True])
@pytest.mark.parametrize("case", **parametrize("optimizer"))
def test_every_optimizer(case, clips):
    fit_both(**of_optimizer(case, clips))


@slow
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", **parametrize("metric"))
def test_every_metric(case, weighted):
    fit_both(**of_metric(case, weighted))


@slow
@pytest.mark.parametrize("case", **parametrize("regularizer"))
def test_every_regularizer(case):
    fit_both(**of_regularizer(case))


def trained_model(compile, layers=classifier):
    return nx.Model(
        layers(), loss=nx.CategoricalCrossEntropy(), optimizer=nx.Adam(),
        backend=backend_or_skip("torch", "float32"), seed=5, compile=compile,
    )  # fmt: skip


def test_random_numbers_and_the_learning_rate_are_new_in_every_step():
    fit_both(
        classifier, *points(), loss=nx.CategoricalCrossEntropy,
        optimizer=lambda: nx.Adam(nx.CosineDecay(0.01, 9)), metrics=("accuracy",),
    )  # fmt: skip


def test_a_recording_is_of_the_arrays_of_one_training(tmp_path):
    x, y = points()
    models = []
    for compile in ("auto", "off"):
        model = trained_model(compile)
        model.fit(x, y, epochs=3, batch_size=BATCH)
        before = model.layers[0].weights
        kept = nx.to_numpy(before)
        model.save(tmp_path / f"{compile}.safetensors")
        model.fit(x, y, epochs=3, batch_size=BATCH)
        # Whoever holds an array from before a training finds it as it was.
        np.testing.assert_array_equal(nx.to_numpy(before), kept)
        model.layers[3].biases = [[1.0] * 4]
        model.optimizer.learning_rate = 0.1
        model.fit(x, y, epochs=3, batch_size=BATCH, sample_weight=np.arange(ROWS))
        model.load_parameters(tmp_path / f"{compile}.safetensors")
        model.fit(x, y, epochs=3, batch_size=BATCH)
        models.append(model)
    assert_same_bits(*models)


class ReadsBack(nx.Layer):
    """A layer that does something else when its inputs are large."""

    def fwd(self, cx, x):
        return (x * 2 if float(cx.xp.max(x)) < 1 else x), None

    def bwd(self, cx, residuals, dy):
        return dy


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        (lambda: [nx.Dense(5, 4), ReadsBack(), nx.Softmax()], "parts of your own"),
        (
            lambda: [nx.Dense(5, 2**18), nx.Dense(2**18, 4), nx.Softmax()],
            "MB of results",
        ),
    ],
    ids=["own", "large"],
)
def test_what_is_not_recorded_runs_step_by_step(layers, reason):
    if backend_or_skip("torch", "float32").device.type != "cpu":
        pytest.skip("steps are recorded on a CPU")
    x, y = points()
    models = [trained_model(compile, layers) for compile in ("auto", "off")]
    for model in models:
        model.fit(x, y, epochs=2, batch_size=BATCH)
    assert reason in models[0].executor_note
    assert_same_bits(*models)


def test_a_tape_refuses_what_would_be_something_else_in_the_next_step():
    backend_or_skip("torch", "float32")
    import torch

    from nnfs_xp.engine.executors.torch_tape import TorchTape

    a, elsewhere = torch.arange(4.0), torch.zeros(4)
    refused = {
        "normal": lambda: torch.randn(4),
        "nonzero": lambda: torch.nonzero(a),
        "index": lambda: a[a > 1],
        "_local_scalar_dense": lambda: float(a.sum()),
        "add_": lambda: elsewhere.add_(a),
    }
    for name, call in refused.items():
        with TorchTape([a]) as tape:
            call()
        assert name in tape.why_not or tape.why_not.startswith("it calls"), name
    with TorchTape([a]) as tape:
        b = a[torch.tensor([2, 1])] + 1
        a.mul_(2)
    assert tape.why_not == ""
    for call in tape.calls:
        call()
    assert b.tolist() == [5.0, 3.0] and a.tolist() == [0.0, 4.0, 8.0, 12.0]


def on_a_cpu():
    be = backend_or_skip("torch", "float32")
    if be.device.type != "cpu":
        pytest.skip("steps are recorded on a CPU")
    return be


@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "shuffled"])
@pytest.mark.parametrize("first", [0, 1], ids=["aligned", "not aligned"])
def test_large_batches_are_read_where_they_are(shuffle, first):
    be = on_a_cpu()
    n, k, of_batch = 6 * BATCH, 2**14, 4 * BATCH * 2**14
    random = np.random.default_rng(3)
    flat = be.asarray(random.standard_normal(n * k + 1), "float32")
    x = flat[first : first + n * k].reshape(n, k)
    y = be.asarray(random.integers(0, 3, n), "int32")
    assert x[:BATCH].nbytes == of_batch
    before = nx.to_numpy(x)
    model = fit_both(
        lambda: [nx.Dense(k, 3), nx.Softmax()], x, y,
        loss=nx.CategoricalCrossEntropy, optimizer=nx.Adam, fit={"shuffle": shuffle},
        epochs=2,
    )  # fmt: skip
    np.testing.assert_array_equal(nx.to_numpy(x), before)
    # Nothing of the batches is kept.
    assert not model._trainer.executor._steps


def test_predictions_are_recorded():
    on_a_cpu()
    model, (x, y) = trained_model("auto"), points(64)
    for n in (3, 4):
        predict_again(model, x[:n])
    assert len(recordings(model)) == 2
    kept = model.predict(x[:4])
    first = nx.to_numpy(kept)
    model.fit(x, y, epochs=2, batch_size=16)
    # The result belongs to the caller; the next one is that of the new weights.
    expected = trained_model("off")
    expected.fit(x, y, epochs=2, batch_size=16)
    for model_, found in ((expected, model.predict(x[:4])), (model, kept)):
        wanted = first if model_ is model else nx.to_numpy(model_.predict(x[:4]))
        np.testing.assert_array_equal(nx.to_numpy(found), wanted)
    model.layers[0].weights = [[0.0] * 8] * 5
    found = predict_again(model, x[:4])
    assert (found == found[0]).all()


def test_predictions_lie_row_by_row():
    be, x = on_a_cpu(), np.ones((300, 100))
    for last in ([], [nx.Softmax()], [nx.Linear()], [nx.LeakyReLU()], [nx.Tanh()]):
        for compile, k in (("auto", 3), ("off", 3), ("auto", 30)):
            model = nx.Model(
                [nx.Dense(100, k), *last], backend=be, seed=0, compile=compile
            )
            assert all(model.predict(x).is_contiguous() for _ in range(3))
            predict_again(model, x)


def test_predictions_that_take_long_are_not_recorded():
    model = nx.Model([nx.Dense(2**13, 2)], backend=on_a_cpu())
    predict_again(model, np.ones((2, 2**13)))
    assert len(recordings(model)) == 1
    predict_again(model, np.ones((100, 2**13)))
    wide = nx.Model([nx.Dense(2, 2**16), nx.Dense(2**16, 1)], backend=on_a_cpu())
    predict_again(wide, np.ones((20, 2)))
    assert len(recordings(model)) == 1 and not recordings(wide)


def test_a_recorded_prediction_is_of_the_kernels_that_are_in_use():
    from nnfs_xp import kernels

    model, (x, _) = trained_model("auto"), points()
    on_a_cpu()
    predict_again(model, x)
    before = kernels.kernel_mode()
    try:
        kernels.set_kernel_mode("off")
        predict_again(model, x)
    finally:
        kernels.set_kernel_mode(before)
    assert len(recordings(model)) == 2


def test_one_model_predicts_in_many_threads(request):
    on_a_cpu()
    request.addfinalizer(lambda: sys.setswitchinterval(0.005))
    sys.setswitchinterval(1e-6)
    model, (x, _) = trained_model("auto"), points(64)
    parts = [x[i : i + 8] for i in range(0, 64, 8)]
    expected = [(part, predict_again(model, part)) for part in parts]
    assert_predicts_in_threads(model, expected, 50)


@slow
def test_recording_does_not_import_pytorchs_compiler():
    pytest.importorskip("torch")
    program = """
import sys
import nnfs_xp as nx
model = nx.Model([nx.Dense(2, 3)], backend="torch", device="cpu")
for _ in range(3):
    model.predict([[1.0, 2.0]])
print(len(model._trainer.executor._predictions), "torch._dynamo" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "False"]
