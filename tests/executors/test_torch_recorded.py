"""The recorded step of PyTorch on a CPU beside the eager one, to the bit."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.executors.trainings import (
    BATCH,
    ROWS,
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


@slow
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_every_layer(case):
    layers, x = of_layer(case)
    outputs = nx.Model(layers(), backend="numpy", seed=5).predict(x)
    fit_both(layers, x, targets_like(outputs), loss=nx.MeanSquaredError)


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
