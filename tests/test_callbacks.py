"""Callbacks, at work in real trainings."""

import contextlib
import datetime
import io
import json
import math
import os
import pty
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.callbacks import check_callbacks, epoch_line
from nnfs_xp.callbacks.best import Best
from nnfs_xp.callbacks.progress import _is_terminal
from nnfs_xp.registry import UNITS

_random = np.random.default_rng(7)
X = _random.standard_normal((40, 3))
Y = (X[:, 0] > 0).astype("int64")
# Labels that have nothing to do with the features: there is much to overfit.
X_OTHER = _random.standard_normal((20, 3))
Y_OTHER = _random.integers(0, 2, 20)
HELD_OUT = (X_OTHER, Y_OTHER)


def make(backend=None, optimizer=None):
    return nx.Model(
        [nx.Dense(3, 16), nx.ReLU(), nx.Dense(16, 2), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=optimizer or nx.Adam(0.05),
        backend=backend or nx.get_backend("numpy", dtype="float64"),
    )


def named(model):
    return {name: nx.to_numpy(array) for name, array in model.parameters.items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(other[name], value, err_msg=name)


class Figures(nx.Callback):
    """Put figures of one's choice into the records, before others see them."""

    def __init__(self, name, values):
        self.name, self.values = name, list(values)

    def on_epoch_end(self, record):
        assert self.name in record
        record[self.name] = self.values.pop(0)


class Keep(nx.Callback):
    """Keep a copy of the parameters and records of every epoch."""

    def on_fit_begin(self, model, epochs, batches):
        self.model, self.parameters, self.records = model, [], []

    def on_epoch_end(self, record):
        self.parameters.append(named(self.model))
        self.records.append(record)


class RaiseAt(nx.Callback):
    """Raise after a batch of an epoch."""

    def __init__(self, epoch, batch=1, error=KeyboardInterrupt):
        self.at, self.error = (epoch, batch), error

    def on_batch_end(self, event):
        if (event.epoch, event.batch) == self.at:
            raise self.error


def fit_figures(callback, values, name="loss", model=None, **kwargs):
    """Train for as many epochs as there are values of the figure."""
    model = model or make()
    watch = [Figures(name, values), callback]
    return model.fit(X, Y, epochs=len(values), callbacks=watch, **kwargs)


# What all of them share.


@pytest.mark.parametrize(
    ("monitor", "mode", "values", "better"),
    [
        ("loss", "auto", [3, 2, 2, 1, 4], [1, 1, 0, 1, 0]),
        ("validation_loss", "auto", [3, 2, 2, 1, 4], [1, 1, 0, 1, 0]),
        ("accuracy", "auto", [0.1, 0.2, 0.2, 0.1, 0.3], [1, 1, 0, 0, 1]),
        ("loss", "max", [1, 2, 1], [1, 1, 0]),
        ("accuracy", "min", [1, 2, 0], [1, 0, 1]),
        ("loss", "min", [math.nan, 2, math.nan, 1], [0, 1, 0, 1]),
        ("loss", "min", [math.inf, 2, math.inf, -math.inf], [0, 1, 0, 1]),
        ("accuracy", "auto", [-math.inf, math.nan, -5, math.inf], [0, 0, 1, 1]),
    ],
)
def test_what_is_better(monitor, mode, values, better):
    best = Best(monitor, mode)
    found = [
        best.update({"epoch": epoch, monitor: value})
        for epoch, value in enumerate(values, start=1)
    ]
    assert found == [bool(one) for one in better]
    last = max(index for index, one in enumerate(better) if one)
    assert (best.value, best.epoch) == (values[last], last + 1)
    assert best.waited == len(values) - last - 1
    best.restart()
    assert (best.value, best.epoch, best.waited) == (None, None, 0)


@pytest.mark.parametrize(("sign", "mode"), [(1, "min"), (-1, "max")])
def test_an_improvement_must_exceed_the_least_difference(sign, mode):
    best = Best("figure", mode, min_delta=0.5)
    values = [4.0, 3.5, 3.25, 3.0, 2.5]
    # The fourth differs enough from the first, the last one that counted.
    found = [best.update({"epoch": 1, "figure": sign * value}) for value in values]
    assert found == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("make_callback", "message"),
    [
        (lambda: nx.EarlyStopping(3), "monitor must be the name of a figure, got 3"),
        (lambda: nx.EarlyStopping(None), "monitor must be the name"),
        (lambda: nx.EarlyStopping(patience=-1), "patience must be an integer of 0"),
        (lambda: nx.EarlyStopping(patience=1.5), "patience must be an integer"),
        (lambda: nx.EarlyStopping(patience=True), "patience must be an integer"),
        (lambda: nx.EarlyStopping(min_delta=-0.1), "min_delta must be a finite"),
        (lambda: nx.EarlyStopping(min_delta=math.nan), "min_delta must be a finite"),
        (lambda: nx.EarlyStopping(mode="less"), "mode must be one of .*'less'"),
        (lambda: nx.Checkpoint(3), "path must be that of a file.*got 3"),
        (lambda: nx.Checkpoint(b"a"), "path must be that of a file"),
        (lambda: nx.Checkpoint(""), "path must be that of a file"),
        (lambda: nx.Checkpoint("runs/"), "path must be that of a file"),
        (lambda: nx.Checkpoint("{}"), "path must be that of a file"),
        (lambda: nx.Checkpoint("{0}"), "path must be that of a file"),
        (lambda: nx.Checkpoint("{epoch"), "path must be that of a file"),
        (lambda: nx.Checkpoint("{epoch.real}"), "path must be that of a file"),
        (lambda: nx.Checkpoint("{loss[0]}"), "path must be that of a file"),
        (lambda: nx.Checkpoint("{loss:03d}"), "path must be that of a file.*'d'"),
        (lambda: nx.Checkpoint("a", every=0), "every must be a positive integer"),
        (lambda: nx.Checkpoint("a", mode="less"), "mode must be one of"),
        (lambda: nx.Checkpoint("a", monitor=3), "monitor must be the name"),
        (
            lambda: nx.Checkpoint("a", monitor="loss", every=2),
            "every must be 1 with a monitor, got 2",
        ),
        (lambda: nx.LearningRateSchedule(0.1), "function must be a function of"),
        (lambda: nx.ReduceOnPlateau(3), "monitor must be the name"),
        (lambda: nx.ReduceOnPlateau(factor=0), "factor must be a finite number above"),
        (lambda: nx.ReduceOnPlateau(factor=1), "factor must be less than 1, got 1"),
        (lambda: nx.ReduceOnPlateau(factor="a"), "factor must be a finite number"),
        (lambda: nx.ReduceOnPlateau(patience=-1), "patience must be an integer"),
        (lambda: nx.ReduceOnPlateau(min_delta=-1), "min_delta must be a finite"),
        (lambda: nx.ReduceOnPlateau(mode="less"), "mode must be one of"),
        (lambda: nx.ReduceOnPlateau(least=-1), "least must be a finite number"),
        (lambda: nx.JSONLog(3), "path must be a path, got 3"),
    ],
)
def test_bad_arguments(make_callback, message):
    with pytest.raises(nx.InputError, match=message):
        make_callback()


@pytest.mark.parametrize(
    "make_callback",
    [
        lambda name: nx.EarlyStopping(name),
        lambda name: nx.ReduceOnPlateau(name),
        lambda name: nx.Checkpoint("model.safetensors", monitor=name),
    ],
)
def test_a_figure_that_the_run_will_not_have(make_callback, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = make()
    before = named(model)
    told = Keep()
    for name in ("validation_loss", "f1", "epoch"):
        with pytest.raises(
            nx.InputError, match=f"monitor must be one of .*'loss'.*, got '{name}'"
        ):
            model.fit(X, Y, callbacks=[told, make_callback(name)])
    assert not hasattr(told, "model")
    assert_same(before, named(model))
    assert model.epochs_trained == 0
    model.fit(X, Y, validation_data=HELD_OUT, callbacks=make_callback("accuracy"))
    callback = make_callback("validation_accuracy")
    model.fit(X, Y, validation_data=HELD_OUT, callbacks=callback)


def test_a_figure_that_is_not_one_number(tmp_path):
    values = [[0.5, 0.25], [0.5, 0.5]]
    keep = nx.Checkpoint(tmp_path / "a", monitor="accuracy")
    for callback in (nx.EarlyStopping("accuracy"), keep):
        with pytest.raises(nx.InputError, match=r"one number, and 'accuracy' is \[0.5"):
            fit_figures(callback, values, name="accuracy")


def test_they_are_callbacks():
    callbacks = [
        nx.EarlyStopping(), nx.Checkpoint("a"), nx.LearningRateSchedule(float),
        nx.ReduceOnPlateau(), nx.JSONLog("a"), nx.Progress(), nx.PrintEpochs(),
    ]  # fmt: skip
    assert check_callbacks(callbacks) == callbacks
    monitors = [callback.monitor for callback in callbacks]
    assert monitors == [
        "validation_loss", None, None, "validation_loss", None, None, None,
    ]  # fmt: skip


def test_epochs_begin_before_their_batches():
    class Watch(nx.Callback):
        calls = []

        def on_epoch_begin(self, epoch):
            self.calls.append(("begin", epoch))

        def on_batch_end(self, event):
            self.calls.append(("batch", event.epoch, event.batch))

        def on_epoch_end(self, record):
            self.calls.append(("end", record["epoch"]))

    model = make()
    model.fit(X, Y, batch_size=20)
    model.fit(X, Y, epochs=2, batch_size=20, callbacks=Watch())
    assert Watch.calls == [
        ("begin", 2), ("batch", 2, 1), ("batch", 2, 2), ("end", 2),
        ("begin", 3), ("batch", 3, 1), ("batch", 3, 2), ("end", 3),
    ]  # fmt: skip


def test_a_callback_can_stop_the_training():
    class StopAt(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            assert model.stop_training is False
            self.model = model

        def on_batch_end(self, event):
            if (event.epoch % 3, event.batch) == (0, 1):
                self.model.stop_training = True

    model = make()
    history = model.fit(X, Y, epochs=10, batch_size=20, callbacks=StopAt())
    # The epoch is learned to its end.
    assert history["epoch"] == [1, 2, 3]
    assert model._state.tree["optimizer"]["step"] == 6
    assert model.stop_training is True
    assert model.fit(X, Y, epochs=10, callbacks=StopAt())["epoch"] == [4, 5, 6]
    assert len(model.fit(X, Y, epochs=4)) == 4


# EarlyStopping.


@pytest.mark.parametrize(
    ("values", "patience", "last"),
    [
        ([3, 2, 1, 2, 2, 2], 0, 4),
        ([3, 2, 1, 2, 2, 2], 1, 5),
        ([3, 2, 1, 2, 2, 2], 2, 6),
        ([3, 2, 1, 2, 2, 2], 3, None),
        ([3, 4, 2, 4, 1, 4], 1, None),
        ([1, 1, 1, 1], 0, 2),
        ([math.nan] * 4, 0, 1),
        ([math.nan] * 4, 2, 3),
        ([2, math.nan, 1, math.nan, math.nan], 1, 5),
        ([math.inf, math.inf, 1, 2], 1, 2),
    ],
)
def test_when_training_stops(values, patience, last):
    stop = nx.EarlyStopping("loss", patience=patience)
    history = fit_figures(stop, values)
    assert stop.stopped_epoch == last
    assert len(history) == (last or len(values))


def test_more_is_better_for_other_figures():
    stop = nx.EarlyStopping("accuracy", patience=1)
    history = fit_figures(stop, [0.1, 0.2, 0.3, 0.2, 0.3, 0.4], name="accuracy")
    assert (stop.best, stop.best_epoch, len(history)) == (0.3, 3, 5)
    stop = nx.EarlyStopping("accuracy", patience=1, mode="min")
    fit_figures(stop, [0.1, 0.2, 0.3, 0.2], name="accuracy")
    assert (stop.best, stop.best_epoch, stop.stopped_epoch) == (0.1, 1, 3)


ERRORS = {
    "BrierScore",
    "ExpectedCalibrationError",
    "MeanLoss",
    "Perplexity",
    "RootMeanSquaredError",
}


def test_which_metrics_are_errors():
    kinds = set(UNITS["metric"].values())
    assert {kind.__name__ for kind in kinds if kind.lower_is_better} == ERRORS


class Apart(nx.RegressionAccuracy):
    """A metric of one's own, for which less is better."""

    lower_is_better = True


@pytest.mark.parametrize("prefix", ["", "validation_"])
@pytest.mark.parametrize(
    "metric",
    ["root_mean_squared_error", "mae", nx.RootMeanSquaredError(name="far")],
    ids=["error", "a loss", "renamed"],
)
def test_less_is_better_for_errors(prefix, metric, tmp_path):
    model = nx.Model(
        [nx.Dense(3, 1)], loss="mean_squared_error", optimizer=nx.SGD(1e-3),
        metrics=metric,
    )  # fmt: skip
    name, y = prefix + model.metrics[0].name, X[:, :1]
    stop = nx.EarlyStopping(name, patience=1)
    keep = nx.Checkpoint(tmp_path / "{epoch}", monitor=name)
    lower = nx.ReduceOnPlateau(name, factor=0.5, patience=0)
    watch = [Figures(name, [0.3, 0.2, 0.1, 0.2, 0.3]), stop, keep, lower]
    history = model.fit(X, y, epochs=5, validation_data=(X, y), callbacks=watch)
    assert (stop.best, stop.best_epoch, stop.stopped_epoch) == (0.1, 3, 5)
    assert keep.saved == tmp_path / "3"
    assert history["learning_rate"] == [1e-3, 1e-3, 1e-3, 1e-3, 5e-4]


def test_one_callback_follows_the_metrics_of_each_model():
    y, stop = X[:, :1], nx.EarlyStopping("figure", patience=1)
    for metric, best in ((nx.RootMeanSquaredError, 1), (nx.R2, 3), (Apart, 1)):
        metrics = metric(name="figure")
        model = nx.Model([nx.Dense(3, 1)], loss="mse", optimizer="sgd", metrics=metrics)
        model.fit(X, y, epochs=3, callbacks=[Figures("figure", [1, 2, 3]), stop])
        assert stop.best_epoch == best


def test_small_improvements_do_not_count():
    stop = nx.EarlyStopping("loss", min_delta=0.5, patience=1)
    history = fit_figures(stop, [3.0, 2.75, 2.25, 2.0, 1.75, 1.5])
    assert (stop.best, stop.best_epoch, len(history)) == (2.25, 3, 5)


def test_the_best_parameters_come_back(backend):
    """Under a compiled step, too, which takes the memory of what it is given."""
    model = make(backend=backend)
    stop, keep = nx.EarlyStopping(patience=3), Keep()
    history = model.fit(
        X, Y, epochs=60, batch_size=16, validation_data=HELD_OUT, callbacks=[keep, stop]
    )
    assert len(history) == stop.stopped_epoch == stop.best_epoch + 4 < 60
    assert history["validation_loss"][stop.best_epoch - 1] == stop.best
    assert stop.best == min(history["validation_loss"])
    assert_same(keep.parameters[stop.best_epoch - 1], named(model))
    assert model.evaluate(*HELD_OUT)["loss"] == stop.best
    assert any(
        (keep.parameters[-1][name] != value).any()
        for name, value in named(model).items()
    )
    # What comes back is in the model's memory: it can be trained on.
    assert model.fit(X, Y, epochs=2)["epoch"][0] == len(history) + 1


def test_parameters_come_back_after_the_last_epoch():
    model, keep = make(), Keep()
    stop = nx.EarlyStopping("loss", patience=10)
    fit_figures(stop, [3, 1, 2, 2], model=model)
    assert stop.stopped_epoch is None
    assert model.epochs_trained == 4
    again = make()
    again.fit(X, Y, epochs=2, callbacks=keep)
    assert_same(keep.parameters[1], named(model))


def test_parameters_may_stay_those_of_the_end():
    model, keep = make(), Keep()
    stop = nx.EarlyStopping("loss", restore_best=False)
    watch = [Figures("loss", [2, 1, 3]), stop, keep]
    model.fit(X, Y, epochs=3, callbacks=watch)
    assert (stop.best_epoch, stop.stopped_epoch) == (2, 3)
    assert_same(keep.parameters[2], named(model))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_parameters_come_back_after_an_interruption(error):
    model, keep = make(), Keep()
    stop = nx.EarlyStopping("loss", patience=10)
    with pytest.raises(error):
        model.fit(
            X, Y, epochs=9, batch_size=16,
            callbacks=[Figures("loss", [3, 1, 2, 2]), keep, stop, RaiseAt(5, 2, error)],
        )  # fmt: skip
    assert (stop.best_epoch, stop.stopped_epoch) == (2, None)
    assert_same(keep.parameters[1], named(model))


def test_without_any_good_epoch_nothing_comes_back():
    model, keep = make(), Keep()
    before = named(model)
    stop = nx.EarlyStopping("loss", patience=1)
    watch = [keep, Figures("loss", [math.nan] * 9), stop]
    model.fit(X, Y, epochs=9, callbacks=watch)
    assert (stop.best, stop.best_epoch, stop.stopped_epoch) == (None, None, 2)
    assert_same(keep.parameters[1], named(model))
    # An interruption in the very first epoch leaves what was learned.
    other = make()
    with pytest.raises(KeyboardInterrupt):
        other.fit(X, Y, batch_size=16, callbacks=[stop, RaiseAt(1)])
    assert any((named(other)[name] != value).any() for name, value in before.items())


def test_a_run_that_diverges_is_stopped():
    model = make(optimizer=nx.SGD(1e200))
    stop = nx.EarlyStopping("loss", patience=1)
    history = model.fit(
        X, Y, epochs=50, batch_size=10, callbacks=stop, on_divergence="continue"
    )
    assert len(history) < 10
    assert not math.isfinite(history["loss"][-1])


def test_early_stopping_can_be_used_again():
    stop = nx.EarlyStopping("loss")
    fit_figures(stop, [1, 2, 3])
    assert (stop.best, stop.best_epoch, stop.stopped_epoch) == (1, 1, 2)
    model = make()
    fit_figures(stop, [5, 4, 3], model=model)
    assert (stop.best, stop.best_epoch, stop.stopped_epoch) == (3, 3, None)
    fit_figures(stop, [9, 10, 9], model=model)
    assert (stop.best, stop.best_epoch, stop.stopped_epoch) == (9, 4, 5)


def test_no_parameters_are_held_after_training():
    stop = nx.EarlyStopping("loss")
    fit_figures(stop, [3, 2, 1])
    assert stop._parameters is None


# Checkpoint.


def names_in(directory):
    return sorted(path.name for path in directory.iterdir())


def test_every_few_epochs(tmp_path):
    keep = nx.Checkpoint(tmp_path / "{epoch:02d}.safetensors", every=2)
    model = make()
    model.fit(X, Y, epochs=5, callbacks=keep)
    assert names_in(tmp_path) == ["02.safetensors", "04.safetensors"]
    # Epochs are counted over the life of the model.
    model.fit(X, Y, epochs=1, callbacks=keep)
    assert names_in(tmp_path)[-1] == "06.safetensors"
    assert keep.saved == tmp_path / "06.safetensors"


def test_whenever_a_figure_improves(tmp_path):
    path = tmp_path / "{epoch}-{loss:.2f}-{accuracy:.1f}.safetensors"
    keep = nx.Checkpoint(path, monitor="loss")
    values = [3, math.nan, 4, 1.5, 2, 1]
    names = []
    for epoch, value in ((1, 3), (4, 1.5), (6, 1)):
        names.append(f"{epoch}-{value:.2f}-0.5.safetensors")
    model = make()
    model.fit(
        X, Y, epochs=6,
        callbacks=[Figures("loss", values), Figures("accuracy", [0.5] * 6), keep],
    )  # fmt: skip
    assert names_in(tmp_path) == names
    (tmp_path / names[0]).unlink()
    # A second call of fit begins anew, so its first epoch is the best.
    watch = [Figures("loss", [7, 8]), Figures("accuracy", [0.5] * 2), keep]
    model.fit(X, Y, epochs=2, callbacks=watch)
    assert set(names_in(tmp_path)) - set(names) == {"7-7.00-0.5.safetensors"}


def test_more_of_an_accuracy_is_better(tmp_path):
    keep = nx.Checkpoint(tmp_path / "{epoch}", monitor="accuracy")
    fit_figures(keep, [0.5, 0.4, 0.6], name="accuracy")
    assert names_in(tmp_path) == ["1", "3"]
    keep = nx.Checkpoint(tmp_path / "min-{epoch}", monitor="accuracy", mode="min")
    fit_figures(keep, [0.5, 0.4, 0.6], name="accuracy")
    assert names_in(tmp_path) == ["1", "3", "min-1", "min-2"]


def test_a_run_resumed_from_a_checkpoint_is_the_same_run(backend, tmp_path):
    path = tmp_path / "model.safetensors"
    keep = Keep()
    whole = make(backend=backend)
    expected = whole.fit(X, Y, epochs=5, batch_size=16, callbacks=keep)["loss"]
    model = make(backend=backend)
    with pytest.raises(KeyboardInterrupt):
        model.fit(
            X, Y, epochs=5, batch_size=16,
            callbacks=[nx.Checkpoint(path), RaiseAt(4, 2)],
        )  # fmt: skip
    resumed = nx.Model.load(path, backend=backend)
    assert resumed.epochs_trained == 3
    assert_same(keep.parameters[2], named(resumed))
    rest = resumed.fit(X, Y, epochs=2, batch_size=16)["loss"]
    assert rest == expected[3:]
    assert_same(named(whole), named(resumed))


def test_the_directory_is_looked_at_before_training(tmp_path):
    model = make()
    for directory in (tmp_path / "none", tmp_path / "{epoch}"):
        keep = nx.Checkpoint(directory / "a.safetensors")
        with pytest.raises(FileNotFoundError, match="no such directory"):
            model.fit(X, Y, callbacks=keep)
    assert model.epochs_trained == 0
    # Only the name of the file is filled in.
    (tmp_path / "{epoch}").mkdir()
    model.fit(X, Y, callbacks=keep)
    assert names_in(tmp_path / "{epoch}") == ["a.safetensors"]


class Unregistered(nx.Layer):
    def fwd(self, cx, x):
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy


class Holds(Unregistered):
    def __init__(self, held):
        super().__init__()
        self.held = held


@pytest.mark.parametrize(
    ("layer", "optimizer", "metadata", "message"),
    [
        (Unregistered(), "sgd", {}, "Unregistered must be registered to be saved"),
        (Holds(len), "sgd", {}, "^Holds: held is a function, which cannot be saved"),
        (Holds(X), "sgd", {}, "^Holds: held cannot be saved, as JSON cannot hold arr"),
        (
            nx.Residual(Holds({1, 2})), "sgd", {},
            "^Residual: Holds: held cannot be saved, as JSON cannot hold {1, 2}",
        ),
        (nx.ReLU(), nx.SGD(lambda step: 0.1), {}, "^SGD: learning_rate is a function"),
        (nx.ReLU(), "sgd", {"x": X}, "metadata must be serializable as JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_named_before_training(
    layer, optimizer, metadata, message, tmp_path, monkeypatch
):
    monkeypatch.setitem(UNITS["layer"], "Holds", Holds)
    model = nx.Model(
        [nx.Dense(3, 2), layer, nx.Softmax()],
        loss="categorical_crossentropy", optimizer=optimizer,
    )  # fmt: skip
    model.metadata = metadata
    with pytest.raises(nx.InputError, match=message):
        model.fit(X, Y, callbacks=nx.Checkpoint(tmp_path / "a"))
    assert model.steps_trained == 0
    assert names_in(tmp_path) == []


def test_a_full_disk_is_found_before_training(tmp_path, monkeypatch):
    sizes = []

    def full(number):
        sizes.append(os.fstat(number).st_size)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    model, path = make(), tmp_path / "{epoch}-{loss:.1f}"
    with pytest.raises(OSError, match="No space left on device: .*/1-0.0'"):
        model.fit(X, Y, callbacks=nx.Checkpoint(path))
    assert model.steps_trained == 0
    monkeypatch.undo()
    model.fit(X, Y, callbacks=nx.Checkpoint(tmp_path / "a"))
    # What was tried is as much as what is saved, but for the header.
    assert sizes[0] < (tmp_path / "a").stat().st_size < sizes[0] + 4000
    assert names_in(tmp_path) == ["a"]


def test_a_file_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make().fit(X, Y, callbacks=nx.Checkpoint("a.safetensors"))
    assert names_in(tmp_path) == ["a.safetensors"]


@pytest.mark.parametrize("arguments", [{"every": 50}, {"monitor": "loss"}])
def test_a_field_that_no_record_has(arguments, tmp_path):
    keep = nx.Checkpoint(tmp_path / "{validation_loss}.safetensors", **arguments)
    model = make()
    with pytest.raises(
        nx.InputError, match=r"fields of \['accuracy', 'epoch', .* only"
    ):
        model.fit(X, Y, epochs=100, callbacks=keep)
    # The first epoch shows it, even if it would not be saved.
    assert model.epochs_trained == 1
    assert names_in(tmp_path) == []


# Learning rates.


def test_a_schedule_sets_the_rate_of_each_epoch(backend64):
    asked = []

    def halve(epoch):
        asked.append(epoch)
        return 0.5**epoch

    model = make(backend=backend64, optimizer="sgd")
    schedule = nx.LearningRateSchedule(halve)
    rates = model.fit(X, Y, epochs=3, callbacks=schedule)["learning_rate"]
    assert rates == [0.5, 0.25, 0.125]
    assert model.fit(X, Y, callbacks=schedule)["learning_rate"] == [0.0625]
    assert asked == [1, 2, 3, 4]
    assert model.learning_rate == 0.0625


def test_a_schedule_is_what_the_steps_use():
    model, keep = make(optimizer="sgd"), Keep()
    freeze = nx.LearningRateSchedule(lambda epoch: 0.1 if epoch == 2 else 0)
    before = named(model)
    model.fit(X, Y, epochs=3, callbacks=[freeze, keep])
    assert_same(before, keep.parameters[0])
    assert_same(keep.parameters[1], keep.parameters[2])
    assert (before["0.weights"] != keep.parameters[1]["0.weights"]).any()


def test_a_decay_goes_on_top_of_a_schedule():
    model = make(optimizer=nx.SGD(5.0, decay=1.0))
    schedule = nx.LearningRateSchedule(lambda epoch: 6.0)
    rates = model.fit(X, Y, epochs=3, batch_size=None, callbacks=schedule)
    assert rates["learning_rate"] == [6.0, 3.0, 2.0]


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "0.1", None, True])
def test_what_cannot_be_a_rate(value):
    model, keep = make(), Keep()
    rates = nx.LearningRateSchedule(lambda epoch: 0.1 if epoch < 3 else value)
    with pytest.raises(nx.InputError, match=r"function\(3\) must be a finite number"):
        model.fit(X, Y, epochs=5, callbacks=[rates, keep])
    assert model.epochs_trained == 2
    assert_same(keep.parameters[1], named(model))


def rates_of(reduce, values, rate=1.0, name="loss"):
    model = make()
    model.learning_rate = rate
    return fit_figures(reduce, values, name=name, model=model)["learning_rate"]


def test_the_rate_is_lowered_on_a_plateau():
    reduce = nx.ReduceOnPlateau("loss", factor=0.5, patience=1)
    # Lowered after epochs 4, 6 and 9; an improvement begins the count anew.
    values = [3, 2, 2, 2, 2, 2, 1, 1, 1, 1]
    rates = rates_of(reduce, values)
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    assert (reduce.best, reduce.best_epoch) == (1, 7)


def test_patience_zero_lowers_at_once():
    reduce = nx.ReduceOnPlateau("loss", factor=0.5, patience=0)
    assert rates_of(reduce, [1, 1, 0, math.nan, 0]) == [1, 1, 0.5, 0.5, 0.25]


def test_the_rate_has_a_least():
    reduce = nx.ReduceOnPlateau("loss", factor=0.5, patience=0, least=0.375)
    assert rates_of(reduce, [1] * 5) == [1, 1, 0.5, 0.375, 0.375]
    # It is never raised.
    assert rates_of(reduce, [1] * 3, rate=0.25) == [0.25] * 3


def test_a_plateau_of_an_accuracy():
    reduce = nx.ReduceOnPlateau("accuracy", factor=0.5, patience=0, min_delta=0.125)
    rates = rates_of(reduce, [0.25, 0.5, 0.625, 0.75, 1.0], name="accuracy")
    assert rates == [1, 1, 1, 0.5, 0.5]


def test_defaults_of_a_plateau():
    reduce = nx.ReduceOnPlateau()
    assert (reduce.monitor, reduce.factor, reduce.patience) == (
        "validation_loss", 0.1, 10,
    )  # fmt: skip
    model = make()
    values = [1 - 1e-5 * epoch for epoch in range(11)]
    watch = [Figures("validation_loss", [*values, 1.0, 1.0]), reduce]
    history = model.fit(X, Y, epochs=13, validation_data=HELD_OUT, callbacks=watch)
    # After the tenth difference of 1e-5 the first improvement of 1e-4 is near.
    assert history["learning_rate"][:12] == [0.05] * 12
    assert history["learning_rate"][12] == pytest.approx(0.005)


def test_a_decay_is_not_taken_twice():
    model = make(optimizer=nx.SGD(8.0, decay=1.0))
    reduce = nx.ReduceOnPlateau("loss", factor=0.5, patience=0)
    watch = [Figures("loss", [1, 1, 1, 1]), reduce]
    rates = model.fit(X, Y, epochs=4, batch_size=None, callbacks=watch)
    assert rates["learning_rate"] == [8, 8 / 2, 4 / 3, 2 / 4]


@pytest.mark.parametrize("rate", [nx.StepDecay(0.5, 0.5, 10), lambda step: 0.5])
def test_only_a_number_can_be_lowered(rate):
    model = make(optimizer=nx.SGD(rate))
    with pytest.raises(nx.InputError, match="learning_rate .* must be a number"):
        model.fit(X, Y, callbacks=nx.ReduceOnPlateau("loss"))
    assert model.epochs_trained == 0
    assert model.optimizer.learning_rate is rate


def test_a_plateau_is_looked_for_anew():
    reduce = nx.ReduceOnPlateau("loss", factor=0.5, patience=1)
    rates_of(reduce, [1, 2])
    model = make()
    fit_figures(reduce, [5, 6], model=model)
    assert (reduce.best, reduce.best_epoch) == (5, 1)
    assert model.learning_rate == 0.05


# JSONLog.


def strict_lines(path):
    """Return every line as JSON by the letter, which has no NaN."""
    text = path.read_text("utf-8")
    assert text.endswith("\n") or not text
    return [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]


def test_one_line_for_each_epoch(tmp_path):
    path = tmp_path / "log.jsonl"
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    history = make().fit(
        X, Y, epochs=3, validation_data=HELD_OUT, callbacks=nx.JSONLog(path)
    )
    lines = strict_lines(path)
    times = [datetime.datetime.fromisoformat(line.pop("time")) for line in lines]
    assert lines == history.epochs
    assert all(time.utcoffset() == datetime.timedelta(0) for time in times)
    assert [began, *times] == sorted([began, *times])
    assert times[-1] <= datetime.datetime.now(datetime.UTC)


def test_the_history_has_no_time_stamp(tmp_path):
    history = make().fit(X, Y, callbacks=nx.JSONLog(tmp_path / "log.jsonl"))
    assert "time" not in history.epochs[0]


def test_lines_go_behind_those_that_are_there(tmp_path):
    path = tmp_path / "log.jsonl"
    log = nx.JSONLog(path)
    model = make()
    model.fit(X, Y, epochs=2, callbacks=log)
    model.fit(X, Y, epochs=1, callbacks=log)
    assert [line["epoch"] for line in strict_lines(path)] == [1, 2, 3]
    anew = nx.JSONLog(path, append=False)
    model.fit(X, Y, epochs=2, callbacks=anew)
    assert [line["epoch"] for line in strict_lines(path)] == [4, 5]
    model.fit(X, Y, callbacks=anew)
    assert [line["epoch"] for line in strict_lines(path)] == [6]


def test_a_line_without_an_end_is_ended(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 0}')
    model = make()
    model.fit(X, Y, callbacks=nx.JSONLog(path))
    assert [line["epoch"] for line in strict_lines(path)] == [0, 1]


def test_what_json_has_no_word_for(tmp_path):
    path = tmp_path / "log.jsonl"
    values = [math.nan, -math.inf, [1.0, math.inf], [[math.nan, 2]], {"a": math.nan}]
    fit_figures(nx.JSONLog(path), values)
    found = [line["loss"] for line in strict_lines(path)]
    assert found == [None, None, [1.0, None], [[None, 2]], {"a": None}]


def test_figures_of_other_callbacks_are_json(tmp_path):
    def log(value):
        class Own(nx.Callback):
            def on_epoch_end(self, record):
                record["own"] = value

        path = tmp_path / "log"
        make().fit(X, Y, callbacks=[Own(), nx.JSONLog(path, append=False)])
        return json.loads(path.read_text())["own"]

    assert log(np.float32(0.5)) == 0.5
    assert log(np.float32("nan")) is None
    assert log(np.asarray([1.0, math.inf])) == [1.0, None]
    assert log({"a": [np.int64(3)]}) == {"a": [3]}
    with pytest.raises(nx.InputError, match=r"record must hold .* got <object"):
        log(object())


def test_figures_of_a_run_that_diverges_are_json(tmp_path):
    path = tmp_path / "log.jsonl"
    model = make(optimizer=nx.SGD(1e200))
    model.fit(
        X, Y, epochs=3, batch_size=10, callbacks=nx.JSONLog(path),
        on_divergence="continue",
    )  # fmt: skip
    assert strict_lines(path)[-1]["loss"] is None


def test_lines_survive_an_interruption(tmp_path):
    path = tmp_path / "log.jsonl"
    log = nx.JSONLog(path)
    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, epochs=5, callbacks=[log, RaiseAt(3)])
    assert [line["epoch"] for line in strict_lines(path)] == [1, 2]


def test_lines_survive_a_process_that_is_killed(tmp_path):
    path = tmp_path / "log.jsonl"
    program = """
import os, signal, sys
import nnfs_xp as nx

class Kill(nx.Callback):
    def on_epoch_end(self, record):
        if record["epoch"] == 3:
            os.kill(os.getpid(), signal.SIGKILL)

model = nx.Model([nx.Dense(2, 2), nx.Softmax()],
                 loss="categorical_crossentropy", optimizer="sgd")
model.fit([[0, 1], [1, 0]], [0, 1], epochs=9,
          callbacks=[nx.JSONLog(sys.argv[1]), Kill()])
"""
    done = subprocess.run([sys.executable, "-c", program, path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [line["epoch"] for line in strict_lines(path)] == [1, 2, 3]


def test_the_file_is_opened_before_training(tmp_path):
    model = make()
    before = named(model)
    with pytest.raises(FileNotFoundError, match="none"):
        model.fit(X, Y, callbacks=nx.JSONLog(tmp_path / "none" / "log.jsonl"))
    with pytest.raises(IsADirectoryError):
        model.fit(X, Y, callbacks=nx.JSONLog(tmp_path))
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        make().fit(X, Y, callbacks=nx.JSONLog("/dev/full"))
    assert model.epochs_trained == 0
    assert_same(before, named(model))


# Progress and lines.


def test_an_epoch_as_a_line():
    record = {
        "epoch": 3, "loss": 0.5, "accuracy": 0.25, "mean_iou": np.float64(0.125),
        "seconds": 1.0, "samples_per_second": 12345.6, "learning_rate": 0.1,
        "validation_loss": math.nan, "validation_f1": 0.5, "recalls": [0.1, 0.2],
    }  # fmt: skip
    assert epoch_line(record, 7, unit="images") == (
        "epoch 3/7  loss 0.5000 (nan)  accuracy 0.2500  mean iou 0.1250  "
        "validation f1 0.5000  12,346 images/s"
    )
    lines = epoch_line(record, 7, unit="images", width=50).splitlines()
    assert lines == [
        "epoch 3/7  loss 0.5000 (nan)  accuracy 0.2500",
        "  mean iou 0.1250  validation f1 0.5000",
        "  12,346 images/s",
    ]


def test_an_epoch_of_a_classifier_is_one_line_of_80_columns():
    record = {
        "epoch": 150, "loss": 0.4012, "accuracy": 0.8554, "validation_loss": 0.4521,
        "validation_accuracy": 0.8391, "samples_per_second": 123456.0,
    }  # fmt: skip
    assert epoch_line(record, 150, width=80) == (
        "epoch 150/150  loss 0.4012 (0.4521)  accuracy 0.8554 (0.8391)  "
        "123,456 samples/s"
    )


def test_lines_count_over_the_life_of_the_model(capsys):
    model = make()
    model.fit(X, Y, epochs=2)
    model.fit(X, Y, epochs=2, callbacks=nx.PrintEpochs("rows"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 3/4", "epoch 4/4"]
    assert all(line.endswith(" rows/s") for line in lines)


def test_progress_is_plain_without_a_terminal(capsys):
    # What it shows beside the bar waits for the device.
    class NoReading(nx.Progress):
        def on_batch_end(self, event):
            super().on_batch_end(None)

    make().fit(X, Y, epochs=2, validation_data=HELD_OUT, callbacks=NoReading("rows"))
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert re.search(r"  accuracy 0\.\d+ \(0\.\d+\)  ", lines[0])
    assert "\x1b" not in captured.out
    assert captured.err == ""


def test_no_bar_is_left_by_a_fit_that_does_not_begin(monkeypatch, tmp_path):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    threads = threading.active_count()
    watch = [nx.Progress(), nx.Checkpoint(tmp_path / "none" / "a.safetensors")]
    with pytest.raises(FileNotFoundError):
        make().fit(X, Y, callbacks=watch)
    assert threading.active_count() == threads


class Tee:
    """What programs put in the place of standard output, to write a log as well."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("callback", [nx.PrintEpochs, nx.Progress])
def test_lines_where_nobody_says_whether_there_is_a_terminal(callback, monkeypatch):
    tee = Tee()
    monkeypatch.setattr(sys, "stdout", tee)
    make().fit(X, Y, epochs=2, callbacks=callback())
    monkeypatch.undo()
    lines = tee.text.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]


@pytest.mark.parametrize("callback", [nx.PrintEpochs, nx.Progress])
def test_training_without_standard_output(callback, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    history = make().fit(X, Y, epochs=2, callbacks=callback(), verbose=True)
    assert len(history) == 2


def test_no_bar_on_a_closed_stream():
    assert not _is_terminal(closed())


PROGRESS = """
import time
import nnfs_xp as nx
from nnfs_xp.data import load_dataset

class SlowAndInterrupted(nx.Callback):
    def on_batch_end(self, event):
        if event.batch == 50:
            # Long enough for the bar to be drawn, and for figures to be read.
            time.sleep(0.3)
            if event.epoch == 4:
                raise KeyboardInterrupt

data = load_dataset("digits")
model = nx.Model([nx.Dense(64, 64), nx.ReLU(), nx.Dense(64, 10), nx.Softmax()],
                 loss="categorical_crossentropy", optimizer="adam")
watch = [nx.Progress("digits"), SlowAndInterrupted()]
try:
    model.fit(data.features("train"), data.y_train, epochs=9, batch_size=16,
              callbacks=watch)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_progress_on_a_terminal():
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRESS],
        stdout=terminal, stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(terminal)
    seen = []

    def read():
        # The other side is closed when the process ends: an error on Linux.
        with contextlib.suppress(OSError):
            while part := os.read(main_end, 4096):
                seen.append(part)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert process.wait(timeout=120) == 0
    reader.join(timeout=60)
    os.close(main_end)
    text = re.sub(r"\x1b\[[\d;]*m", "", b"".join(seen).decode())
    figures = r"loss \d\.\d{4}  accuracy \d\.\d{4}  ([\d,]+) digits/s"
    # Lines above the bar, and the bar in the middle of the third epoch.
    (speed,) = re.findall(rf"epoch 2/9  {figures}", text)
    drawn = re.findall(rf"epoch 3/9 \S+ \S* *batch 50/90 {figures}", text)
    assert drawn, text
    # They were read in the epoch before, which was at another point then.
    assert int(drawn[0].replace(",", "")) > int(speed.replace(",", "")) / 100
    # The bar is gone, and the cursor is there again, before anything follows.
    assert text.rindex("\x1b[?25h") < text.rindex("interrupted")
