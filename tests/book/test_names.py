"""The book's units compute what the library's do, on every backend."""

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import data, to_numpy
from nnfs_xp.backends import backend_of, library_of
from tests.book.helpers import network, same

# On every backend.


@pytest.fixture
def be(backend):
    """Where a program of the book computes, after its first line."""
    nnfs.init(default_dtype=backend.dtype_name, backend=backend)
    return backend


def numbers(*shape):
    """Return numbers of the host, around 0, the same at every call."""
    return np.random.default_rng(1).normal(size=shape)


X = numbers(6, 4)
SLOPES = numbers(6, 4)[::-1].copy()
LABELS = np.array([0, 3, 1, 2, 2, 0])
PROBABILITIES = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)

LAYERS = {
    "Layer_Input": nx.Linear,
    "Activation_ReLU": nx.ReLU,
    "Activation_Softmax": nx.Softmax,
    "Activation_Sigmoid": nx.Sigmoid,
    "Activation_Linear": nx.Linear,
}


@pytest.mark.parametrize("name", LAYERS)
def test_activations_compute_what_the_librarys_do(be, name):
    book, own = getattr(nnfs, name)(), LAYERS[name](backend=be)
    x, slopes = be.asarray(X, be.dtype), be.asarray(SLOPES, be.dtype)
    same(book.forward(X), own.forward(x))
    same(book.backward(SLOPES), own.backward(slopes))
    same(book.inputs, x)
    same(book.output, own.output)
    same(book.dinputs, own.dinputs)


def test_dropout_computes_what_the_librarys_does(be):
    book = nnfs.Layer_Dropout(0.25)
    own = nx.Dropout(0.25, seed=book.seed, backend=be)
    x, slopes = be.asarray(X, be.dtype), be.asarray(SLOPES, be.dtype)
    for _ in range(2):
        same(book.forward(X), own.forward(x))
        same(book.backward(SLOPES), own.backward(slopes))
    same(book.binary_mask, own.binary_mask)
    # The book keeps the share that is kept.
    assert (book.rate, own.rate) == (0.75, 0.25)
    assert 0 in to_numpy(book.binary_mask)
    same(book.forward(X, training=False), x)
    same(book.forward(X, False), x)
    # The next one has masks of its own.
    assert nnfs.Layer_Dropout(0.25).seed != book.seed


@pytest.mark.parametrize("mode", ["exact", "book"])
def test_dense_computes_what_the_librarys_does(be, mode):
    factors = 0.1, 0.2, 0.3, 0.4
    book = nnfs.Layer_Dense(4, 4, *factors, regularizer_mode=mode)
    own = nx.Dense(
        4,
        4,
        weight_regularizer=nx.L1L2(0.1, 0.2, mode),
        bias_regularizer=nx.L1L2(0.3, 0.4, mode),
        backend=be,
    )
    own.weights, own.biases = book.get_parameters()
    x, slopes = be.asarray(X, be.dtype), be.asarray(SLOPES, be.dtype)
    same(book.forward(X), own.forward(x))
    same(book.backward(SLOPES), own.backward(slopes))
    for name in ("inputs", "output", "dinputs", "dweights", "dbiases", "weights"):
        same(getattr(book, name), getattr(own, name))
    assert book.weight_regularizer_l1 == 0.1 and book.weight_regularizer_l2 == 0.2
    assert book.bias_regularizer_l1 == 0.3 and book.bias_regularizer_l2 == 0.4
    penalties = nnfs.Loss().regularization_loss(book)
    assert float(penalties) == pytest.approx(
        sum(
            float(np.sum(l1 * np.abs(w) + l2 * w * w))
            for w, l1, l2 in zip(
                map(to_numpy, book.get_parameters()), (0.1, 0.3), (0.2, 0.4),
                strict=True,
            )
        ),
        rel=1e-5,
    )  # fmt: skip


def test_parameters_of_the_host_are_moved(be):
    layer = nnfs.Layer_Dense(4, 3)
    layer.set_parameters(numbers(4, 3), [[1, 2, 3]])
    weights, biases = layer.get_parameters()
    same(weights, be.asarray(numbers(4, 3), be.dtype))
    same(biases, be.asarray([[1.0, 2.0, 3.0]], be.dtype))
    layer.weights = to_numpy(weights) * 2.0
    same(layer.weights, be.asarray(2.0 * numbers(4, 3), be.dtype))


LOSSES = {
    "Loss_CategoricalCrossentropy": (
        lambda be: nx.CategoricalCrossEntropy(mode="book", backend=be),
        PROBABILITIES,
        LABELS,
    ),
    "Loss_CategoricalCrossEntropy": (
        lambda be: nx.CategoricalCrossEntropy(mode="book", backend=be),
        PROBABILITIES,
        np.eye(4)[LABELS],
    ),
    "Loss_BinaryCrossentropy": (
        lambda be: nx.BinaryCrossEntropy(mode="book", backend=be),
        PROBABILITIES,
        np.eye(4, dtype=np.uint8)[LABELS],
    ),
    "Loss_MeanSquaredError": (lambda be: nx.MeanSquaredError(backend=be), X, SLOPES),
    "Loss_MeanAbsoluteError": (lambda be: nx.MeanAbsoluteError(backend=be), X, SLOPES),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_compute_what_the_librarys_do(be, name):
    make, y_pred, y_true = LOSSES[name]
    book, own = getattr(nnfs, name)(), make(be)
    given = be.asarray(y_pred, be.dtype), be.asarray(y_true)
    same(book.forward(y_pred, y_true), own.forward(*given))
    same(book.calculate(y_pred, y_true), own.calculate(*given))
    same(book.backward(y_pred, y_true), own.backward(*given))
    same(book.dinputs, own.dinputs)
    # One call of calculate so far, and another batch of another size.
    book.calculate(y_pred[:2], y_true[:2])
    assert book.accumulated_count == 8
    losses = to_numpy(book.forward(y_pred, y_true))
    mean = (losses.sum() + losses[:2].sum()) / 8
    assert float(book.calculate_accumulated()) == pytest.approx(mean, rel=1e-5)
    assert float(book.accumulated_sum) == pytest.approx(8 * mean, rel=1e-5)
    book.new_pass()
    assert (book.accumulated_sum, book.accumulated_count) == (0.0, 0)


@pytest.mark.parametrize("y", [LABELS, np.eye(4)[LABELS]], ids=["labels", "rows"])
def test_softmax_and_loss_in_one_are_the_two(be, y):
    both = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
    softmax = nx.Softmax(backend=be)
    loss = nx.CategoricalCrossEntropy(mode="book", backend=be)
    x, targets = be.asarray(X, be.dtype), be.asarray(y)
    same(both.forward(X, y), loss.calculate(softmax.forward(x), targets))
    same(both.output, softmax.output)
    assert both.backward(both.output, y) is both.dinputs
    combined = nx.SoftmaxCrossEntropy(backend=be).backward(x, targets)
    close = {"float64": 1e-15, "float32": 1e-7}[be.dtype_name]
    np.testing.assert_allclose(to_numpy(both.dinputs), to_numpy(combined), atol=close)
    assert isinstance(both.activation, nnfs.Activation_Softmax)
    assert isinstance(both.loss, nnfs.Loss_CategoricalCrossentropy)


OPTIMIZERS = {
    "SGD": (0.5, 1e-2, 0.9),
    "Adagrad": (0.5, 1e-2, 1e-6),
    "RMSprop": (0.02, 1e-2, 1e-6, 0.99),
    "Adam": (0.05, 1e-2, 1e-6, 0.8, 0.99),
}
ARGUMENTS = {
    "SGD": ("learning_rate", "decay", "momentum"),
    "Adagrad": ("learning_rate", "decay", "epsilon"),
    "RMSprop": ("learning_rate", "decay", "epsilon", "rho"),
    "Adam": ("learning_rate", "decay", "epsilon", "beta_1", "beta_2"),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_compute_what_the_librarys_do(be, name):
    given = dict(zip(ARGUMENTS[name], OPTIMIZERS[name], strict=True))
    book = getattr(nnfs, f"Optimizer_{name}")(*OPTIMIZERS[name])
    own = getattr(nx, name)(**given)
    for argument, value in given.items():
        assert getattr(book, argument) == value
    layer, other = nnfs.Layer_Dense(4, 4), nx.Dense(4, 4, backend=be)
    other.weights, other.biases = layer.get_parameters()
    for step in range(3):
        for trained in (layer, other):
            trained.forward(be.asarray(X + step, be.dtype))
            trained.backward(be.asarray(SLOPES, be.dtype))
        assert book.iterations == own.iterations == step
        book.pre_update_params()
        assert book.current_learning_rate == given["learning_rate"] / (1 + 1e-2 * step)
        book.update_params(layer)
        book.post_update_params()
        own.step(other)
        same(layer.weights, other.weights)
        same(layer.biases, other.biases)


GUESSES = PROBABILITIES.argmax(axis=1)
# Two of six are not what was guessed.
TRUTH = (GUESSES + np.array([0, 0, 1, 0, 3, 0])) % 4
ACCURACIES = {
    "classes": (
        nnfs.Accuracy_Categorical, {}, GUESSES, TRUTH,
        lambda be: nx.Accuracy(backend=be), PROBABILITIES,
    ),
    "rows": (
        nnfs.Accuracy_Categorical, {}, GUESSES,
        np.eye(4, dtype=int)[TRUTH],
        lambda be: nx.Accuracy(backend=be), PROBABILITIES,
    ),
    "binary": (
        nnfs.Accuracy_Categorical, {"binary": True}, (PROBABILITIES > 0.5) * 1,
        np.eye(4, dtype=int)[TRUTH],
        lambda be: nx.BinaryAccuracy(backend=be), PROBABILITIES,
    ),
    "values": (
        nnfs.Accuracy_Regression, {}, X, X + 6e-3 * SLOPES,
        lambda be: nx.RegressionAccuracy(backend=be), X,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCURACIES)
def test_accuracies_compute_what_the_librarys_do(be, case):
    unit, options, predictions, y, make, scores = ACCURACIES[case]
    book, own = unit(**options), make(be)
    book.init(y)
    if case == "values":
        precision = book.precision
        assert precision == pytest.approx(np.std(y) / 250, rel=1e-5)
        book.init(100 * y)
        assert book.precision == precision
        book.init(100 * y, reinit=True)
        assert book.precision == pytest.approx(100 * precision, rel=1e-5)
        book.init(y, reinit=True)
    wanted = own.calculate(be.asarray(scores, be.dtype), be.asarray(y))
    assert 0 < float(wanted) < 1
    same(book.calculate(predictions, y), wanted)
    book.calculate(predictions[:2], y[:2])
    hits = to_numpy(book.compare(predictions, y))
    share = (hits.sum() + hits[:2].sum()) / (hits.size + hits[:2].size)
    assert float(book.calculate_accumulated()) == pytest.approx(share)
    assert book.accumulated_count == hits.size + hits[:2].size
    assert int(book.accumulated_sum) == hits.sum() + hits[:2].sum()
    book.new_pass()
    assert (book.accumulated_sum, book.accumulated_count) == (0, 0)


def test_model_computes_what_the_librarys_does(be, capsys):
    # On JAX a step is compiled; that its figures are the same, others test.
    model = network(compile="off")
    model.finalize()
    points, y = data.spiral_data(20, 3)
    first, _, dropout, second, _ = model.layers
    own = nx.Model(
        [
            nx.Dense(2, 8, weight_regularizer=nx.L2(1e-3)),
            nx.ReLU(),
            nx.Dropout(0.1, seed=dropout.seed),
            nx.Dense(8, 3),
            nx.Softmax(),
        ],
        loss=nx.CategoricalCrossEntropy(mode="book"),
        optimizer=nx.Adam(0.05, decay=1e-3),
        metrics="accuracy",
        backend=be,
        compile="off",
    )
    own.set_parameters(model.get_parameters())
    found = model.train(points, y, epochs=2, batch_size=25)
    wanted = own.fit(points, y, epochs=2, batch_size=25, shuffle=False)
    for figure in ("loss", "accuracy", "regularization_loss", "learning_rate"):
        assert found[figure] == wanted[figure]
    for name, array in model.parameters.items():
        same(array, own.parameters[name])
    same(model.predict(points), own.predict(points))
    figures = model.evaluate(points, y, batch_size=None)
    assert figures == own.evaluate(points, y, batch_size=None)
    assert capsys.readouterr().out.count("epoch: ") == 2

    assert isinstance(model.input_layer, nnfs.Layer_Input)
    assert model.trainable_layers == [first, second]
    assert model.loss.trainable_layers == [first, second]
    assert model.output_layer_activation is model.layers[-1]
    assert isinstance(model.accuracy, nnfs.Accuracy_Categorical)
    assert model.optimizer.iterations == 6
    assert model.optimizer.current_learning_rate == 0.05 / (1 + 1e-3 * 5)
    data_loss, penalties = model.loss.calculate(
        model.predict(points), y, include_regularization=True
    )
    assert float(data_loss) == pytest.approx(figures["loss"], rel=1e-5)
    wanted_penalty = 1e-3 * np.sum(to_numpy(first.weights) ** 2)
    assert float(penalties) == pytest.approx(wanted_penalty, rel=1e-5)


def test_models_forward_and_backward_are_those_of_its_layers(be):
    """A step by hand through the model, as its own training loop has it."""
    model = network(compile="off")
    model.finalize()
    points, y = data.spiral_data(20, 3)
    output = model.forward(points, training=True)
    same(output, model.layers[-1].output)
    model.backward(output, y)
    # The same, layer by layer.
    both = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
    dvalues = both.backward(output, y)
    same(model.layers[-1].dinputs, dvalues)
    for layer in reversed(model.layers[:-1]):
        given = layer.dinputs
        dvalues = layer.backward(dvalues)
        same(given, dvalues)
    before = [to_numpy(values) for values in model.layers[0].get_parameters()]
    model.optimizer.pre_update_params()
    for layer in model.trainable_layers:
        model.optimizer.update_params(layer)
    model.optimizer.post_update_params()
    # The first step of Adam is the learning rate, against the gradient.
    for values, old, name in zip(
        model.layers[0].get_parameters(), before, ("dweights", "dbiases"), strict=True
    ):
        gradient = to_numpy(getattr(model.layers[0], name))
        moved = np.abs(gradient) > 1e-4
        assert moved.any()
        np.testing.assert_allclose(
            (to_numpy(values) - old)[moved],
            -0.05 * np.sign(gradient)[moved],
            rtol=2e-3,
        )


def test_data_comes_to_the_backend_in_its_precision(be):
    for X, y in (
        nnfs.spiral_data(samples=5, classes=3),
        nnfs.vertical_data(samples=5, classes=3),
        nnfs.sine_data(samples=15),
    ):
        assert library_of(X) == library_of(y) == be.name
        assert X.shape[0] == y.shape[0] == 15
        # On NumPy the sine is float64, as in the book.
        assert be.name == "numpy" or backend_of(X) == be


def test_flags_are_flags():
    """A string such as "False" would be true."""
    loss, accuracy = nnfs.Loss_MeanSquaredError(), nnfs.Accuracy_Regression()
    own = nnfs.Loss()
    own.forward = lambda y_pred, y_true: np.ones(2)
    for call, name in (
        (lambda value: nnfs.Accuracy_Categorical(binary=value), "binary"),
        (lambda value: accuracy.init([[1.0], [2.0]], value), "reinit"),
        *(
            (
                lambda value, each=each: each.calculate(
                    [[1.0]], [[1.0]], include_regularization=value
                ),
                "include_regularization",
            )
            for each in (loss, own)
        ),
    ):
        for value in ("False", 1, None):
            with pytest.raises(nx.InputError, match=f"^{name} must be True or False"):
                call(value)
