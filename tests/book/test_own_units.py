"""What a reader of the book writes is used as it is written."""

import copy
import pickle

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import to_numpy
from nnfs_xp.backends import library_of
from tests.book import own
from tests.book.by_hand import ByHand
from tests.book.helpers import network


def classifier(*middle, last=nnfs.Activation_Softmax, first=None):
    return lambda: (
        [
            (first or nnfs.Layer_Dense)(2, 8),
            *(make() for make in middle),
            nnfs.Layer_Dense(8, 3, weight_regularizer_l2=1e-3),
            last(),
        ],
        nnfs.Loss_CategoricalCrossentropy(),
        nnfs.Optimizer_Adam(0.05, decay=1e-2),
        nnfs.Accuracy_Categorical(),
    )


def regression(loss=None, optimizer=None, accuracy=None, layers=()):
    return lambda: (
        [
            nnfs.Layer_Dense(2, 4, weight_regularizer_l1=1e-3),
            *(make() for make in layers),
            nnfs.Layer_Dense(4, 2),
            nnfs.Activation_Linear(),
        ],
        (loss or nnfs.Loss_MeanSquaredError)(),
        (optimizer or nnfs.Optimizer_SGD)(),
        (accuracy or nnfs.Accuracy_Regression)(),
    )


COMBINED = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy
# Layers, loss, optimizer and accuracy, what the model says of them, and the object that
# the book takes for softmax and loss together.
FORMS = {
    "activation from nothing": (
        classifier(own.Activation_Tanh), "Activation_Tanh is", COMBINED
    ),
    "activation derived": (
        classifier(own.Activation_Leaky), "Activation_Leaky is", COMBINED
    ),
    "dropout that counts": (
        classifier(nnfs.Activation_ReLU, lambda: own.Layer_Counting(0.25)),
        "Layer_Counting is",
        COMBINED,
    ),
    "dropout with its own mask": (
        classifier(nnfs.Activation_ReLU, lambda: own.Layer_Alternating(0.25)),
        "Layer_Alternating is",
        COMBINED,
    ),
    "dense with its own forward": (
        classifier(nnfs.Activation_ReLU, first=own.Layer_Typed),
        "Layer_Typed is",
        COMBINED,
    ),
    "dense from nothing": (
        classifier(own.Activation_Tanh, first=own.Layer_Affine),
        "Layer_Affine is your own class, Activation_Tanh is",
        COMBINED,
    ),
    "another softmax": (
        classifier(nnfs.Activation_ReLU, last=own.Activation_Sharp),
        "Activation_Sharp is",
        None,
    ),
    "other predictions": (
        classifier(nnfs.Activation_ReLU, last=own.Activation_Second),
        "Activation_Second is",
        None,
    ),
    "loss from the base": (
        regression(loss=own.Loss_Quartic), "Loss_Quartic is", None
    ),
    "loss derived": (regression(loss=own.Loss_Hundred), "Loss_Hundred is", None),
    "penalty of chapter 14": (
        regression(loss=own.Loss_Weighty), "Loss_Weighty is", None
    ),
    "optimizer from nothing": (
        regression(optimizer=own.Optimizer_Momentum), "Optimizer_Momentum is", None
    ),
    "a parameter of its own": (
        regression(optimizer=own.Optimizer_Momentum, layers=[own.Layer_Gain]),
        "Layer_Gain is your own class, Optimizer_Momentum is",
        None,
    ),
    "the library's optimizer and a layer from nothing": (
        regression(optimizer=nnfs.Optimizer_Adam, layers=[own.Layer_Gain]),
        "Layer_Gain is",
        None,
    ),
    "optimizer derived": (
        regression(optimizer=own.Optimizer_WarmUp), "Optimizer_WarmUp is", None
    ),
    "accuracy from the base": (
        regression(accuracy=own.Accuracy_Near), "Accuracy_Near is", None
    ),
}  # fmt: skip


def data(task):
    points, labels = nnfs.spiral_data(10, 3)
    other, other_labels = nnfs.spiral_data(8, 3)
    if task == "labels":
        return points, labels, other, other_labels
    return points, np.sin(points), other, np.sin(other)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", FORMS)
def test_a_model_does_what_the_calls_by_hand_do(form, dtype, capsys):
    """To the bit: prints, parameters, outputs, figures."""
    make, note, combined = FORMS[form]
    units, found = [], []
    for _ in range(2):
        nnfs.init(backend="numpy", default_dtype=dtype)
        made = make()
        kind = "values" if made[0][-1].__class__ is nnfs.Activation_Linear else "labels"
        units.append(made)
        given = data(kind)
    X, y, X_val, y_val = given
    plan = {
        "epochs": 3, "batch_size": 12, "print_every": 2,
        "validation_data": (X_val, y_val),
    }  # fmt: skip

    layers, loss, optimizer, accuracy = units[0]
    hand = ByHand(layers, loss, optimizer, accuracy, combined and combined())
    capsys.readouterr()
    hand.train(X, y, **plan)
    figures = hand.evaluate(X, y, 7)
    wanted = capsys.readouterr().out, hand.predict(X, 7), figures

    layers, loss, optimizer, accuracy = units[1]
    model = nnfs.Model()
    for layer in layers:
        model.add(layer)
    model.set(loss=loss, optimizer=optimizer, accuracy=accuracy)
    model.finalize()
    assert model.executor_note == f"object by object ({note} your own class)"
    history = model.train(X, y, **plan)
    figures = model.evaluate(X, y, batch_size=7)
    found = capsys.readouterr().out, model.predict(X, batch_size=7), figures

    assert found[0] == wanted[0] and found[0].count("step: ") == 6
    np.testing.assert_array_equal(found[1], wanted[1])
    assert found[2]["loss"] == wanted[2]["loss"]
    assert np.float32(found[2]["accuracy"]) == np.float32(wanted[2]["accuracy"])
    for mine, theirs in zip(model.layers, hand.layers, strict=True):
        for name in ("weights", "biases", "power"):
            if hasattr(theirs, name):
                np.testing.assert_array_equal(
                    getattr(mine, name), getattr(theirs, name)
                )
        if isinstance(mine, own.Layer_Counting):
            assert (mine.trained, mine.used) == (theirs.trained, theirs.used)
            assert mine.trained == 9
    assert getattr(loss, "calls", 0) == getattr(hand.loss, "calls", 0)
    assert len(history) == 3 and history["epoch"] == [1, 2, 3]
    assert set(history.epochs[0]) == {
        "epoch", "loss", "data_loss", "regularization_loss", "accuracy", "seconds",
        "samples_per_second", "learning_rate", "validation_loss", "validation_accuracy",
    }  # fmt: skip
    assert history["learning_rate"][-1] == hand.optimizer.current_learning_rate
    assert model.epochs_trained == 3 and model.steps_trained == 9


@pytest.fixture
def on_numpy():
    nnfs.init(backend="numpy", default_dtype="float64")


def model_of(layers, loss=None, optimizer=None, accuracy=None):
    model = nnfs.Model()
    for layer in layers:
        model.add(layer)
    model.set(
        loss=loss or nnfs.Loss_MeanSquaredError(),
        optimizer=optimizer or nnfs.Optimizer_SGD(0.1),
        accuracy=accuracy or nnfs.Accuracy_Regression(),
    )
    model.finalize()
    return model


X = np.array([[1.0, -2.0], [3.0, 0.5], [-1.0, 0.25], [0.5, 4.0]])
Y = np.array([[1.0], [0.0], [-1.0], [2.0]])


# Methods that return, and nothing but the fewest of them.


class Layer_Returning:
    """The forward pass of chapters 2 to 14, which knows of no training."""

    def forward(self, inputs):
        self.given = inputs
        return inputs**2

    def backward(self, dvalues):
        return 2 * self.given * dvalues


class Loss_Bare:
    def forward(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2, axis=-1)

    def backward(self, dvalues, y_true):
        return 2 * (dvalues - y_true) / dvalues.size


class Loss_Calculating:
    def calculate(self, output, y):
        return np.mean(np.abs(output - y))

    def backward(self, dvalues, y_true):
        self.dinputs = np.sign(dvalues - y_true) / dvalues.size


class Optimizer_Bare:
    learning_rate = 0.25

    def update_params(self, layer):
        layer.weights -= self.learning_rate * layer.dweights
        layer.biases -= self.learning_rate * layer.dbiases


class Accuracy_Bare:
    def compare(self, predictions, y):
        return np.abs(predictions - y) < 0.5


class Accuracy_Calculating:
    def init(self, y):
        self.largest = np.max(y)

    def compare(self, predictions, y):
        return np.abs(predictions - y) < self.largest

    def calculate(self, predictions, y):
        return np.mean(self.compare(predictions, y)) / 4


@pytest.mark.usefixtures("on_numpy")
def test_the_fewest_methods_are_enough(capsys):
    dense = nnfs.Layer_Dense(2, 1)
    weights, biases = (values.copy() for values in dense.get_parameters())
    model = model_of(
        [Layer_Returning(), dense], Loss_Bare(), Optimizer_Bare(), Accuracy_Bare()
    )
    model.train(X, Y)
    output = X**2 @ weights + biases
    gradient = 2 * (output - Y) / 4
    np.testing.assert_array_equal(dense.weights, weights - 0.25 * ((X**2).T @ gradient))
    np.testing.assert_array_equal(
        dense.biases, biases - 0.25 * gradient.sum(axis=0, keepdims=True)
    )
    loss, hits = np.mean((output - Y) ** 2), np.mean(np.abs(output - Y) < 0.5)
    assert capsys.readouterr().out == (
        f"epoch: 1\n"
        f"step: 0, acc: {hits:.3f}, loss: {loss:.3f} "
        f"(data_loss: {loss:.3f}, reg_loss: 0.000), lr: 0.25\n"
        f"training, acc: {hits:.3f}, loss: {loss:.3f} "
        f"(data_loss: {loss:.3f}, reg_loss: 0.000), lr: 0.25\n"
    )
    output = model.predict(X)
    np.testing.assert_array_equal(output, X**2 @ dense.weights + dense.biases)
    assert model.evaluate(X, Y) == {
        "loss": np.sum(Loss_Bare().forward(output, Y)) / 4,
        "accuracy": np.mean(np.abs(output - Y) < 0.5),
    }


@pytest.mark.usefixtures("on_numpy")
def test_a_calculate_alone_is_what_is_reported(capsys):
    """Not the sums of the base, which know nothing of it."""

    class Loss_Doubled(nnfs.Loss_MeanSquaredError):
        def calculate(self, output, y, *, include_regularization=False):
            loss = 2 * super().calculate(output, y)
            return (
                (loss, self.regularization_loss()) if include_regularization else loss
            )

    for loss, factor in ((Loss_Doubled(), 2), (Loss_Calculating(), 1)):
        model = model_of(
            [nnfs.Layer_Dense(2, 1, weight_regularizer_l2=0.5)],
            loss,
            accuracy=Accuracy_Calculating(),
        )
        output = model.predict(X)
        error = np.abs(output - Y)
        each = factor * (error**2 if factor == 2 else error)
        penalty = 0.5 * np.sum(model.layers[0].weights ** 2)
        model.accuracy.init(Y)
        found = model.evaluate(X, Y)
        assert found["loss"] == np.mean(each)
        assert found["accuracy"] == np.mean(error < 2) / 4
        # Batches of 3 and of 1 count as much as they hold.
        parts = model.evaluate(X, Y, batch_size=3)
        assert parts["loss"] == pytest.approx(np.mean(each), rel=1e-15)
        assert parts["accuracy"] == pytest.approx(found["accuracy"], rel=1e-15)
        history = model.train(X, Y)
        assert history["data_loss"] == [np.mean(each)]
        assert history["regularization_loss"][0] != penalty  # after the step
        assert f"reg_loss: {penalty:.3f}" in capsys.readouterr().out


@pytest.mark.usefixtures("on_numpy")
def test_core_units_stand_beside_ones_own(capsys):
    """Those of the library have other methods than the loop calls."""
    labels = np.array([0, 1, 2, 1])
    kinds = {
        "own": lambda: [nx.Dense(2, 3, seed=3), own.Activation_Tanh(), nx.Softmax()],
        "core": lambda: [nx.Dense(2, 3, seed=3), nx.Tanh(), nx.Softmax()],
    }
    found = {}
    for kind, layers in kinds.items():
        model = nnfs.Model(
            layers(),
            loss=nx.CategoricalCrossEntropy(
                class_weight=[3, 1, 2], label_smoothing=0.1
            ),
            optimizer=nx.AdamW(0.05, decay=0.1),
            metrics=["accuracy", nx.F1()],
            dtype="float64",
        )
        history = model.train(X, labels, epochs=5, batch_size=3)
        found[kind] = history, model
    (own_history, model), (history, core) = found["own"], found["core"]
    assert model.executor_note.startswith("object by object")
    assert not core.executor_note.startswith("object by object")
    for name in ("loss", "accuracy", "f1", "learning_rate"):
        np.testing.assert_allclose(own_history[name], history[name], rtol=1e-12)
    for path, value in core.parameters.items():
        np.testing.assert_allclose(model.parameters[path], value, rtol=1e-11)
    mine, theirs = (m.evaluate(X, labels, batch_size=3) for m in (model, core))
    assert mine == pytest.approx(theirs, rel=1e-12)
    assert model.learning_rate == core.learning_rate == 0.05
    model.learning_rate = 0.5
    assert model.learning_rate == 0.5


@pytest.mark.usefixtures("on_numpy")
def test_penalties_of_ones_own_are_reported(capsys):
    """Of a loss that is given each layer, and of a layer with the book's factors."""
    dense, affine = nnfs.Layer_Dense(2, 2), own.Layer_Affine(2, 1)
    model = model_of([dense, affine], own.Loss_Weighty())
    history = model.train(X, Y)
    wanted = sum(0.01 * np.sum(np.abs(x.weights)) for x in (dense, affine))
    assert history["regularization_loss"] == [wanted]
    model = model_of([dense, own.Activation_Tanh(), affine])
    history = model.train(X, Y)
    wanted = 1e-2 * np.sum(affine.weights**2)
    assert history["regularization_loss"] == pytest.approx([wanted], rel=1e-15)
    assert history["loss"] == [
        history["data_loss"][0] + history["regularization_loss"][0]
    ]
    assert model.loss.regularization_loss(dense) == 0.0


@pytest.mark.usefixtures("on_numpy")
def test_a_loss_of_ones_own_needs_no_accuracy(capsys):
    class Loss_Tenfold(nnfs.Loss_MeanSquaredError):
        def forward(self, y_pred, y_true):
            return 10 * super().forward(y_pred, y_true)

    x = np.arange(12.0).reshape(6, 2)
    model = nnfs.Model()
    model.add(nnfs.Layer_Dense(2, 1))
    model.add(nnfs.Activation_Linear())
    model.set(loss=Loss_Tenfold(), optimizer=nnfs.Optimizer_SGD(1e-9))
    model.finalize()
    result = model.evaluate(x, x[:, :1])
    expected = 10 * np.mean((model.predict(x) - x[:, :1]) ** 2)
    np.testing.assert_allclose(result["loss"], expected, rtol=1e-5)
    capsys.readouterr()


def test_an_inherited_backward_is_that_of_the_original():
    """It does not ask a ``forward`` that calls nothing of the original."""

    class Loss_Other(nnfs.Loss_MeanSquaredError):
        def forward(self, y_pred, y_true):
            return np.abs(y_pred - y_true)[:, 0]

    loss, usual = Loss_Other(), nnfs.Loss_MeanSquaredError()
    np.testing.assert_array_equal(loss.backward(Y + 1, Y), usual.backward(Y + 1, Y))
    np.testing.assert_array_equal(loss.dinputs, usual.dinputs)
    loss.calculate(Y + 5, Y)
    np.testing.assert_array_equal(loss.backward(Y - 1, Y), usual.backward(Y - 1, Y))


# Where a method may also be put.


@pytest.mark.usefixtures("on_numpy")
def test_a_method_put_on_an_object_is_used_or_refused(monkeypatch, capsys):
    for unit in (
        nnfs.Activation_ReLU(), nnfs.Loss_MeanSquaredError(), nnfs.Optimizer_SGD()
    ):  # fmt: skip
        for name in ("forward", "backward", "update_params"):
            if hasattr(unit, name):
                with pytest.raises(nx.FixedSettingError, match="in a subclass"):
                    setattr(unit, name, print)
    # Accuracies are plain objects, and so are a reader's own.
    model = network()
    points, y = nnfs.spiral_data(10, 3)
    assert not model.executor_note.startswith("object")
    model.accuracy.compare = lambda predictions, targets: predictions == 2
    assert model.executor_note == (
        "object by object (Accuracy_Categorical is your own class)"
    )
    wanted = np.mean(np.argmax(model.predict(points), axis=1) == 2)
    assert model.evaluate(points, y)["accuracy"] == wanted
    layer = Layer_Returning()
    layer.forward = lambda inputs: 5 * inputs
    model = model_of([layer])
    np.testing.assert_array_equal(model.predict(X), 5 * X)
    # A function on the library's class is everyone's.
    model = network()
    before = model.predict(points)
    forward = nnfs.Activation_ReLU.forward

    def shifted(self, inputs, training=True):
        return forward(self, inputs, training) + 1.0

    monkeypatch.setattr(nnfs.Activation_ReLU, "forward", shifted)
    hidden = np.maximum(model.layers[0].forward(points), 0) + 1
    logits = model.layers[3].forward(hidden)
    np.testing.assert_array_equal(
        model.predict(points), model.layers[4].forward(logits)
    )
    assert not np.array_equal(model.predict(points), before)


@pytest.mark.usefixtures("on_numpy")
def test_an_input_layer_of_ones_own(capsys):
    dense = nnfs.Layer_Dense(2, 1)
    model = model_of([dense])
    assert type(model.input_layer) is nnfs.Layer_Input
    plain = model.predict(X)
    model.input_layer = own.Layer_Doubling()
    assert model.executor_note == "object by object (Layer_Doubling is your own class)"
    np.testing.assert_array_equal(model.predict(X), dense.forward(2 * X))
    assert not np.array_equal(model.predict(X), plain)
    # Or as the first of its layers.
    again = model_of([own.Layer_Doubling(), dense])
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    with pytest.raises(nx.InputError, match="layers must contain only layers"):
        model.input_layer = 3


@pytest.mark.usefixtures("on_numpy")
def test_a_model_of_ones_own(capsys):
    class Model_Shifted(nnfs.Model):
        def forward(self, X, training):
            return super().forward(X + 1, training)

    model = Model_Shifted([nnfs.Layer_Dense(2, 1)], loss="mean_squared_error")
    assert model.executor_note == "object by object (Model_Shifted is your own class)"
    np.testing.assert_array_equal(model.predict(X), model.layers[0].forward(X + 1))
    loss = model.evaluate(X, Y)["loss"]
    assert loss == nnfs.Loss_MeanSquaredError().calculate(model.predict(X), Y)


@pytest.mark.usefixtures("on_numpy")
def test_units_of_the_new_contract_run_in_the_engine(capsys):
    class Activation_Cube(nnfs.Activation_Linear):
        fwd, bwd = own.Cube.fwd, own.Cube.bwd

    for cube in (own.Cube(), Activation_Cube()):
        model = model_of([nnfs.Layer_Dense(2, 4), cube, nnfs.Layer_Dense(4, 1)])
        assert model.executor_note.startswith("recorded")
        np.testing.assert_array_equal(model.predict(X), model.forward(X, False))
        before = [values.copy() for values in model.layers[0].get_parameters()]
        model.forward(X, True)
        model.backward(model.layers[-1].output, Y)
        gradient = model.layers[0].dweights
        model.train(X, Y, print_every=None)
        np.testing.assert_allclose(
            model.layers[0].weights, before[0] - 0.1 * gradient, rtol=1e-13
        )


@pytest.mark.usefixtures("on_numpy")
def test_attributes_of_ones_own_may_change_where_nothing_is_compiled():
    class Layer_Kept(nnfs.Layer_Dense):
        def __init__(self):
            super().__init__(2, 1)
            self.calls = 0

    class Activation_Power(nnfs.Activation_Linear):
        def __init__(self, power):
            super().__init__()
            self.power = power

        def fwd(self, cx, x):
            return x**self.power, x

        def bwd(self, cx, x, dy):
            return self.power * x ** (self.power - 1) * dy

    class Activation_Typed(Activation_Power):
        def forward(self, inputs, training):
            self.power += 1
            return super().forward(inputs, training)

    layer, power, typed = Layer_Kept(), Activation_Power(2), Activation_Typed(1)
    layer.calls += 1
    with pytest.raises(nx.FixedSettingError, match="n_inputs"):
        layer.n_inputs = 3
    with pytest.raises(nx.FixedSettingError, match="power of Activation_Power"):
        power.power = 3
    np.testing.assert_array_equal(model_of([typed]).predict(X), X**2)
    assert typed.power == 2


@pytest.mark.usefixtures("on_numpy")
def test_softmax_with_another_forward_is_not_combined(capsys):
    """Neither in the loop nor in the engine, where its ``fwd`` is another."""

    class Activation_Flat(nnfs.Activation_Softmax):
        def fwd(self, cx, x):
            y, _ = super().fwd(cx, x)
            return 0.5 * y + 0.5 / x.shape[1], y

        def bwd(self, cx, y, dy):
            return 0.5 * super().bwd(cx, y, dy)

    labels = np.array([0, 1, 1, 0])
    model = model_of(
        [nnfs.Layer_Dense(2, 2), Activation_Flat()],
        nnfs.Loss_CategoricalCrossentropy(),
        accuracy=nnfs.Accuracy_Categorical(),
    )
    assert model.softmax_classifier_output is None
    output = model.forward(X, True)
    model.backward(output, labels)
    sharp = nx.Softmax(dtype="float64")
    p = sharp.forward(model.layers[0].output)
    np.testing.assert_allclose(output, 0.5 * p + 0.25, rtol=1e-15)
    dvalues = -np.eye(2)[labels] / output / 4
    np.testing.assert_allclose(
        model.layers[0].dinputs,
        sharp.backward(0.5 * dvalues) @ model.layers[0].weights.T,
        rtol=1e-12,
    )
    assert model.evaluate(X, labels)["loss"] == pytest.approx(
        np.mean(-np.log(output[np.arange(4), labels])), rel=1e-14
    )


# On every backend.


class Layer_Everywhere:
    """Written with what every array has."""

    def __init__(self, weights):
        self.weights = weights

    def forward(self, inputs, training):
        self.inputs = inputs
        self.output = inputs * self.weights

    def backward(self, dvalues):
        self.dweights = (dvalues * self.inputs)[:1, :]
        self.dinputs = dvalues * self.weights


def test_own_units_get_the_arrays_of_the_backend(backend, capsys):
    be = backend
    nnfs.init(default_dtype=be.dtype_name, backend=be)
    layer = Layer_Everywhere(be.asarray([[2.0, -1.0]], be.dtype))
    dense = nnfs.Layer_Dense(2, 1)
    model = model_of([layer, dense], optimizer=nnfs.Optimizer_Adam(0.05))
    old = to_numpy(layer.weights)
    given, y = X.astype(be.dtype_name), Y.astype(be.dtype_name)
    history = model.train(given, y, epochs=2, batch_size=3, validation_data=(given, y))
    assert library_of(layer.inputs) == library_of(layer.weights) == be.name
    assert layer.inputs.dtype == layer.dinputs.dtype == be.dtype
    output = model.predict(given, batch_size=3)
    assert library_of(output) == be.name
    wanted = dense.forward(be.asarray(X, be.dtype) * layer.weights)
    np.testing.assert_allclose(to_numpy(output), to_numpy(wanted), rtol=1e-6)
    assert np.all(np.abs(to_numpy(layer.weights) - old) > 0.01)
    assert history["validation_loss"][1] == pytest.approx(
        np.mean((to_numpy(output) - Y) ** 2), rel=1e-5
    )


# What goes with a model.


@pytest.mark.usefixtures("on_numpy")
def test_values_are_handed_around(tmp_path, capsys):
    def made():
        layers = [own.Layer_Affine(2, 3), own.Activation_Tanh(), nnfs.Layer_Dense(3, 1)]
        return model_of(layers)

    model = made()
    model.train(X, Y, epochs=2, print_every=None)
    assert list(model.parameters) == ["0.weights", "0.biases", "2.weights", "2.biases"]
    assert model.parameters["0.weights"] is model.layers[0].weights
    assert model.trainable_layers == [model.layers[0], model.layers[2]]
    wanted = model.predict(X)
    kept = model.get_parameters()
    assert [len(values) for values in kept] == [2, 2]
    model.save_parameters(tmp_path / "parameters")
    others = [made() for _ in range(3)]
    others[0].set_parameters(kept)
    others[1].load_parameters(tmp_path / "parameters")
    others[2].layers[0].weights = model.layers[0].weights.copy()
    for other in others[:2]:
        np.testing.assert_array_equal(other.predict(X), wanted)
        assert other.layers[0].weights is not model.layers[0].weights
    assert not np.array_equal(others[2].predict(X), wanted)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copied.predict(X), wanted)
        assert copied.layers[0] is not model.layers[0]
        copied.train(X, Y, print_every=None)
        assert not np.array_equal(copied.predict(X), wanted)
    np.testing.assert_array_equal(model.predict(X), wanted)
    shapes = "parameters must hold an entry for each of 2 layers"
    with pytest.raises(nx.InputError, match=shapes):
        model.set_parameters(kept[:1])
    with pytest.raises(nx.InputError, match=shapes):
        model.set_parameters([1.0, 2.0])
    with pytest.raises(nx.InputError, match=r"2\.weights must have shape"):
        model.set_parameters([tuple(2 * v for v in kept[0]), kept[0]])
    with pytest.raises(nx.FileFormatError, match=r"this model has no 0\.biases"):
        model_of([own.Activation_Tanh(), nnfs.Layer_Dense(2, 1)]).load_parameters(
            tmp_path / "parameters"
        )
    np.testing.assert_array_equal(model.predict(X), wanted)


@pytest.mark.usefixtures("on_numpy")
def test_copies_go_on_with_the_caches_of_their_layers(capsys):
    """Adam's moments belong to a layer, and so to its copy in a copy."""
    model = model_of(
        [nnfs.Layer_Dense(2, 3), own.Activation_Tanh(), nnfs.Layer_Dense(3, 1)],
        optimizer=nnfs.Optimizer_Adam(0.05),
    )
    model.train(X, Y, epochs=3, print_every=None)
    again = copy.deepcopy(model)
    for each in (model, again):
        each.train(X, Y, epochs=3, print_every=None)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


@pytest.mark.usefixtures("on_numpy")
def test_a_frozen_layer_stays_as_it_is(capsys):
    model = model_of(
        [own.Layer_Affine(2, 3), own.Layer_Affine(3, 2), nnfs.Layer_Dense(2, 1)]
    )
    model.layers[0].trainable = False
    model.layers[2].trainable = False
    before = [[v.copy() for v in layer] for layer in model.get_parameters()]
    model.finalize()
    model.train(X, Y, print_every=None)
    for number, (old, new) in enumerate(
        zip(before, model.get_parameters(), strict=True)
    ):
        for one, other in zip(old, new, strict=True):
            assert np.array_equal(one, other) == (number != 1)


@pytest.mark.usefixtures("on_numpy")
def test_a_model_changes_between_loop_and_engine(capsys):
    points, y = nnfs.spiral_data(10, 3)
    model = network()
    model.train(points, y, epochs=2, print_every=None)
    values = model.get_parameters()
    assert model.optimizer.iterations == 2
    model.set(accuracy=own.Accuracy_Wrong())
    assert model.executor_note.startswith("object by object (Accuracy_Wrong")
    for one, other in zip(values, model.get_parameters(), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
    assert model.optimizer.iterations == 2
    model.train(points, y, epochs=3, print_every=None)
    assert model.optimizer.iterations == 5 and model.epochs_trained == 5
    outputs = model.predict(points)
    model.accuracy = nnfs.Accuracy_Categorical()
    assert model.executor_note.startswith("recorded")
    np.testing.assert_array_equal(model.predict(points), outputs)
    model.train(points, y, print_every=None)
    assert model.optimizer.iterations == model.steps_trained == 6


@pytest.mark.usefixtures("on_numpy")
def test_set_takes_all_or_nothing(capsys):
    model = model_of([nnfs.Layer_Dense(2, 1)])
    before = model.loss, model.optimizer, model.accuracy, model.metrics
    for name in ("optimizer", "metrics"):
        with pytest.raises(nx.InputError, match=name):
            model.set(
                loss=own.Loss_Quartic(), accuracy=own.Accuracy_Near(), **{name: "none"}
            )
        assert (model.loss, model.optimizer, model.accuracy, model.metrics) == before
    # Metrics stand beside an accuracy of one's own.
    model.set(accuracy=own.Accuracy_Near(), metrics="r2")
    history = model.train(X, Y, print_every=None)
    assert type(model.accuracy) is own.Accuracy_Near
    assert {"accuracy", "r2"} <= set(history.epochs[0])


# What is refused.


@pytest.mark.usefixtures("on_numpy")
def test_nothing_is_written_of_what_cannot_be_made_again(tmp_path, capsys):
    path = tmp_path / "model"
    for layers, loss, optimizer, accuracy, name in (
        ([own.Activation_Tanh()], None, None, None, "Activation_Tanh"),
        ([own.Activation_Leaky()], None, None, None, "Activation_Leaky"),
        ([own.Cube()], None, None, None, "Cube"),
        ([], own.Loss_Quartic(), None, None, "Loss_Quartic"),
        ([], None, own.Optimizer_Momentum(), None, "Optimizer_Momentum"),
        ([], None, None, own.Accuracy_Near(), "Accuracy_Near"),
    ):
        model = model_of([nnfs.Layer_Dense(2, 1), *layers], loss, optimizer, accuracy)
        for write in (model.save, lambda _, model=model: model.config()):
            with pytest.raises(nx.InputError, match=name):
                write(path)
        assert not path.exists()
        path.write_bytes(b"kept")
        with pytest.raises(nx.InputError, match=name):
            model.save(path)
        assert path.read_bytes() == b"kept"
        path.unlink()


@pytest.mark.usefixtures("on_numpy")
def test_a_checkpoint_says_before_training_that_it_cannot_save(tmp_path):
    for kind in (nx.Model, nnfs.Model):
        model = kind(
            [nx.Dense(2, 1), own.Cube()],
            loss="mean_squared_error", optimizer="sgd", backend="numpy",
        )  # fmt: skip
        before = [values.copy() for values in model.get_parameters()[0]]
        keep = nx.Checkpoint(tmp_path / "never", every=100)
        with pytest.raises(nx.InputError, match="Cube must be registered"):
            model.fit(X, Y, callbacks=keep)
        assert model.steps_trained == 0
        for one, other in zip(before, model.get_parameters()[0], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("on_numpy")
def test_what_only_the_engine_does_is_refused():
    model = model_of([nnfs.Layer_Dense(2, 1), own.Activation_Tanh()])
    for call in (
        lambda: model.fit(X, Y),
        lambda: model.gradients(X, Y),
        lambda: model.summary(),
        lambda: model.activations(X),
    ):
        with pytest.raises(nx.InputError, match="units of your own.*Activation_Tanh"):
            call()
    with pytest.raises(nx.BackendUnavailableError, match="Activation_Tanh"):
        nnfs.Model([own.Activation_Tanh()], compile="require")
    model.train(X, Y, print_every=None)


class NoOutput(own.Activation_Tanh):
    def forward(self, inputs, training):
        pass


class NoGradient(own.Activation_Tanh):
    def backward(self, dvalues):
        pass


class Unmade(nnfs.Layer_Dense):
    def __init__(self):
        self.kept = 1


class OneNumber(nnfs.Loss_MeanSquaredError):
    def forward(self, y_pred, y_true):
        return 1.0


class NoWeightGradient(own.Layer_Affine):
    def backward(self, dvalues):
        self.dinputs = dvalues[:, :1] * np.ones((1, 2))


class NarrowGradient(own.Layer_Affine):
    def backward(self, dvalues):
        super().backward(dvalues)
        self.dbiases = self.dbiases[0]


class ListOfWeights(own.Layer_Affine):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.weights = self.weights.tolist()

    def backward(self, dvalues):
        self.dinputs = dvalues


@pytest.mark.usefixtures("on_numpy")
@pytest.mark.parametrize(
    ("layers", "loss", "message"),
    [
        ([ListOfWeights(2, 2, 0.0)], None, "weights of ListOfWeights must be an array"),
        ([NoOutput()], None, "forward of NoOutput must set .output"),
        ([NoGradient()], None, "backward of NoGradient must set .dinputs"),
        ([], OneNumber, "forward of OneNumber must return an array"),
        ([NoWeightGradient(2, 2)], None, "NoWeightGradient has no dweights"),
        ([NarrowGradient(2, 2)], None, "dbiases of NarrowGradient must have the shape"),
    ],
)
def test_what_a_unit_lacks_is_named(layers, loss, message):
    model = model_of([nnfs.Layer_Dense(2, 2), *layers], loss and loss())
    with pytest.raises(nx.InputError, match=message):
        model.train(X, np.sin(X))


@pytest.mark.usefixtures("on_numpy")
def test_what_is_no_unit_is_refused():
    model = model_of([nnfs.Layer_Dense(2, 1)])
    for add in (3, own.Activation_Tanh, object(), nnfs.Loss_MeanSquaredError()):
        with pytest.raises(nx.InputError, match="layers must contain only layers"):
            model.add(add)
    layer = own.Activation_Tanh()
    with pytest.raises(nx.InputError, match="each layer only once"):
        nnfs.Model([layer, layer])
    for name, values in {
        "loss": (object(), own.Loss_Quartic, nnfs.Loss()),
        "optimizer": (object(), own.Optimizer_Momentum),
        "accuracy": (object(), nnfs.Accuracy()),
    }.items():
        for value in values:
            before = getattr(model, name)
            with pytest.raises(nx.InputError):
                model.set(**{name: value})
            assert getattr(model, name) is before
    with pytest.raises(nx.InputError, match="the same argument"):
        model.set(accuracy="accuracy", metrics="accuracy")
    with pytest.raises(nx.InputError, match=r"super\(\).__init__"):
        Unmade()
    # Within a block of the library only its own contract is called.
    with pytest.raises(nx.InputError, match="Activation_Leaky overrides"):
        nnfs.Model([nx.Residual(own.Activation_Leaky())])
    with pytest.raises(nx.InputError, match="one entry for each of 4 samples, got 3"):
        model_of([own.Activation_Tanh()]).evaluate(X, X[:3])


# The library's own model calls no shell.

SHELLS = {
    "layers": (nx.Tanh, ["forward", "backward"]),
    "loss": (nx.MeanSquaredError, ["forward", "calculate", "backward"]),
    "optimizer": (
        nx.SGD,
        ["step", "pre_update_params", "update_params", "post_update_params"],
    ),
    "metrics": (nx.RegressionAccuracy, ["calculate", "update", "result", "compare"]),
}
INSTEAD = {
    "layers": "fwd|bwd", "loss": "fwd|bwd", "optimizer": "apply", "metrics": "batch"
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "method"),
    [(kind, method) for kind, (_, methods) in SHELLS.items() for method in methods],
)
def test_the_librarys_model_refuses_an_overridden_shell(kind, method):
    def mine(self, *arguments, **options):
        raise AssertionError("called")

    derived = type("Mine", (SHELLS[kind][0],), {method: mine})
    given = {
        "layers": [nx.Dense(2, 1), derived() if kind == "layers" else nx.Tanh()],
        "loss": nx.MeanSquaredError(),
        "optimizer": nx.SGD(),
        "metrics": [nx.RegressionAccuracy()],
    }
    if kind != "layers":
        given[kind] = [derived()] if kind == "metrics" else derived()
    message = f"Mine overrides {method}, .*override ({INSTEAD[kind]})"
    with pytest.raises(nx.InputError, match=message):
        nx.Model(**given)
    if kind == "layers":
        for block in (nx.Sequential([derived()]), nx.Residual(derived())):
            with pytest.raises(nx.InputError, match=message):
                nx.Model([nx.Dense(2, 1), block])
        return
    # Later too, and then nothing has changed.
    model = nx.Model([nx.Dense(2, 1)], loss="mean_squared_error", optimizer="sgd")
    before = getattr(model, kind)
    with pytest.raises(nx.InputError, match=message):
        model.set(**{kind: given[kind]})
    assert getattr(model, kind) is before


@pytest.mark.parametrize("unit", [own.Activation_Tanh(), own.Layer_Affine(2, 1)])
def test_the_librarys_model_refuses_what_inherits_nothing(unit):
    with pytest.raises(nx.InputError, match="layers must contain only layers"):
        nx.Model([unit])
