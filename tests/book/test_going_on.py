"""Steps by hand and steps of a model go on from each other, as in the book."""

import copy

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import data, to_numpy
from tests.book import own

OPTIMIZERS = {
    "sgd": lambda: nnfs.Optimizer_SGD(0.5, decay=1e-2, momentum=0.9),
    "adagrad": lambda: nnfs.Optimizer_Adagrad(0.5, decay=1e-2),
    "rmsprop": lambda: nnfs.Optimizer_RMSprop(0.02, decay=1e-2),
    "adam": lambda: nnfs.Optimizer_Adam(0.05, decay=1e-2),
}
STEPS = 3


def made(optimizer):
    np.random.seed(0)  # noqa: NPY002 - the book's generator
    layers = [nnfs.Layer_Dense(2, 8), nnfs.Activation_ReLU(), nnfs.Layer_Dense(8, 3)]
    model = nnfs.Model([*layers, nnfs.Activation_Softmax()])
    model.set(
        loss=nnfs.Loss_CategoricalCrossentropy(),
        optimizer=optimizer,
        accuracy=nnfs.Accuracy_Categorical(),
    )
    model.finalize()
    return model


def by_hand(model, X, y, steps=STEPS):
    for _ in range(steps):
        model.backward(model.forward(X, training=True), y)
        model.optimizer.pre_update_params()
        for layer in model.trainable_layers:
            model.optimizer.update_params(layer)
        model.optimizer.post_update_params()


def by_model(model, X, y, steps=STEPS):
    model.train(X, y, epochs=steps, print_every=None)


def by_fit(model, X, y, steps=STEPS):
    model.fit(X, y, epochs=steps, batch_size=None)


def values_of(model):
    return np.concatenate([to_numpy(v).ravel() for v in model.parameters.values()])


ORDERS = [
    (by_hand, by_model),
    (by_model, by_hand),
    (by_model, by_hand, by_model, by_hand),
    (by_fit, by_hand, by_fit),
]


def check(name, order):
    X, y = data.spiral_data(20, 3)
    alone, shared = made(OPTIMIZERS[name]()), made(OPTIMIZERS[name]())
    by_hand(alone, X, y, STEPS * len(order))
    for part in order:
        part(shared, X, y)
    np.testing.assert_allclose(values_of(shared), values_of(alone), rtol=1e-9)
    mine, books = shared.optimizer, alone.optimizer
    assert mine.iterations == books.iterations
    assert mine.current_learning_rate == books.current_learning_rate


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "order", ORDERS, ids=lambda order: "-".join(part.__name__ for part in order)
)
def test_caches_and_counts_are_shared(name, order, capsys):
    nnfs.init(default_dtype="float64", backend="numpy")
    check(name, order)


def test_caches_are_shared_on_every_backend(backend64, capsys):
    nnfs.init(default_dtype="float64", backend=backend64)
    check("adam", ORDERS[2])


def test_a_copy_goes_on_as_well(capsys):
    nnfs.init(default_dtype="float64", backend="numpy")
    X, y = data.spiral_data(20, 3)
    model = made(OPTIMIZERS["adam"]())
    by_model(model, X, y)
    by_hand(model, X, y)
    other = copy.deepcopy(model)
    for each in (model, other):
        by_model(each, X, y)
    np.testing.assert_array_equal(values_of(model), values_of(other))


def test_the_books_loop_and_the_engine_go_on_from_each_other(capsys):
    """A unit of one's own comes, and goes."""
    nnfs.init(default_dtype="float64", backend="numpy")
    X, y = data.spiral_data(20, 3)
    alone, model = (made(OPTIMIZERS["adam"]()) for _ in range(2))
    by_model(alone, X, y, 3 * STEPS)
    by_model(model, X, y)
    model.set(accuracy=own.Accuracy_Wrong())
    assert model.executor_note.startswith("object by object")
    by_model(model, X, y)
    model.set(accuracy=nnfs.Accuracy_Categorical())
    assert model.executor_note.startswith("recorded")
    by_model(model, X, y)
    np.testing.assert_allclose(values_of(model), values_of(alone), rtol=1e-9)
    assert model.optimizer.iterations == 3 * STEPS


def test_iterations_may_be_set(capsys):
    nnfs.init(backend="numpy")
    X, y = data.spiral_data(20, 3)
    model = made(nnfs.Optimizer_SGD(1.0, decay=1.0))
    rates = []
    for _ in range(2):
        history = model.train(X, y, epochs=2, print_every=None)
        rates += history["learning_rate"]
        model.optimizer.iterations = 0
    assert rates == [1.0, 0.5, 1.0, 0.5]
    # Another model, too, goes on counting where the optimizer was.
    model.optimizer.iterations = 3
    history = made(model.optimizer).train(X, y, print_every=None)
    assert history["learning_rate"] == [0.25]

    class Again(nx.Callback):
        def on_epoch_end(self, record):
            model.train(X, y)

    model.optimizer.iterations = 3
    with pytest.raises(nx.InputError, match="while fit runs"):
        model.fit(X, y, epochs=3, callbacks=Again())
    assert model.optimizer.iterations == 4
    model.optimizer.iterations = -1
    with pytest.raises(nx.InputError, match="step must be"):
        model.train(X, y)


@pytest.mark.parametrize("train", [by_hand, by_model])
def test_a_current_rate_set_by_hand_holds_without_a_decay(train, capsys):
    """So it does in the book, until there is another one."""
    nnfs.init(default_dtype="float64", backend="numpy")
    X, y = data.spiral_data(20, 3)
    model, usual = made(nnfs.Optimizer_SGD(1.0)), made(nnfs.Optimizer_SGD(0.25))
    optimizer = model.optimizer
    optimizer.current_learning_rate = 0.25
    train(model, X, y)
    train(usual, X, y)
    np.testing.assert_array_equal(values_of(model), values_of(usual))
    assert (optimizer.current_learning_rate, optimizer.learning_rate) == (0.25, 1.0)
    optimizer.learning_rate = 0.5
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == 0.5
    decaying = nnfs.Optimizer_SGD(1.0, decay=1.0)
    decaying.iterations, decaying.current_learning_rate = 1, 0.25
    decaying.pre_update_params()
    assert decaying.current_learning_rate == 0.5


def test_weights_are_set_in_a_constructor(backend, capsys):
    """As a reader writes another initialization."""

    class Layer_He(nnfs.Layer_Dense):
        def __init__(self, n_inputs, n_neurons):
            super().__init__(n_inputs, n_neurons)
            self.weights *= 100 * float(np.sqrt(2 / n_inputs))
            self.biases = np.full((1, n_neurons), 0.5)

    nnfs.init(default_dtype=backend.dtype_name, backend=backend)
    drawn = np.random.RandomState(0).randn(2, 3).astype(backend.dtype_name)
    layer = Layer_He(2, 3)
    model = nnfs.Model([layer])
    for values in (layer.weights, model.parameters["0.weights"]):
        np.testing.assert_allclose(to_numpy(values), drawn, rtol=1e-5)
    x = np.eye(2, dtype=backend.dtype_name)
    for output in (layer.forward(x), model.predict(x)):
        np.testing.assert_allclose(to_numpy(output), drawn + 0.5, rtol=1e-5)


def test_host_arrays_go_with_those_of_the_backend(backend, capsys):
    """Lines of NumPy may return its own arrays, such as one-hot rows."""
    nnfs.init(default_dtype=backend.dtype_name, backend=backend)
    X, y = nnfs.spiral_data(20, 3)
    rows = np.eye(3, dtype=backend.dtype_name)[to_numpy(y)]
    found = []
    for data_of in ((X, backend.asarray(rows)), (X, rows), (to_numpy(X), y)):
        model = made(nnfs.Optimizer_SGD())
        history = model.train(*data_of, epochs=2, validation_data=data_of)
        figures = model.evaluate(*data_of)
        found.append((history["loss"], history["validation_accuracy"], figures["loss"]))
    np.testing.assert_allclose(np.hstack(found[1]), np.hstack(found[0]), rtol=1e-5)
    np.testing.assert_allclose(np.hstack(found[2]), np.hstack(found[0]), rtol=1e-5)
    dense = nnfs.Layer_Dense(2, 3)
    with pytest.raises(nx.InputError, match="call backward first"):
        nnfs.Optimizer_SGD().update_params(dense)
    dense.forward(X)
    dense.backward(np.ones((60, 3)))
    dense.dweights = np.clip(to_numpy(dense.dweights), -0.25, 0.25)
    before = to_numpy(dense.weights)
    nnfs.Optimizer_SGD().update_params(dense)
    steps = np.abs(to_numpy(dense.weights) - before)
    assert steps.max() == pytest.approx(0.25, rel=1e-5)


def test_a_constructor_may_leave_out_super_where_the_book_has_none(capsys):
    class Activation_Slope(nnfs.Activation_ReLU):
        def __init__(self, slope):
            self.slope = slope

        def forward(self, inputs, training=True):
            super().forward(inputs, training)
            self.output = np.where(inputs > 0, inputs, self.slope * inputs)

        def backward(self, dvalues):
            self.dinputs = np.where(self.inputs > 0, dvalues, self.slope * dvalues)

    class Loss_Scaled(nnfs.Loss_CategoricalCrossentropy):
        def __init__(self, factor):
            self.factor = factor

        def forward(self, y_pred, y_true):
            return self.factor * super().forward(y_pred, y_true)

    nnfs.init(default_dtype="float64", backend="numpy")
    X, y = data.spiral_data(20, 3)
    slope, loss = Activation_Slope(0.5), Loss_Scaled(3.0)
    model = nnfs.Model([nnfs.Layer_Dense(2, 3), slope, nnfs.Activation_Softmax()])
    model.set(loss=loss, accuracy=nnfs.Accuracy_Categorical())
    logits = model.layers[0].forward(X)
    logits = np.where(logits > 0, logits, 0.5 * logits)
    output = nnfs.Activation_Softmax().forward(logits)
    usual = nnfs.Loss_CategoricalCrossentropy().calculate(output, y)
    assert model.evaluate(X, y)["loss"] == pytest.approx(3 * usual, rel=1e-14)
    with pytest.raises(nx.InputError, match=r"Layer_None must call super\(\).__init__"):
        type("Layer_None", (nnfs.Layer_Dense,), {"__init__": lambda self: None})()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: nnfs.Layer_Dense(2, 3), "weight_regularizer_l2"),
        (lambda: nnfs.Layer_Dense(2, 3), "n_inputs"),
        (lambda: nnfs.Layer_Dropout(0.5), "rate"),
        (lambda: nnfs.Optimizer_SGD(), "momentum"),
    ],
)
def test_what_is_fixed_says_so(make, name):
    unit = make()
    with pytest.raises(nx.FixedSettingError, match=f"{name} of .* make a new"):
        setattr(unit, name, 1.0)


def test_sums_of_nothing_are_refused():
    for unit in (nnfs.Loss_MeanSquaredError(), nnfs.Accuracy_Categorical()):
        unit.new_pass()
        with pytest.raises(nx.InputError, match="a call of calculate first"):
            unit.calculate_accumulated()
