"""Trainings that are ended at any moment, and go on as if they had not been."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.cli import main
from nnfs_xp.engine.trainer import Trainer
from nnfs_xp.io import run_file
from tests.engine.variants import every_variant, where

_random = np.random.default_rng(10)
X = _random.standard_normal((22, 3))
Y = (X[:, 0] + 0.5 * _random.standard_normal(22) > 0).astype("int64")
HELD_OUT = (_random.standard_normal((9, 3)), _random.integers(0, 2, 9))
EPOCHS, BATCH = 9, 5  # five batches, the last one shorter


class Interrupt(nx.Callback):
    """Sends signals at one of the moments that callbacks know of."""

    def __init__(self, moment=None, number=signal.SIGINT, times=1):
        self.moment, self.number, self.times = moment, number, times

    def at(self, *moment):
        if moment == self.moment:
            self.moment = None
            for _ in range(self.times):
                signal.raise_signal(self.number)

    def on_fit_begin(self, model, epochs, batches):
        self.at("fit")

    def on_epoch_begin(self, epoch):
        self.at("begin", epoch)

    def on_batch_end(self, event):
        self.at("batch", event.epoch, event.batch)

    def on_epoch_end(self, record):
        self.at("end", record["epoch"])

    def on_fit_end(self):
        self.at("fit end")


class Counts(nx.Callback):
    """A callback of a user's own, with a state of numbers and arrays."""

    def on_fit_begin(self, model, epochs, batches):
        self.model, self.calls = model, dict.fromkeys(("begin", "batch", "end"), 0)
        self.weights = np.zeros((3, 4))

    def on_epoch_begin(self, epoch):
        self.calls["begin"] += 1

    def on_batch_end(self, event):
        self.calls["batch"] += 1
        self.weights += nx.to_numpy(self.model.parameters["0.weights"])

    def on_epoch_end(self, record):
        self.calls["end"] += 1
        record["mean weight"] = self.weights.mean()

    def state_dict(self):
        return {"calls": self.calls, "weights": self.weights}

    def load_state_dict(self, state):
        self.calls, self.weights = state["calls"], state["weights"]


def make_model(variant="numpy", **more):
    layers = [
        nx.Dense(3, 4, weight_regularizer=nx.L2(0.01)), nx.BatchNorm(4), nx.Tanh(),
        nx.Dropout(0.2), nx.Dense(4, 2), nx.Softmax(),
    ]  # fmt: skip
    settings = {"optimizer": nx.Adam(0.1, decay=0.01), **more}
    return nx.Model(
        layers, loss="categorical_crossentropy", seed=5, **settings, **where(variant)
    )


def watchers():
    """Return callbacks that have much to remember."""
    return [
        nx.ReduceOnPlateau("loss", factor=0.5, patience=0, min_delta=0.05),
        nx.EarlyStopping("validation_loss", patience=1),
        Counts(),
    ]


def fit(model, path=None, extra=(), **more):
    arguments = {
        "epochs": EPOCHS, "batch_size": BATCH, "validation_data": HELD_OUT,
        "callbacks": [*watchers(), *extra], "checkpoint": path, **more,
    }  # fmt: skip
    return model.fit(X, Y, **arguments)


def records(history):
    return [
        {k: v for k, v in record.items() if "second" not in k}
        for record in history.epochs
    ]


def everything(model):
    counts = {"steps": model.steps_trained, "epochs": model.epochs_trained}
    return {**model._state.export(), **counts, "rate": model.learning_rate}


@functools.cache
def undisturbed(variant):
    model = make_model(variant)
    history = fit(model)
    return everything(model), records(history)


def assert_as_undisturbed(model, history, variant="numpy"):
    expected, expected_records = undisturbed(variant)
    assert records(history) == expected_records
    found = everything(model)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def resume(path, variant="numpy", **more):
    model = make_model(variant)
    history = fit(model, path, resume=True, **more)
    assert_as_undisturbed(model, history, variant)
    return model, history


# Any moment.


def test_the_training_is_worth_the_trouble():
    """It stops early, lowers its rate, and ends with weights of before."""
    _, expected = undisturbed("numpy")
    assert 3 < len(expected) < EPOCHS
    rates = [record["learning_rate"] for record in expected]
    assert rates[-1] < 0.8 * rates[0]


def test_a_checkpoint_changes_nothing(tmp_path):
    model = make_model()
    history = fit(model, tmp_path / "c")
    assert_as_undisturbed(model, history)


MOMENTS = [
    ("fit",), ("begin", 1), ("batch", 1, 1), ("batch", 1, 5), ("end", 1), ("begin", 2),
    ("batch", 2, 3), ("end", 3), ("batch", 4, 5), ("end", 4),
]  # fmt: skip


@every_variant
@pytest.mark.parametrize("moment", [("batch", 2, 3), ("end", 2), ("batch", 3, 5)])
def test_resumed_on_every_backend(variant, moment, tmp_path):
    path = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(variant), path, [Interrupt(moment)])
    resume(path, variant)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_interrupted_at_any_moment_that_callbacks_know_of(moment, number, tmp_path):
    path = tmp_path / "c"
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    wanted = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: SystemExit}[number]
    # Before the others and after them.
    for extra in (False, True):
        callbacks = watchers()
        callbacks.insert(len(callbacks) if extra else 0, Interrupt(moment, number))
        with pytest.raises(wanted) as caught:
            fit(make_model(), path, callbacks=callbacks)
        if wanted is SystemExit:
            assert caught.value.code == 143
        resume(path)
    assert before == (
        signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM),
    )  # fmt: skip


def test_an_interruption_is_saved_where_it_came(tmp_path):
    path = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), path, [Interrupt(("batch", 2, 3))])
    model = nx.Model.load(path)
    assert (model.epochs_trained, model.steps_trained) == (1, 8)
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), path, [Interrupt(("batch", 2, 4))], resume=True)
    assert nx.Model.load(path).steps_trained == 9
    resume(path)


def test_an_interruption_while_it_is_validated(tmp_path, monkeypatch):
    """All batches of the epoch are learned, and there is no record yet."""
    path, calls, evaluate = tmp_path / "c", [], Trainer.evaluate

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return evaluate(self, *arguments)

    monkeypatch.setattr(Trainer, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), path)
    monkeypatch.undo()
    model = nx.Model.load(path)
    assert (model.epochs_trained, model.steps_trained) == (1, 10)
    resume(path)


def test_a_second_interruption_ends_a_callback_that_hangs(tmp_path):
    """What is in memory then does not belong together, so the last file stays."""
    path, told = tmp_path / "c", []

    class Tells(nx.Callback):
        def on_batch_end(self, event):
            told.append((event.epoch, event.batch))

    extra = [Interrupt(("batch", 2, 3), times=2), Tells()]
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), path, extra)
    assert told[-1] == (2, 2)
    assert nx.Model.load(path).steps_trained == 5
    resume(path)


def test_interrupted_again_and_again(tmp_path):
    path, epochs = tmp_path / "c", len(undisturbed("numpy")[1])
    for epoch in range(1, epochs + 1):
        for batch in range(1, 6):
            last = [Interrupt(("batch", epoch, batch))]
            with pytest.raises(KeyboardInterrupt):
                fit(make_model(), path, last, resume=True)
    resume(path)


def test_the_same_model_goes_on_too(tmp_path):
    """As in a notebook, where it stays in memory."""
    path, model = tmp_path / "c", make_model()
    for moment in (("batch", 2, 3), ("end", 3)):
        with pytest.raises(KeyboardInterrupt):
            fit(model, path, [Interrupt(moment)], resume=True)
    assert_as_undisturbed(model, fit(model, path, resume=True))


def test_a_training_that_is_over_is_over(tmp_path):
    path = tmp_path / "c"
    fit(make_model(), path)
    interrupt = Interrupt(("batch", 1, 1))
    resume(path, extra=[interrupt])
    assert interrupt.moment is not None


def test_an_error_in_a_callback_leaves_the_last_file(tmp_path):
    class Fails(nx.Callback):
        def on_epoch_end(self, record):
            if record["epoch"] == 3:
                raise ZeroDivisionError

    path = tmp_path / "c"
    with pytest.raises(ZeroDivisionError):
        fit(make_model(), path, [Fails()])
    assert nx.Model.load(path).epochs_trained == 2
    resume(path)


def test_without_a_file_the_training_begins(tmp_path):
    resume(tmp_path / "c")


def test_every_so_many_epochs(tmp_path):
    path, seen = tmp_path / "c", []

    class Looks(nx.Callback):
        def on_batch_end(self, event):
            seen.append(nx.Model.load(path).epochs_trained)

    history = make_model().fit(
        X, Y, epochs=5, callbacks=Looks(), checkpoint=path, checkpoint_every=2
    )
    assert seen == [0, 0, 2, 2, 4]
    assert nx.Model.load(path).epochs_trained == len(history) == 5


def test_long_epochs_are_saved_on_the_way(tmp_path, monkeypatch):
    path, seen = tmp_path / "c", []

    class Looks(nx.Callback):
        def on_batch_end(self, event):
            seen.append(nx.Model.load(path).steps_trained)

    monkeypatch.setattr(run_file, "_SECONDS", 0.0)
    fit(make_model(), path, [Looks()], epochs=2)
    # Each is written after its batch, when all callbacks know of it.
    assert seen == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_more_epochs_are_added(tmp_path):
    path = tmp_path / "c"
    whole, first = make_model(), make_model()
    expected = whole.fit(X, Y, epochs=5, batch_size=BATCH)
    first.fit(X, Y, epochs=2, batch_size=BATCH, checkpoint=path)
    second = make_model()
    history = second.fit(X, Y, epochs=5, batch_size=BATCH, checkpoint=path, resume=True)
    assert records(history) == records(expected)
    for name, value in everything(whole).items():
        np.testing.assert_array_equal(everything(second)[name], value, err_msg=name)


def test_a_training_of_a_model_that_had_learned_before(tmp_path):
    path = tmp_path / "c"
    histories = []
    for moment in (None, ("batch", 4, 3)):
        model = make_model()
        model.fit(X, Y, epochs=2, batch_size=BATCH)
        arguments = {"epochs": 3, "batch_size": BATCH, "checkpoint": path}
        try:
            history = model.fit(X, Y, callbacks=Interrupt(moment), **arguments)
        except KeyboardInterrupt:
            model = make_model()
            history = model.fit(X, Y, resume=True, **arguments)
        assert history["epoch"] == [3, 4, 5]
        assert model.epochs_trained == 5
        histories.append(records(history))
    assert histories[0] == histories[1]


def test_products_in_float16_keep_their_scale(tmp_path):
    def make():
        return nx.Model(
            [nx.Dense(3, 8), nx.ReLU(), nx.Dense(8, 2), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", backend="numpy",
            matmul_precision="float16",
        )  # fmt: skip

    arguments = {"epochs": 4, "batch_size": BATCH, "checkpoint": tmp_path / "c"}
    expected = make().fit(X, Y, **arguments)
    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, callbacks=Interrupt(("batch", 3, 2)), **arguments)
    again = make().fit(X, Y, resume=True, **arguments)
    assert records(again) == records(expected)


@pytest.mark.parametrize("of_callback", [False, True])
def test_a_schedule_of_a_callback_or_of_the_optimizer(of_callback, tmp_path):
    def make():
        rate = 1.0 if of_callback else nx.CosineDecay(0.1, 30)
        return make_model(optimizer=nx.SGD(rate))

    rates = [nx.LearningRateSchedule(lambda epoch: 0.1 / epoch)] * of_callback
    arguments = {"epochs": 4, "batch_size": BATCH}
    expected = make().fit(X, Y, callbacks=rates, **arguments)
    arguments["checkpoint"] = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        make().fit(X, Y, callbacks=[*rates, Interrupt(("batch", 3, 2))], **arguments)
    again = make().fit(X, Y, callbacks=rates, resume=True, **arguments)
    assert records(again) == records(expected)


# Callbacks.


def test_files_of_callbacks_go_on_where_they_were(tmp_path):
    def extra(folder):
        folder.mkdir(exist_ok=True)
        return [
            nx.JSONLog(folder / "new.jsonl", append=False),
            nx.JSONLog(folder / "old.jsonl"),
            nx.Checkpoint(folder / "best-{epoch}", monitor="loss"),
        ]

    def of(folder):
        lines = {}
        for name in ("new.jsonl", "old.jsonl"):
            found = map(json.loads, (folder / name).read_text().splitlines())
            times = {"time", "seconds", "samples_per_second"}
            lines[name] = [
                {k: v for k, v in line.items() if k not in times} for line in found
            ]
        return lines, sorted(path.name for path in folder.glob("best*"))

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for folder in (whole, parts):
        folder.mkdir()
        (folder / "old.jsonl").write_text('{"epoch": 0}\n')
    fit(make_model(), extra=extra(whole))
    path = tmp_path / "c"
    # The lines of the third epoch are written, and the file of the run is not.
    for moment in (("batch", 2, 3), ("end", 3)):
        last = [*extra(parts), Interrupt(moment, times=2)]
        with pytest.raises(KeyboardInterrupt):
            fit(make_model(), path, last, resume=True)
    assert len(of(parts)[0]["new.jsonl"]) == 3
    resume(path, extra=extra(parts))
    assert of(parts) == of(whole)


def test_attributes_of_callbacks_are_those_of_the_whole_training(tmp_path):
    path = tmp_path / "c"

    def attributes(callbacks):
        reduce, stop, counts, keep = callbacks
        return (
            reduce.best, reduce.best_epoch, stop.best, stop.best_epoch,
            stop.stopped_epoch, counts.calls, counts.weights.tolist(), keep.saved,
        )  # fmt: skip

    def callbacks():
        keep = nx.Checkpoint(tmp_path / "{epoch}", monitor="validation_loss")
        return [*watchers(), keep]

    whole, last = callbacks(), callbacks()
    fit(make_model(), callbacks=whole)
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), path, callbacks=[*callbacks(), Interrupt(("batch", 4, 2))])
    fit(make_model(), path, callbacks=last, resume=True)
    assert attributes(last) == attributes(whole)


def test_progress_counts_what_is_left(tmp_path, capsys):
    path = tmp_path / "c"
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), path, [nx.Progress(), Interrupt(("batch", 3, 2))])
    resume(path, extra=[nx.Progress()])
    lines = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    count = len(undisturbed("numpy")[1])
    assert lines == [f"epoch {n}/{EPOCHS}" for n in range(1, count + 1)]


def test_a_state_that_no_file_can_hold_is_found_before_training(tmp_path):
    class Holds(nx.Callback):
        def state_dict(self):
            return {"held": object()}

    model = make_model()
    with pytest.raises(nx.InputError, match="what JSON can, got <object"):
        fit(model, tmp_path / "c", [Holds()])
    assert model.steps_trained == 0
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_no_file_can_hold_is_found_before_training(tmp_path):
    model = make_model(optimizer=nx.SGD(lambda step: 0.1))
    with pytest.raises(nx.InputError, match="^SGD: learning_rate is a function"):
        fit(model, tmp_path / "c", callbacks=())
    assert model.steps_trained == 0
    assert list(tmp_path.iterdir()) == []


# What does not fit.


@pytest.fixture
def path(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(make_model(), tmp_path / "c", [Interrupt(("batch", 2, 3))])
    return tmp_path / "c"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"batch_size": 6}, "batch_size 5, and this one has 6"),
        ({"batch_size": None}, "batch_size 5, and this one has None"),
        ({"shuffle": False}, "shuffle True, and this one has False"),
        (
            {"validation_data": None, "callbacks": ()},
            "validation 9, and this one has 0",
        ),
        ({"callbacks": ()}, "callbacks must hold a ReduceOnPlateau, as in"),
        ({"checkpoint": None}, "resume needs a checkpoint"),
        ({"checkpoint": 3}, "checkpoint must be a path, got 3"),
        ({"checkpoint_every": 0}, "checkpoint_every must be a positive integer"),
    ],
)
def test_another_training_is_refused(path, more, message):
    model = make_model()
    before, content = everything(model), path.read_bytes()
    with pytest.raises(nx.InputError, match=message):
        fit(model, path, resume=True, **more)
    for name, value in before.items():
        np.testing.assert_array_equal(everything(model)[name], value)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: make_model(optimizer=nx.Adam(0.2, decay=0.01)), "learning_rate 0.1, "),
        (lambda: make_model(optimizer=nx.Adam(0.1, beta_1=0.5)), "optimizer {'beta_1'"),
        (lambda: make_model(optimizer="sgd"), "optimizer "),
        (lambda: make_model(metrics=["accuracy", "f1"]), "metrics "),
        (
            lambda: nx.Model(
                [nx.Dense(3, 2), nx.Softmax()], loss="categorical_crossentropy",
                optimizer=nx.Adam(0.1, decay=0.01), dtype="float64", seed=5,
            ), "layers ",
        ),
        (
            lambda: nx.Model(
                make_model().layers, loss="categorical_crossentropy",
                optimizer=nx.Adam(0.1, decay=0.01), dtype="float32", seed=5,
            ), "dtype 'float64', and this one has 'float32'",
        ),
        (
            lambda: nx.Model(
                make_model().layers, loss="categorical_crossentropy",
                optimizer=nx.Adam(0.1, decay=0.01), dtype="float64", seed=6,
            ), "seed 5, and this one has 6",
        ),
    ],
)  # fmt: skip
def test_another_model_is_refused(path, model, message):
    with pytest.raises(nx.InputError, match=f"of a training with {message}"):
        fit(model(), path, resume=True)


def test_other_data_is_refused(path):
    with pytest.raises(nx.InputError, match="samples 22, and this one has 21"):
        make_model().fit(X[1:], Y[1:], batch_size=BATCH, checkpoint=path, resume=True)
    with pytest.raises(nx.InputError, match="checksum of some rows"):
        make_model().fit(
            X + 1e-6, Y, batch_size=BATCH, checkpoint=path, resume=True,
            validation_data=HELD_OUT, callbacks=watchers(),
        )  # fmt: skip


def test_a_model_file_is_no_training(tmp_path):
    make_model().save(tmp_path / "m")
    with pytest.raises(nx.InputError, match="has a model and no training to go on"):
        fit(make_model(), tmp_path / "m", resume=True)


def test_a_damaged_file_is_refused(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    with pytest.raises(nx.FileFormatError, match="it is damaged"):
        fit(make_model(), path, resume=True)


def test_a_checkpoint_is_a_model_file_as_well(path):
    model = nx.Model.load(path)
    assert model.predict(X).shape == (22, 2)
    again = make_model()
    again.load_parameters(path)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


def test_where_nothing_can_be_written_nothing_is_trained(tmp_path, monkeypatch):
    model = make_model()
    with pytest.raises(FileNotFoundError, match="no such directory"):
        fit(model, tmp_path / "no" / "c")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device: .*/c'"):
        fit(model, tmp_path / "c")
    assert model.steps_trained == 0
    assert list(tmp_path.iterdir()) == []


# Processes that are ended.


TRAINING = """
import sys, time
from tests.test_resume import fit, make_model
import nnfs_xp as nx

class Slow(nx.Callback):
    def on_fit_begin(self, model, epochs, batches):
        print("begins", flush=True)

    def on_batch_end(self, event):
        time.sleep(0.01)

fit(make_model(), sys.argv[1], [Slow()], resume=True)
"""


def ended(path, number, seconds):
    """Train in another process, and return its status if it is ended by a signal."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING, path], cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    return process.returncode, error.decode()


STATUSES = {
    signal.SIGKILL: {-signal.SIGKILL},
    # Python ends by the signal after a KeyboardInterrupt.
    signal.SIGINT: {-signal.SIGINT, 1},
    signal.SIGTERM: {143, -signal.SIGTERM},
}


def end_and_resume(tmp_path, number, seeds):
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        path, chance = folder / "c", random.Random(seed)
        for _ in range(chance.randint(1, 3)):
            status, error = ended(path, number, chance.uniform(0, 0.35))
            assert status in STATUSES[number] | {0}, (seed, error)
        resume(path)
        assert [file.name for file in folder.iterdir()] == ["c"], seed


@pytest.mark.parametrize("number", STATUSES)
def test_processes_that_are_ended_at_some_moment(number, tmp_path):
    end_and_resume(tmp_path, number, range(2))


@pytest.mark.slow
@pytest.mark.parametrize("number", STATUSES)
def test_processes_that_are_ended_at_many_moments(number, tmp_path):
    # Each takes some four seconds. NNFS_XP_SOAK=1 asks for all, 40 minutes in all.
    many = 200 if os.environ.get("NNFS_XP_SOAK") == "1" else 8
    end_and_resume(tmp_path, number, range(100, 100 + many))


# The command.


def results(folder):
    history = json.loads((folder / "history.json").read_text())
    for record in history["epochs"]:
        for name in ("seconds", "samples_per_second"):
            del record[name]
    del history["seconds"]
    model = nx.Model.load(folder / "model.safetensors")
    return history, model._ready.export()


@pytest.mark.parametrize("number", STATUSES)
def test_the_command_goes_on(number, tmp_path):
    arguments = ["train", "--data", "digits", "--epochs", "8", "--no-plot"]
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0
    arguments += ["--checkpoint-every", "2", "--out", str(tmp_path / "parts")]
    process = subprocess.Popen(
        [sys.executable, "-m", "nnfs_xp", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("epoch 3/"):
            process.send_signal(number)
            break
    out, error = process.communicate(timeout=60)
    statuses = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143}
    assert process.returncode == statuses[number], error
    assert error == ""
    if number != signal.SIGKILL:
        assert "--resume continues it" in out
    assert main([*arguments, "--resume"]) == 0
    history, values = results(tmp_path / "parts")
    expected_history, expected = results(tmp_path / "whole")
    assert history == expected_history
    for name, value in expected.items():
        np.testing.assert_array_equal(values[name], value, err_msg=name)


def test_the_command_needs_to_know_what_to_go_on_with(tmp_path, capsys):
    assert main(["train", "--data", "spiral", "--resume"]) == 2
    assert "resume: the directory of the training must be given" in (
        capsys.readouterr().err
    )


def test_the_command_says_what_does_not_fit(tmp_path, capsys):
    arguments = ["train", "--data", "spiral", "--no-plot", "--out", str(tmp_path)]
    assert main([*arguments, "--epochs", "2", "--checkpoint-every", "1"]) == 0
    capsys.readouterr()
    assert main([*arguments, "--epochs", "3", "--hidden", "8", "--resume"]) == 2
    error = capsys.readouterr().err
    assert "is of a training with layers " in error
    assert error.count("\n") == 1
    # More epochs are no other training.
    assert main([*arguments, "--epochs", "3", "--resume"]) == 0
    assert nx.Model.load(tmp_path / "model.safetensors").epochs_trained == 3
