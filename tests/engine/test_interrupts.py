"""Ctrl-C and errors inside each part of a step: it is complete, or never happened."""

import functools
import signal
import threading

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine import data, device_batches
from nnfs_xp.engine.program import Program
from tests.engine.variants import VARIANTS, every_variant, where

random = np.random.default_rng(10)
ROWS, BATCH = 15, 5  # three batches
X = random.standard_normal((ROWS, 4))
Y = random.standard_normal((ROWS, 3))


class Bell:
    """Rings at the given call of the given part: once, or from then on."""

    def __init__(self):
        self.arm(None)

    def arm(self, part, call=2, ring=None, lasting=False):
        self.part, self.left, self.ring = part, call, ring
        self.lasting = lasting

    def __call__(self, part):
        if part == self.part:
            self.left -= 1
            if self.left <= 0:
                if not self.lasting:
                    self.part = None
                self.ring()


bell = Bell()


@pytest.fixture(autouse=True)
def silent_bell():
    yield
    bell.arm(None)


def interrupt():
    signal.raise_signal(signal.SIGINT)


def raise_at_once():
    """As Ctrl-C does where signals are not held back."""
    raise KeyboardInterrupt


class OwnError(Exception):
    pass


def fail():
    raise OwnError


class OwnLayer(nx.Layer):
    """A gain, and how often it was asked in training."""

    def parameters(self):
        return {"gain": ("ones", (6,))}

    def state(self):
        return {"calls": (0.0, ()), "twice": (0.0, ())}

    def fwd(self, cx, x):
        bell("fwd")
        if cx.training:
            cx.buffers["calls"] = cx.buffers["calls"] + 1
            bell("buffer write")
            cx.buffers["twice"] = cx.buffers["twice"] + 2
        return x * cx.params["gain"], x

    def bwd(self, cx, x, dy):
        cx.grads["gain"] = cx.xp.sum(x * dy, axis=0)
        bell("bwd")
        return dy * cx.params["gain"]


class OwnLoss(nx.MeanSquaredError):
    def fwd(self, be, y_pred, y_true):
        bell("loss")
        return super().fwd(be, y_pred, y_true)

    def bwd(self, be, residuals, dlosses):
        bell("loss bwd")
        return super().bwd(be, residuals, dlosses)


class OwnMetric(nx.RegressionAccuracy):
    def batch(self, be, y_pred, y_true):
        bell("metric")
        return super().batch(be, y_pred, y_true)


class OwnOptimizer(nx.Adam):
    def update(self, be, parameters, gradients, state, **how):
        bell("update")
        super().update(be, parameters, gradients, state, **how)

    def apply(self, be, parameters, gradients, state):
        bell("apply")
        super().apply(be, parameters, gradients, state)
        bell("after apply")


def schedule(step):
    # The rate of a step may be asked for several times.
    if step == 1:
        bell("schedule")
        bell("schedule")
    return 0.1 / (1 + step)


class Watcher(nx.Callback):
    def on_fit_begin(self, model, epochs, batches):
        bell("on_fit_begin")

    def on_epoch_begin(self, epoch):
        bell("on_epoch_begin")

    def on_batch_end(self, event):
        bell("on_batch_end")

    def on_epoch_end(self, record):
        bell("on_epoch_end")

    def on_fit_end(self):
        bell("on_fit_end")


# Parts that Python runs in every step, if it is run step by step, and after how many
# steps a model stands if the second call is interrupted.
WITHIN = dict.fromkeys(
    [
        "fwd", "bwd", "buffer write", "loss", "loss bwd", "metric", "update", "apply",
        "after apply", "commit", "gather",
    ],
    2,
)  # fmt: skip
# Those between the steps, whatever runs them.
BETWEEN = {"schedule": 1, "on_batch_end": 2, "on_epoch_begin": 3, "on_epoch_end": 6}
BEFORE_UPDATE = [
    "fwd", "bwd", "buffer write", "loss", "loss bwd", "metric", "gather", "update",
    "apply",
]  # fmt: skip


@pytest.fixture(autouse=True)
def ringing_engine(monkeypatch):
    """Let parts of the engine ring too."""
    commit, rows = Program.commit, data.Data.rows
    gather = device_batches.gather_batch

    def ringing_commit(self, state):
        if "optimizer" in state:
            bell("commit")
        commit(self, state)

    def ringing_rows(self, rows_):
        bell("gather")
        return rows(self, rows_)

    def ringing_gather(*arguments):
        bell("gather")
        return gather(*arguments)

    monkeypatch.setattr(Program, "commit", ringing_commit)
    monkeypatch.setattr(data.Data, "rows", ringing_rows)
    monkeypatch.setattr(device_batches, "gather_batch", ringing_gather)


def make_model(variant):
    return nx.Model(
        [
            nx.Dense(4, 6),
            nx.Residual(nx.Sequential([OwnLayer(), nx.BatchNorm(6), nx.Dropout(0.3)])),
            nx.Dense(6, 3),
        ],
        loss=OwnLoss(),
        optimizer=OwnOptimizer(schedule),
        metrics=OwnMetric(),
        **where(variant),
    )


def fit(model, x=X, y=Y, epochs=1, callbacks=()):
    return model.fit(
        x, y, epochs=epochs, batch_size=BATCH, shuffle=False, callbacks=callbacks
    )


def everything(model):
    """Return all values and moments on the host, and all counters."""
    counts = {"steps": model.steps_trained, "epochs": model.epochs_trained}
    return {**model._state.export(), **counts, "rate": model.learning_rate}


def assert_equal(found, expected, *but):
    assert set(found) == set(expected)
    for name, value in expected.items():
        if name not in but:
            np.testing.assert_array_equal(found[name], value, err_msg=name)


class Snapshots(nx.Callback):
    """Keeps everything of a model after each step."""

    def on_fit_begin(self, model, epochs, batches):
        self.model, self.steps = model, [everything(model)]

    def on_batch_end(self, event):
        self.steps.append(everything(self.model))


@functools.cache
def undisturbed(variant):
    """Return everything of a model after 0 to 9 steps of a training."""
    watch = Snapshots()
    fit(make_model(variant), epochs=3, callbacks=watch)
    return watch.steps


def assert_stands_after(model, variant, steps, epochs):
    """So does an undisturbed model, and goes on with the batches that are left."""
    assert (model.steps_trained, model.epochs_trained) == (steps, epochs)
    assert int(model._state.export()["optimizer.step"]) == steps
    assert_equal(everything(model), undisturbed(variant)[steps], "epochs")
    done = steps % 3 * BATCH
    fit(model, X[done:], Y[done:])
    end = 3 * (steps // 3 + 1)
    assert_equal(everything(model), undisturbed(variant)[end], "epochs")


STEP_BY_STEP = [variant for variant in VARIANTS if variant not in ("jax", "cupy")]


@pytest.mark.parametrize("variant", STEP_BY_STEP)
@pytest.mark.parametrize("part", WITHIN)
def test_an_interrupted_step_is_completed(variant, part):
    model = make_model(variant)
    bell.arm(part, ring=interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(model, callbacks=Watcher())
    assert bell.part is None
    assert_stands_after(model, variant, WITHIN[part], epochs=0)


@pytest.mark.parametrize("variant", ["jax"])
@pytest.mark.parametrize("part", ["fwd", "loss", "apply", "gather"])
def test_a_step_that_is_interrupted_while_it_is_traced_is_whole_or_not_begun(
    variant, part
):
    model = make_model(variant)
    bell.arm(part, call=1, ring=interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(model)
    assert bell.part is None
    # What a step draws is found out by a trace before it.
    steps = model.steps_trained
    assert steps in (0, 1)
    assert_stands_after(model, variant, steps, epochs=0)


@pytest.mark.parametrize("variant", ["cupy"])
@pytest.mark.parametrize("ring", [interrupt, raise_at_once])
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize("part", WITHIN)
def test_an_interrupted_rehearsal_or_capture(variant, part, call, ring):
    """On a GPU these parts are run before the first step, and never again."""
    model = make_model(variant)
    bell.arm(part, call=call, ring=ring)
    with pytest.raises(KeyboardInterrupt):
        fit(model)
    assert bell.part is None
    assert_stands_after(model, variant, 0, epochs=0)
    assert model.executor_note.startswith("one CUDA graph")


@every_variant
@pytest.mark.parametrize("part", BETWEEN)
def test_an_interruption_between_steps(variant, part):
    model = make_model(variant)
    bell.arm(part, ring=interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(model, epochs=2, callbacks=Watcher())
    assert bell.part is None
    steps = BETWEEN[part]
    assert_stands_after(model, variant, steps, epochs=steps // 3)


@pytest.mark.parametrize("part", ["on_fit_begin", "on_fit_end"])
def test_an_interruption_at_begin_and_end(part):
    model = make_model("numpy")
    bell.arm(part, call=1, ring=interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(model, callbacks=Watcher())
    steps = 0 if part == "on_fit_begin" else 3
    assert_stands_after(model, "numpy", steps, epochs=steps // 3)


# Errors.


@pytest.mark.parametrize("variant", STEP_BY_STEP)
@pytest.mark.parametrize("part", BEFORE_UPDATE)
def test_a_step_that_fails_before_the_update_never_happened(variant, part):
    model = make_model(variant)
    # What cannot be recorded is tried step by step.
    bell.arm(part, ring=fail, lasting=True)
    with pytest.raises(OwnError):
        fit(model)
    bell.arm(None)
    assert_stands_after(model, variant, 1, epochs=0)


def test_an_interruption_of_a_step_that_fails_is_not_forgotten():
    model = make_model("numpy")
    bell.arm("fwd", ring=lambda: (interrupt(), fail()), lasting=True)
    with pytest.raises(KeyboardInterrupt) as caught:
        fit(model)
    bell.arm(None)
    assert isinstance(caught.value.__context__, OwnError)
    assert_stands_after(model, "numpy", 1, epochs=0)


@every_variant
@pytest.mark.parametrize("part", ["schedule", "on_batch_end"])
def test_an_error_between_steps(variant, part):
    model = make_model(variant)
    bell.arm(part, ring=fail)
    with pytest.raises(OwnError):
        fit(model, callbacks=Watcher())
    assert_stands_after(model, variant, BETWEEN[part], epochs=0)


@pytest.mark.parametrize("variant", ["jax", "cupy"])
@pytest.mark.parametrize("part", ["fwd", "bwd", "metric"])
def test_a_step_that_fails_while_it_is_compiled_never_happened(variant, part):
    """On a GPU the second call would be part of the capture, which is then given up."""
    model = make_model(variant)
    bell.arm(part, call=1, ring=fail)
    with pytest.raises(OwnError):
        fit(model)
    assert_stands_after(model, variant, 0, epochs=0)


# Handlers.


@pytest.fixture
def own_handler():
    calls = []
    usual = signal.signal(signal.SIGINT, lambda *given: calls.append(given))
    yield calls
    signal.signal(signal.SIGINT, usual)


@every_variant
def test_a_handler_of_a_users_own_is_called(variant, own_handler):
    """It does not raise, so the training goes on to its end."""
    model, handler = make_model(variant), signal.getsignal(signal.SIGINT)
    bell.arm("on_batch_end" if variant in ("jax", "cupy") else "fwd", ring=interrupt)
    fit(model, callbacks=Watcher())
    ((number, frame),) = own_handler
    assert number == signal.SIGINT and frame is not None
    assert_equal(everything(model), undisturbed(variant)[3], "epochs")
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_handler_is_called_after_the_step(own_handler):
    steps = []
    model = make_model("numpy")
    signal.signal(signal.SIGINT, lambda *given: steps.append(model.steps_trained))
    bell.arm("bwd", ring=lambda: (interrupt(), interrupt()))
    fit(model)
    assert steps == [2]


@pytest.mark.parametrize("ring", [None, interrupt, fail])
def test_the_handler_is_restored(ring):
    before = signal.getsignal(signal.SIGINT)
    seen = []

    class Looks(nx.Callback):
        def on_batch_end(self, event):
            seen.append(signal.getsignal(signal.SIGINT))

    model = make_model("numpy")
    bell.arm("apply" if ring else None, ring=ring)
    try:
        fit(model, callbacks=Looks())
    except (KeyboardInterrupt, OwnError):
        assert ring is not None
    assert signal.getsignal(signal.SIGINT) is before
    assert seen and before not in seen


@pytest.mark.parametrize("usual", [signal.SIG_IGN, signal.SIG_DFL])
def test_no_handler_is_put_in_the_place_of_none(usual):
    before = signal.signal(signal.SIGINT, usual)
    try:
        fit(make_model("numpy"))
        assert signal.getsignal(signal.SIGINT) == usual
    finally:
        signal.signal(signal.SIGINT, before)


# Threads.


@every_variant
def test_fit_in_a_thread(variant):
    model, found = make_model(variant), []
    thread = threading.Thread(target=lambda: found.append(fit(model)))
    thread.start()
    thread.join()
    assert len(found) == 1
    assert_equal(everything(model), undisturbed(variant)[3], "epochs")


def test_an_interruption_while_another_thread_trains():
    """It reaches the main thread at once, and the training goes on."""
    model, inside, done = make_model("numpy"), threading.Event(), threading.Event()

    def wait():
        inside.set()
        assert done.wait(60)

    bell.arm("fwd", ring=wait)
    thread = threading.Thread(target=lambda: fit(model))
    thread.start()
    assert inside.wait(60)
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    finally:
        done.set()
        thread.join()
    assert_equal(everything(model), undisturbed("numpy")[3], "epochs")
