"""Watching a training: in a notebook, with TensorBoard, MLflow or W&B, by rates."""

import copy
import math
import re
import struct
from pathlib import Path

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.data import spiral_data
from nnfs_xp.plots import learning_rate_curve

X, Y = spiral_data(50, 3)
HELD_OUT = spiral_data(20, 3)
CALLBACKS_PAGE = Path(__file__).parents[1] / "docs" / "callbacks.md"


def make(**options):
    settings = {"loss": "categorical_crossentropy", "optimizer": nx.Adam(0.02)}
    layers = [nx.Dense(2, 16), nx.ReLU(), nx.Dense(16, 3), nx.Softmax()]
    return nx.Model(layers, **{**settings, **options})


# TensorBoard.


def events_in(directory):
    """Return the events of the files in a directory, by the format of TFRecord."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = []
    for file in sorted(directory.glob("events*")):
        content, at = file.read_bytes(), 0
        while at < len(content):
            (length,) = struct.unpack_from("<Q", content, at)
            begin = at + 12  # after the length and its check sum
            event = event_pb2.Event.FromString(content[begin : begin + length])
            found.append(event)
            at = begin + length + 4
    return found


def curves_in(directory):
    curves = {}
    for event in events_in(directory):
        for value in event.summary.value:
            if value.HasField("simple_value"):
                points = curves.setdefault(value.tag, {})
                points[event.step] = value.simple_value
    return curves


@pytest.fixture
def board():
    pytest.importorskip("tensorboardX", reason="pip install 'nnfs-xp[tensorboard]'")
    return nx.TensorBoard


def test_curves_of_tensorboard_are_those_of_the_history(tmp_path, board):
    history = make().fit(
        X, Y, epochs=3, validation_data=HELD_OUT, callbacks=board(tmp_path / "a")
    )
    curves = curves_in(tmp_path / "a")
    assert set(curves) == {
        "loss/training", "loss/validation", "accuracy/training",
        "accuracy/validation", "learning_rate", "samples_per_second",
    }  # fmt: skip
    for tag, name in (
        ("loss/training", "loss"),
        ("accuracy/validation", "validation_accuracy"),
    ):
        assert list(curves[tag]) == [1, 2, 3]
        np.testing.assert_allclose(list(curves[tag].values()), history[name], rtol=1e-6)


def test_histograms_are_of_all_parameters(tmp_path, board):
    model = make()
    model.fit(X, Y, callbacks=board(tmp_path / "a", histograms=True))
    found = {
        value.tag: value.histo
        for event in events_in(tmp_path / "a")
        for value in event.summary.value
        if value.HasField("histo")
    }
    assert found.keys() == model.parameters.keys()
    for path, array in model.parameters.items():
        assert found[path].num == array.size
        assert found[path].sum == pytest.approx(float(np.sum(array)), abs=1e-5)


def test_histograms_of_what_is_not_finite(tmp_path, board):
    model = make()
    weights, nothing = np.ones((2, 16)), np.full(16, np.nan)
    weights[0, :3], weights[1, :2] = np.nan, np.inf

    class Spoil(nx.Callback):
        def on_epoch_end(self, record):
            given = model.get_parameters()
            model.set_parameters([(weights, nothing), *given[1:]])

    watch = [Spoil(), board(tmp_path / "a", histograms=True)]
    model.fit(X, Y, callbacks=watch, on_divergence="continue")
    found = {
        value.tag: value.histo.num
        for event in events_in(tmp_path / "a")
        for value in event.summary.value
        if value.HasField("histo")
    }
    assert found == {"0.weights": 27, "2.weights": 48, "2.biases": 3}


def test_a_resumed_training_goes_on_with_its_curves(tmp_path, board):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )

    class Stop(nx.Callback):
        def on_epoch_end(self, record):
            if record["epoch"] == 3:
                raise KeyboardInterrupt

    def fit(*callbacks, **options):
        watch = [board(tmp_path / "a"), *callbacks]
        keep = tmp_path / "kept.safetensors"
        return make().fit(
            X, Y, epochs=5, callbacks=watch, checkpoint=keep, checkpoint_every=2,
            **options,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        fit(Stop())
    history = fit(resume=True)
    events = accumulator.EventAccumulator(str(tmp_path / "a"))
    events.Reload()
    losses = [(event.step, event.value) for event in events.Scalars("loss")]
    assert [step for step, _ in losses] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose([v for _, v in losses], history["loss"], rtol=1e-6)


def test_what_tensorboard_cannot_take_is_refused(tmp_path, board, monkeypatch):
    with pytest.raises(nx.InputError, match="histograms must be"):
        board(tmp_path, histograms="yes")
    with pytest.raises(nx.InputError, match="directory must be"):
        board(3)
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(nx.InputError, match=r"pip install 'nnfs-xp\[tensorboard\]'"):
        board(tmp_path)
    assert list(tmp_path.iterdir()) == []


# MLflow and W&B, as the page of callbacks shows them.


def example_for(package):
    """Return the block of the page that needs a package."""
    text = CALLBACKS_PAGE.read_text()
    (block,) = re.findall(
        rf"<!-- not run: needs {package} -->\n```python\n(.*?)```", text, re.DOTALL
    )
    return block


@pytest.mark.slow
def test_the_example_for_mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    names = {"nx": nx, "make_model": make, "x": X, "y": Y, "held_out": HELD_OUT}
    exec(example_for("mlflow"), names)
    client = mlflow.MlflowClient()
    (experiment,) = client.search_experiments()
    (run,) = client.search_runs([experiment.experiment_id])
    points = client.get_metric_history(run.info.run_id, "validation_loss")
    assert [point.step for point in points] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(
        [point.value for point in points], names["history"]["validation_loss"]
    )
    assert run.data.params["optimizer"] == "Adam"
    files = [file.path for file in client.list_artifacts(run.info.run_id)]
    assert files == ["model.safetensors"]


@pytest.mark.slow
def test_the_example_for_wandb(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "offline")
    names = {"nx": nx, "make_model": make, "x": X, "y": Y, "held_out": HELD_OUT}
    exec(example_for("wandb"), names)
    assert wandb.run is None
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))


# A notebook.


@pytest.mark.slow
def test_the_bar_moves_in_a_notebook():
    nbformat = pytest.importorskip("nbformat", reason="pip install 'nnfs-xp[docs]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'nnfs-xp[docs]'")
    pytest.importorskip("ipykernel", reason="pip install 'nnfs-xp[docs]'")
    source = """
import numpy as np
import nnfs_xp as nx
from nnfs_xp.callbacks import progress
progress._SECONDS_BETWEEN_READINGS = 0.0
shown = []
class Watched(nx.Progress):
    def on_batch_end(self, event):
        super().on_batch_end(event)
        shown.append(self._bar._repr_mimebundle_([], [])["text/plain"])
model = nx.Model(
    [nx.Dense(2, 3), nx.Softmax()], loss="categorical_crossentropy", optimizer="adam"
)
model.fit(np.eye(2), [0, 1], epochs=2, batch_size=1, callbacks=Watched())
print([text.split(" ")[0:2] for text in shown][-1], len(shown))
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    messages = []

    class Client(nbclient.NotebookClient):
        def process_message(self, msg, cell, cell_index):
            messages.append(msg)
            return super().process_message(msg, cell, cell_index)

    Client(notebook, timeout=120).execute()
    (cell,) = notebook.cells
    bar, *lines = cell.outputs
    assert bar.data["text/plain"] == ""  # taken away at the end
    text = "".join(output.text for output in lines if output.name == "stdout")
    assert text.startswith("epoch 1/2  loss ")
    assert "['epoch', '2/2']" in text
    updates = [
        message["content"]["data"]["text/html"]
        for message in messages
        if message["msg_type"] == "update_display_data"
        and "text/html" in message["content"]["data"]
    ]
    assert any("batch 2/2" in html and "samples/s" in html for html in updates)


# The learning-rate range test.


def test_rates_rise_and_losses_are_those_of_their_steps():
    model = make(dtype="float64")
    found = nx.learning_rate_range(
        model, X, Y, lowest=1e-5, highest=1e-1, steps=9, batch_size=None
    )
    np.testing.assert_allclose(found.rates, np.logspace(-5, -1, 9))
    twin = copy.deepcopy(model)
    for rate, loss in zip(found.rates, found.losses, strict=True):
        twin.learning_rate = rate
        history = twin.fit(X, Y, batch_size=None)
        assert history["loss"] == [pytest.approx(loss, rel=1e-9)]


def test_the_model_is_as_it_was():
    model = make()
    model.fit(X, Y, epochs=2)
    before = [a.copy() for layer in model.get_parameters() for a in layer]
    nx.learning_rate_range(model, X, Y, steps=20)
    with pytest.raises(nx.InputError, match="^model must be a Model, got None"):
        nx.learning_rate_range(None, X, Y)
    after = [a for layer in model.get_parameters() for a in layer]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (model.epochs_trained, model.learning_rate) == (2, 0.02)


@pytest.mark.parametrize(
    "optimizer", [nx.SGD(0.1, decay=0.5), nx.SGD(nx.CosineDecay(0.1, 50))]
)
def test_the_rates_are_those_of_the_test_alone(optimizer):
    model = nx.Model(
        [nx.Dense(1, 1, use_bias=False)], loss="mse", optimizer=optimizer,
        dtype="float64",
    )  # fmt: skip
    model.layers[0].weights = [[2.0]]
    found = nx.learning_rate_range(
        model, [[1.0]], [[0.0]], lowest=1e-3, highest=0.1, steps=10
    )
    weight, losses = 2.0, []
    for rate in found.rates:
        losses.append(weight**2)
        weight -= rate * 2 * weight
    np.testing.assert_allclose(found.losses, losses, rtol=1e-12)
    assert model.optimizer.decay == optimizer.decay


def test_a_first_loss_that_is_not_finite_is_told():
    model = nx.Model([nx.Dense(1, 1)], loss="mse", optimizer="sgd")
    with pytest.raises(nx.InputError, match="the loss of the first batch must be fin"):
        nx.learning_rate_range(model, [[1e30]], [[-1e30]])


def test_the_test_ends_when_the_loss_explodes():
    model = make(optimizer=nx.SGD(1.0))
    found = nx.learning_rate_range(
        model, X, Y, lowest=1e-3, highest=1e6, steps=200, batch_size=32
    )
    assert len(found.losses) == len(found.rates) == len(found.smoothed) < 200
    assert all(map(math.isfinite, found.losses))
    # A network learns with what is suggested.
    model.learning_rate = found.suggestion
    history = model.fit(X, Y, epochs=60, batch_size=32)
    assert history["loss"][-1] < 0.95 * history["loss"][0]


def test_the_running_mean_is_that_of_the_losses():
    found = nx.learning_rate_range(make(), X, Y, steps=5, batch_size=None)
    weights = [0.9**age for age in range(5)]
    for step in range(5):
        own = weights[step::-1]
        mean = np.average(found.losses[: step + 1], weights=own)
        assert found.smoothed[step] == pytest.approx(mean)
    least = int(np.argmin(found.smoothed))
    assert found.suggestion == found.rates[least] / 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowest": 0}, "lowest must be"),
        ({"lowest": 1.0, "highest": 0.5}, "highest must be more than lowest=1.0"),
        ({"steps": 1}, "steps must be an integer of 2 or more"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_ranges_that_are_none(options, message):
    with pytest.raises(nx.InputError, match=message):
        nx.learning_rate_range(make(), X, Y, **options)


def test_picture_of_a_range():
    found = nx.LearningRateRange([0.01, 0.1, 1.0], [3.0, 1.0, 90.0], [3, 1.5, 20], 0.01)
    (ax,) = learning_rate_curve(found).axes
    losses, mean, suggestion = ax.lines
    assert list(losses.get_xdata()) == found.rates
    assert list(mean.get_ydata()) == found.smoothed
    assert suggestion.get_xdata()[0] == 0.01
    assert ax.get_xscale() == "log"
    low, high = ax.get_ylim()
    assert low < 1.5 and 3.0 < high < 20
