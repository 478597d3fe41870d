"""Trainings of the book, followed step by step against `reference`, in float64.

Each is typed layer by layer, put into the book's ``Model``, and into the
library's own. All three start from the same seed, and must agree with the
reference to 1e-9 in every figure of every step, and in the parameters at the
end. Two programs that compute the same in another order differ by a rounding
at first, and a training makes more of it with every step, so that none can be
followed for ever.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import Callback, to_numpy
from tests.book import reference
from tests.conftest import backend_or_skip

TOLERANCE = 1e-9
FIGURES = ("loss", "data_loss", "regularization_loss", "accuracy", "learning_rate")


@dataclasses.dataclass(frozen=True)
class Recording:
    """A training of the book, and for how many epochs it is followed.

    `lost_after` is the number of steps after which a parameter was first found
    to be off by more than `TOLERANCE`. On other machines it is another one, so
    a training is followed only as long as it was found to be ten times better.
    """

    epochs: int
    lost_after: int | None
    data: str
    sizes: tuple[int, ...]
    optimizer: str
    learning_rate: float
    decay: float = 0.0
    settings: dict[str, float] = dataclasses.field(default_factory=dict)
    penalties: tuple[tuple[float, float, float, float], ...] | None = None
    batch_size: int | None = None

    @property
    def task(self) -> str:
        return {"spiral 2": "decide", "sine": "regress"}.get(self.data, "classify")

    @property
    def all_penalties(self) -> list[tuple[float, float, float, float]]:
        return list(self.penalties or [reference.NO_PENALTIES] * (len(self.sizes) - 1))


SPIRAL = ("spiral 3", (2, 64, 3))
L2 = (0.0, 5e-4, 0.0, 5e-4)
FIRST_L2 = (L2, reference.NO_PENALTIES)
L1_AND_L2 = (1e-4, 5e-4, 1e-4, 5e-4)

RECORDINGS = {
    "sgd": Recording(500, 713, *SPIRAL, "SGD", 1.0),
    "sgd-decay": Recording(600, 967, *SPIRAL, "SGD", 1.0, 1e-3),
    "sgd-momentum": Recording(200, 293, *SPIRAL, "SGD", 1.0, 1e-3, {"momentum": 0.9}),
    "adagrad": Recording(400, 628, *SPIRAL, "Adagrad", 1.0, 1e-4),
    "rmsprop": Recording(100, 226, *SPIRAL, "RMSprop", 0.02, 1e-5, {"rho": 0.999}),
    "adam": Recording(75, 106, *SPIRAL, "Adam", 0.05, 5e-7),
    "l2": Recording(60, 92, *SPIRAL, "Adam", 0.05, 5e-5, penalties=FIRST_L2),
    "binary": Recording(
        1000, None, "spiral 2", (2, 64, 1), "Adam", 0.001, 5e-7, penalties=FIRST_L2
    ),
    "sine": Recording(90, 190, "sine", (1, 64, 64, 1), "Adam", 0.005, 1e-3),
    "digits": Recording(
        5, 76, "digits", (64, 64, 64, 10), "Adam", 0.001, 1e-3,
        penalties=(L1_AND_L2,) * 3, batch_size=128,
    ),
}  # fmt: skip


def digits():
    found = nx.data.load_dataset("digits")
    return found.x_train.reshape(-1, 64) / 8.0 - 1.0, found.y_train


def hits_of(task, y):
    return {
        "classify": reference.categorical_hits,
        "decide": reference.binary_hits,
        "regress": reference.regression_hits(np.std(y) / 250),
    }[task]


def expected(recording, sign_of_zero=0.0):
    """Return figures and parameters of the reference, from the seed alone."""
    np.random.seed(0)  # noqa: NPY002
    x, y = {
        "spiral 3": lambda: reference.spiral(100, 3),
        "spiral 2": lambda: reference.spiral(100, 2),
        "sine": reference.sine,
        "digits": digits,
    }[recording.data]()
    if recording.task == "decide":
        y = y.reshape(-1, 1)
    layers = reference.network(*recording.sizes)
    steps, epochs = reference.train(
        layers,
        x,
        y,
        getattr(reference, recording.task),
        hits_of(recording.task, y),
        getattr(reference, recording.optimizer.lower()),
        learning_rate=recording.learning_rate,
        decay=recording.decay,
        settings=recording.settings,
        penalties=recording.all_penalties,
        sign_of_zero=sign_of_zero,
        epochs=recording.epochs,
        batch_size=recording.batch_size,
    )
    return steps, epochs, layers


@functools.cache
def expected_of(name, sign_of_zero=0.0):
    return expected(RECORDINGS[name], sign_of_zero)


# The three ways to write the same training.


def own_data(recording):
    if recording.data == "digits":
        return digits()
    if recording.data == "sine":
        return nnfs.sine_data()
    X, y = nnfs.spiral_data(samples=100, classes=int(recording.data[-1]))
    return X, y.reshape(-1, 1) if recording.task == "decide" else y


def book_layers(recording, mode="exact"):
    return [
        nnfs.Layer_Dense(*sizes, *penalties, regularizer_mode=mode)
        for sizes, penalties in zip(
            itertools.pairwise(recording.sizes), recording.all_penalties, strict=True
        )
    ]


def with_activations(recording, dense, relu, last):
    stack = []
    for layer in dense:
        stack += [layer, relu()]
    stack[-1] = last[recording.task]()
    return stack


def book_optimizer(recording):
    unit = getattr(nnfs, f"Optimizer_{recording.optimizer}")
    return unit(recording.learning_rate, recording.decay, **recording.settings)


def book_loss(recording):
    return {
        "classify": nnfs.Loss_CategoricalCrossentropy,
        "decide": nnfs.Loss_BinaryCrossentropy,
        "regress": nnfs.Loss_MeanSquaredError,
    }[recording.task]()


LAST = {
    "classify": nnfs.Activation_Softmax,
    "decide": nnfs.Activation_Sigmoid,
    "regress": nnfs.Activation_Linear,
}


def typed(recording, mode="exact"):
    """Train as in chapters 10 to 17: every call is written out."""
    X, y = own_data(recording)
    dense = book_layers(recording, mode)
    stack = with_activations(recording, dense, nnfs.Activation_ReLU, LAST)
    loss_function = book_loss(recording)
    if recording.task == "classify":
        stack[-1] = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
        loss_function = stack[-1].loss
    optimizer = book_optimizer(recording)
    hits = hits_of(recording.task, to_numpy(y))
    size = recording.batch_size or len(X)
    steps = []
    for _ in range(recording.epochs):
        for start in range(0, len(X), size):
            batch_X, batch_y = X[start : start + size], y[start : start + size]
            output = batch_X
            for layer in stack[:-1]:
                layer.forward(output)
                output = layer.output
            if recording.task == "classify":
                data_loss = stack[-1].forward(output, batch_y)
            else:
                stack[-1].forward(output)
                data_loss = loss_function.calculate(stack[-1].output, batch_y)
            # On the host, as JAX would take this mean in float32.
            accuracy = np.mean(hits(to_numpy(stack[-1].output), to_numpy(batch_y)))
            added = sum(loss_function.regularization_loss(layer) for layer in dense)

            if recording.task == "classify":
                stack[-1].backward(stack[-1].output, batch_y)
            else:
                loss_function.backward(stack[-1].output, batch_y)
                stack[-1].backward(loss_function.dinputs)
            for layer, after in reversed(list(itertools.pairwise(stack))):
                layer.backward(after.dinputs)

            optimizer.pre_update_params()
            for layer in dense:
                optimizer.update_params(layer)
            optimizer.post_update_params()
            figures = (data_loss + added, data_loss, added, accuracy)
            values = [float(figure) for figure in figures]
            values.append(optimizer.current_learning_rate)
            steps.append(dict(zip(FIGURES, values, strict=True)))
    return steps, None, dense


def in_the_books_model(recording, mode="exact"):
    """Train as from chapter 18 on."""
    X, y = own_data(recording)
    dense = book_layers(recording, mode)
    model = nnfs.Model()
    for layer in with_activations(recording, dense, nnfs.Activation_ReLU, LAST):
        model.add(layer)
    accuracy = {
        "classify": nnfs.Accuracy_Categorical(),
        "decide": nnfs.Accuracy_Categorical(binary=True),
        "regress": nnfs.Accuracy_Regression(),
    }[recording.task]
    model.set(
        loss=book_loss(recording),
        optimizer=book_optimizer(recording),
        accuracy=accuracy,
    )
    model.finalize()
    history = model.train(
        X,
        y,
        epochs=recording.epochs,
        batch_size=recording.batch_size,
        print_every=None,
    )
    return None, history.epochs, dense


class Steps(Callback):
    """Keep the figures of every batch."""

    def __init__(self):
        self.figures = []

    def on_batch_end(self, event):
        self.figures.append(
            {**event.batch_figures(), "learning_rate": event.learning_rate}
        )


def in_the_own_model(recording, mode="exact"):
    """Train with the library's own names, from the book's initial weights."""
    be = backend_or_skip("numpy", "float64")
    X, y = own_data(recording)
    dense = []
    for layer in book_layers(recording):
        weights, biases = (to_numpy(values) for values in layer.get_parameters())
        l1, l2, bias_l1, bias_l2 = recording.all_penalties[len(dense)]
        dense.append(
            nx.Dense(
                *weights.shape,
                weight_regularizer=nx.L1L2(l1, l2, mode),
                bias_regularizer=nx.L1L2(bias_l1, bias_l2, mode),
                dtype="float64",
            )
        )
        dense[-1].weights, dense[-1].biases = weights, biases
    last = {"classify": nx.Softmax, "decide": nx.Sigmoid, "regress": nx.Linear}
    loss = {
        "classify": lambda: nx.CategoricalCrossEntropy(mode="book"),
        "decide": lambda: nx.BinaryCrossEntropy(mode="book"),
        "regress": nx.MeanSquaredError,
    }[recording.task]()
    unit = getattr(nx, recording.optimizer)
    model = nx.Model(
        with_activations(recording, dense, nx.ReLU, last),
        loss=loss,
        optimizer=unit(
            recording.learning_rate, decay=recording.decay, **recording.settings
        ),
        metrics="accuracy",
        backend=be,
    )
    steps = Steps()
    history = model.fit(
        X,
        y,
        epochs=recording.epochs,
        batch_size=recording.batch_size,
        shuffle=False,
        callbacks=steps,
    )
    return steps.figures, history.epochs, dense


WAYS: dict[str, Callable[..., Any]] = {
    "typed": typed,
    "book's Model": in_the_books_model,
    "own Model": in_the_own_model,
}
CASES = [("numpy", name, way) for name in RECORDINGS for way in WAYS]
CASES += [
    pytest.param("jax", *names, marks=pytest.mark.slow)
    for names in (
        ("sgd-momentum", "typed"),
        ("adam", "typed"),
        ("rmsprop", "book's Model"),
        ("digits", "book's Model"),
    )
]


def assert_equal_figures(found, wanted, what):
    """Compare every figure that is there, of every step or epoch."""
    assert len(found) == len(wanted)
    names = [name for name in FIGURES if name in found[0]]
    assert {"loss", "accuracy", "learning_rate"} <= set(names)
    for name in names:
        np.testing.assert_allclose(
            [figures[name] for figures in found],
            [figures[name] for figures in wanted],
            rtol=0,
            atol=TOLERANCE,
            err_msg=f"{name} of each {what}",
        )


def largest_difference(dense, layers):
    return max(
        float(np.max(np.abs(to_numpy(getattr(own, name)) - layer[name])))
        for own, layer in zip(dense, layers, strict=True)
        for name in ("weights", "biases")
    )


def assert_follows(found, wanted):
    steps, epochs, dense = found
    if steps is not None:
        assert_equal_figures(steps, wanted[0], "step")
    if epochs is not None:
        assert_equal_figures(epochs, wanted[1], "epoch")
    assert largest_difference(dense, wanted[2]) < TOLERANCE


def begin(backend_name):
    """Begin a program in float64, with seed 0."""
    backend = backend_or_skip(backend_name, "float64")
    nnfs.init(default_dtype="float64", backend=backend)


@pytest.mark.parametrize(("backend_name", "name", "way"), CASES)
def test_training_is_followed(backend_name, name, way):
    recording = RECORDINGS[name]
    begin(backend_name)
    assert_follows(WAYS[way](recording), expected_of(name))
    steps = len(expected_of(name)[0])
    assert recording.lost_after is None or steps < recording.lost_after


@pytest.mark.parametrize("way", WAYS)
def test_l1_gradient_at_0_is_the_books_where_it_is_asked_for(way):
    begin("numpy")
    exact = WAYS[way](RECORDINGS["digits"])
    begin("numpy")
    books = WAYS[way](RECORDINGS["digits"], mode="book")
    assert_follows(exact, expected_of("digits", 0.0))
    assert_follows(books, expected_of("digits", 1.0))
    # All biases begin at 0, so the two are not the same training.
    assert largest_difference(books[2], expected_of("digits", 0.0)[2]) > 1e-3


def test_without_init_a_program_computes_in_float64_as_numpy_does(monkeypatch):
    monkeypatch.delenv("NNFS_XP_BACKEND", raising=False)
    np.random.seed(0)  # noqa: NPY002
    assert_follows(typed(RECORDINGS["adam"]), expected_of("adam"))


def test_after_init_a_program_computes_in_float32():
    begin("numpy")
    nnfs.init(backend="numpy")
    steps, _, dense = typed(RECORDINGS["adam"])
    assert dense[0].weights.dtype == np.float32
    # It begins with seven digits instead of sixteen, and loses them as fast.
    wanted = [figures["loss"] for figures in expected_of("adam")[0][:20]]
    found = [figures["loss"] for figures in steps[:20]]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-3)


def test_model_prints_what_the_book_prints(capsys):
    """Steps and epochs with all their digits, the rate with twelve of its 16."""
    recording, every = dataclasses.replace(RECORDINGS["digits"], epochs=2), 5
    steps, epochs, layers = expected(recording)
    begin("numpy")
    model = nnfs.Model()
    dense = book_layers(recording)
    for layer in with_activations(recording, dense, nnfs.Activation_ReLU, LAST):
        model.add(layer)
    model.set(
        loss=book_loss(recording),
        optimizer=book_optimizer(recording),
        accuracy=nnfs.Accuracy_Categorical(),
    )
    model.finalize()
    X, y = digits()
    held = X[:300], y[:300]
    model.train(X, y, epochs=2, batch_size=128, print_every=every)
    model.evaluate(*held, batch_size=128)

    def line(name, figures):
        return (
            f"{name}, acc: {figures['accuracy']:.3f}, loss: {figures['loss']:.3f} "
            f"(data_loss: {figures['data_loss']:.3f}, "
            f"reg_loss: {figures['regularization_loss']:.3f}), "
            f"lr: {figures['learning_rate']:.12f}"
        )

    wanted, count = [], len(steps) // 2
    for epoch in range(2):
        wanted.append(f"epoch: {epoch + 1}")
        for step in range(count):
            if step % every == 0 or step == count - 1:
                wanted.append(line(f"step: {step}", steps[epoch * count + step]))
        wanted.append(line("training", epochs[epoch]))
    hits = reference.categorical_hits
    figures = reference.evaluate(layers, *held, reference.classify, hits, 128)
    wanted.append(
        f"validation, acc: {figures['accuracy']:.3f}, loss: {figures['loss']:.3f}"
    )
    printed = []
    for text in capsys.readouterr().out.splitlines():
        before, separator, rate = text.partition("lr: ")
        printed.append(before + (f"lr: {float(rate):.12f}" if separator else ""))
    assert printed == wanted
