"""The book's names: their signatures, their attributes, and what they compute."""

import inspect

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import data, to_numpy
from nnfs_xp.backends import backend_of, library_of
from nnfs_xp.book import datasets
from tests.book import reference
from tests.conftest import backend_or_skip

# Every name with what the book writes in its definition, without self.
LAYER = {"forward": "inputs, training", "backward": "dvalues"}
ACTIVATION = {"": "", **LAYER, "predictions": "outputs"}
OPTIMIZER = {
    "pre_update_params": "",
    "update_params": "layer",
    "post_update_params": "",
}
SUMS = {"new_pass": ""}
LOSS = {
    **SUMS,
    "regularization_loss": "",
    "remember_trainable_layers": "trainable_layers",
    "calculate": "output, y, *, include_regularization=False",
    "calculate_accumulated": "*, include_regularization=False",
}
OWN_LOSS = {**LOSS, "": "", "forward": "y_pred, y_true", "backward": "dvalues, y_true"}
ACCURACY = {**SUMS, "calculate": "predictions, y", "calculate_accumulated": ""}
BOTH = {"": "", "forward": "inputs, y_true", "backward": "dvalues, y_true"}
DEFINITIONS = {
    "init": {
        "": "dot_precision_workaround=True, default_dtype='float32', random_seed=0"
    },
    "spiral_data": {"": "samples, classes"},
    "vertical_data": {"": "samples, classes"},
    "sine_data": {"": "samples=1000"},
    "Layer_Dense": {
        "": "n_inputs, n_neurons, weight_regularizer_l1=0, weight_regularizer_l2=0, "
        "bias_regularizer_l1=0, bias_regularizer_l2=0",
        **LAYER,
        "get_parameters": "",
        "set_parameters": "weights, biases",
    },
    "Layer_Dropout": {"": "rate", **LAYER},
    "Layer_Input": {"": "", "forward": "inputs, training"},
    "Activation_ReLU": ACTIVATION,
    "Activation_Softmax": ACTIVATION,
    "Activation_Sigmoid": ACTIVATION,
    "Activation_Linear": ACTIVATION,
    "Optimizer_SGD": {"": "learning_rate=1., decay=0., momentum=0.", **OPTIMIZER},
    "Optimizer_Adagrad": {
        "": "learning_rate=1., decay=0., epsilon=1e-7",
        **OPTIMIZER,
    },
    "Optimizer_RMSprop": {
        "": "learning_rate=0.001, decay=0., epsilon=1e-7, rho=0.9",
        **OPTIMIZER,
    },
    "Optimizer_Adam": {
        "": "learning_rate=0.001, decay=0., epsilon=1e-7, beta_1=0.9, beta_2=0.999",
        **OPTIMIZER,
    },
    "Loss": LOSS,
    "Loss_CategoricalCrossentropy": OWN_LOSS,
    "Loss_CategoricalCrossEntropy": OWN_LOSS,
    "Loss_BinaryCrossentropy": OWN_LOSS,
    "Loss_BinaryCrossEntropy": OWN_LOSS,
    "Loss_MeanSquaredError": OWN_LOSS,
    "Loss_MeanAbsoluteError": OWN_LOSS,
    "Activation_Softmax_Loss_CategoricalCrossentropy": BOTH,
    "Activation_Softmax_Loss_CategoricalCrossEntropy": BOTH,
    "Accuracy": ACCURACY,
    "Accuracy_Categorical": {
        "": "*, binary=False",
        **ACCURACY,
        "init": "y",
        "compare": "predictions, y",
    },
    "Accuracy_Regression": {
        "": "",
        **ACCURACY,
        "init": "y, reinit=False",
        "compare": "predictions, y",
    },
    "Model": {
        "": "",
        "add": "layer",
        "set": "*, loss=None, optimizer=None, accuracy=None",
        "finalize": "",
        "train": "X, y, *, epochs=1, batch_size=None, print_every=1, "
        "validation_data=None",
        "evaluate": "X_val, y_val, *, batch_size=None",
        "predict": "X, *, batch_size=None",
        "forward": "X, training",
        "backward": "output, y",
        "get_parameters": "",
        "set_parameters": "parameters",
        "save_parameters": "path",
        "load_parameters": "path",
        "save": "path",
        "load": "path",
    },
}
METHODS = [(name, method) for name in DEFINITIONS for method in DEFINITIONS[name]]


def own_parameters(name, method):
    unit = getattr(nnfs, name)
    called = getattr(unit, method) if method else unit
    parameters = list(inspect.signature(called).parameters.values())
    takes_self = method and not inspect.ismethod(called)
    return parameters[1:] if takes_self else parameters


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_signature_is_the_books(name, method):
    """Whoever may call the book's may call this one, and gets the same defaults."""
    wanted = inspect.signature(eval(f"lambda {DEFINITIONS[name][method]}: 0"))
    found = own_parameters(name, method)
    by_name = {own.name: own for own in found}
    for place, parameter in enumerate(wanted.parameters.values()):
        own = by_name[parameter.name]
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            assert found[place] is own and own.kind is parameter.kind
        if parameter.default is not parameter.empty:
            assert own.default == parameter.default
    for own in found:
        # What the book does not know of, its programs do not give.
        if own.name not in wanted.parameters and own.kind is not own.VAR_KEYWORD:
            assert own.default is not own.empty


def test_every_public_name_is_in_the_table():
    assert set(DEFINITIONS) == set(nnfs.__all__)


# On every backend.


@pytest.fixture
def be(backend):
    """Where a program of the book computes, after its first line."""
    nnfs.init(default_dtype=backend.dtype_name, backend=backend)
    return backend


def same(found, wanted):
    """Compare two arrays of a backend bit for bit."""
    assert library_of(found) == library_of(wanted) and found.dtype == wanted.dtype
    np.testing.assert_array_equal(to_numpy(found), to_numpy(wanted))


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


def network(loss=nnfs.Loss_CategoricalCrossentropy, outputs=3, **options):
    dense = [
        nnfs.Layer_Dense(2, 8, weight_regularizer_l2=1e-3),
        nnfs.Layer_Dense(8, outputs),
    ]
    model = nnfs.Model(**options)
    for layer in (
        dense[0],
        nnfs.Activation_ReLU(),
        nnfs.Layer_Dropout(0.1),
        dense[1],
        nnfs.Activation_Softmax(),
    ):
        model.add(layer)
    model.set(
        loss=loss(),
        optimizer=nnfs.Optimizer_Adam(learning_rate=0.05, decay=1e-3),
        accuracy=nnfs.Accuracy_Categorical(),
    )
    return model


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


# Once is enough for these.


@pytest.fixture
def on_numpy():
    nnfs.init(backend="numpy", default_dtype="float64")


def test_init_says_where_and_how_precisely(monkeypatch):
    monkeypatch.delenv("NNFS_XP_BACKEND", raising=False)
    assert nnfs.Layer_Dense(1, 1).weights.dtype == np.float64
    nnfs.init()
    assert nnfs.Layer_Dense(1, 1).weights.dtype == np.float32
    nnfs.init(True, "float64")
    assert nnfs.Layer_Dense(1, 1).weights.dtype == np.float64
    nnfs.init(False, None, 7)
    layer = nnfs.Layer_Dense(2, 3)
    assert layer.weights.dtype == np.float64
    np.random.seed(7)  # noqa: NPY002
    wanted = 0.01 * np.random.randn(2, 3)  # noqa: NPY002
    np.testing.assert_array_equal(layer.weights, wanted)
    nnfs.init(random_seed=None)
    # Without a seed, the generator goes on.
    np.testing.assert_array_equal(
        nnfs.Layer_Dense(2, 2).weights,
        np.float32(0.01) * _randn_after(7, 6, (2, 2)).astype(np.float32),
    )
    nnfs.init(backend="array_api_strict", device="device1")
    assert backend_of(nnfs.Layer_Dense(1, 1).weights).name == ("array_api_strict")
    assert str(nnfs.Layer_Dense(1, 1).weights.device).endswith("'device1')")


def _randn_after(seed, numbers_before, shape):
    generator = np.random.RandomState(seed)
    generator.randn(numbers_before)
    return generator.randn(*shape)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("default_dtype", "float16"),
        ("default_dtype", np.float32),
        ("random_seed", -1),
        ("random_seed", 2**32),
        ("random_seed", 0.5),
        ("backend", "theano"),
    ],
)
def test_init_refuses(argument, value):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    with pytest.raises(nx.InputError, match=argument):
        nnfs.init(**{argument: value})
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_is_drawn_from_the_generator_of_the_weights(dtype):
    """Points, then weights, then points, from one seed."""
    nnfs.init(default_dtype=dtype, backend="numpy")
    generator = np.random.RandomState(0)
    for make in ("spiral_data", "vertical_data"):
        points, y = getattr(datasets, make)(10, 3)
        wanted = getattr(data, make)(10, 3, seed=generator, dtype=dtype)
        np.testing.assert_array_equal(points, wanted[0])
        np.testing.assert_array_equal(y, wanted[1])
        assert points.dtype == dtype and y.dtype == np.uint8
        drawn = 0.01 * generator.randn(2, 3).astype(dtype)
        np.testing.assert_array_equal(nnfs.Layer_Dense(2, 3).weights, drawn)
    np.testing.assert_array_equal(nnfs.sine_data(10)[1], data.sine_data(10)[1])


@pytest.mark.usefixtures("on_numpy")
def test_models_of_both_names_read_each_others_files(tmp_path, capsys):
    points, y = nnfs.spiral_data(20, 3)
    model = network()
    model.train(points, y, epochs=3, batch_size=25)
    model.save(tmp_path / "book.model")
    own = nx.Model.load(tmp_path / "book.model")
    assert [type(layer) for layer in own.layers] == [
        nx.Dense, nx.ReLU, nx.Dropout, nx.Dense, nx.Softmax
    ]  # fmt: skip
    assert type(own.loss) is nx.CategoricalCrossEntropy and own.loss.mode == "book"
    own.save(tmp_path / "own.model")
    again = nnfs.Model.load(tmp_path / "own.model")
    assert [type(layer) for layer in again.layers] == [type(x) for x in model.layers]
    assert type(again.loss) is nnfs.Loss_CategoricalCrossentropy
    assert type(again.optimizer) is nnfs.Optimizer_Adam
    assert type(again.accuracy) is nnfs.Accuracy_Categorical
    assert again.accuracy.metric is again.metrics[0]
    assert again.layers[2].rate == model.layers[2].rate == 0.9
    assert again.optimizer.iterations == model.optimizer.iterations == 9
    assert again.trainable_layers == [again.layers[0], again.layers[3]]
    assert again.loss.trainable_layers == again.trainable_layers
    # All three go on as if they were one.
    histories = [
        model.train(points, y, batch_size=25),
        own.fit(points, y, batch_size=25, shuffle=False),
        again.train(points, y, batch_size=25),
    ]
    for name, array in model.parameters.items():
        same(own.parameters[name], array)
        same(again.parameters[name], array)
    assert len({history["loss"][0] for history in histories}) == 1


@pytest.mark.usefixtures("on_numpy")
@pytest.mark.parametrize("kind", ["values", "probabilities"])
def test_accuracies_are_read_back(tmp_path, kind, capsys):
    accuracy, attribute, last, loss = {
        "values": (
            nnfs.Accuracy_Regression(),
            "precision",
            nnfs.Activation_Linear(),
            nnfs.Loss_MeanSquaredError(),
        ),
        "probabilities": (
            nnfs.Accuracy_Categorical(binary=True),
            "binary",
            nnfs.Activation_Sigmoid(),
            nnfs.Loss_BinaryCrossentropy(),
        ),
    }[kind]
    points, y = nnfs.spiral_data(10, 2)
    model = nnfs.Model([nnfs.Layer_Dense(2, 1), last])
    model.set(loss=loss, optimizer=nnfs.Optimizer_SGD(), accuracy=accuracy)
    model.train(points, y.reshape(-1, 1))
    model.save(tmp_path / "model")
    again = nnfs.Model.load(tmp_path / "model")
    assert type(again.accuracy) is type(accuracy)
    assert getattr(again.accuracy, attribute) == getattr(accuracy, attribute)
    assert getattr(accuracy, attribute) == pytest.approx(
        {"values": np.std(y) / 250, "probabilities": True}[kind]
    )


def test_a_file_is_read_onto_the_backend_of_init(tmp_path):
    nnfs.init(backend="numpy", default_dtype="float64")
    network().save(tmp_path / "model")
    nnfs.init(backend=backend_or_skip("strict-device1", "float32"))
    model = nnfs.Model.load(tmp_path / "model")
    assert str(model.backend) == "array_api_strict on device1, float64"
    model = nnfs.Model.load(tmp_path / "model", backend="numpy", dtype="float32")
    assert str(model.backend) == "numpy on cpu, float32"


@pytest.mark.usefixtures("on_numpy")
def test_a_new_optimizer_starts_with_a_state_of_its_own(capsys):
    points, y = nnfs.spiral_data(20, 3)
    model, fresh = network(), network()
    model.train(points, y, epochs=5)
    for made in (model, fresh):
        made.finalize()
        made.layers[2].seed = 5
        made.steps_trained = 0
    fresh.set_parameters(model.get_parameters())
    for made in (model, fresh):
        made.set(optimizer=nnfs.Optimizer_RMSprop(0.02, decay=0.1))
    found = model.train(points, y, epochs=3)
    assert model.optimizer.iterations == 3
    assert found["learning_rate"] == [0.02 / (1 + 0.1 * step) for step in range(3)]
    assert found["loss"] == fresh.train(points, y, epochs=3)["loss"]
    for name, array in model.parameters.items():
        same(array, fresh.parameters[name])


@pytest.mark.usefixtures("on_numpy")
def test_set_leaves_what_it_is_not_given():
    model = network()
    loss, optimizer, accuracy = model.loss, model.optimizer, model.accuracy
    model.set(loss=None, optimizer=None, accuracy=None)
    model.set()
    assert (model.loss, model.optimizer, model.accuracy) == (loss, optimizer, accuracy)
    model.set(optimizer=nnfs.Optimizer_SGD())
    assert model.loss is loss and model.optimizer is not optimizer


@pytest.mark.usefixtures("on_numpy")
def test_a_model_refuses_an_accuracy_of_ones_own():
    class Accuracy_Mine(nnfs.Accuracy):
        def compare(self, predictions, y):
            return predictions == y

    assert Accuracy_Mine().calculate(np.array([1, 2]), np.array([1, 3])) == 0.5
    with pytest.raises(nx.InputError, match="accuracy must be Accuracy_Categorical"):
        network().set(accuracy=Accuracy_Mine())


def test_two_optimizers_in_turn_keep_their_caches_apart():
    """Each has its own caches for each of the layers, and its own steps."""
    nnfs.init(default_dtype="float64", backend="numpy")
    layers = [nnfs.Layer_Dense(3, 4), nnfs.Layer_Dense(4, 2)]
    optimizers = [
        (nnfs.Optimizer_Adam(0.05, decay=0.1), reference.adam, 0.05),
        (nnfs.Optimizer_RMSprop(0.02, decay=0.1), reference.rmsprop, 0.02),
    ]
    wanted = [
        {name: getattr(x, name).copy() for name in ("weights", "biases")}
        for x in layers
    ]
    kept = {}
    for step in range(6):
        turn = step % 2
        optimizer, formula, rate = optimizers[turn]
        optimizer.pre_update_params()
        rate = rate / (1 + 0.1 * (step // 2))
        assert optimizer.current_learning_rate == rate
        for number, layer in enumerate(layers):
            layer.dweights = np.sin(step + np.arange(12 - 4 * number)).reshape(
                layer.weights.shape
            )
            layer.dbiases = np.cos(step + np.arange(layer.biases.size))[np.newaxis]
            optimizer.update_params(layer)
            for name in ("weights", "biases"):
                wanted[number][name] = formula(
                    wanted[number][name],
                    getattr(layer, f"d{name}"),
                    kept.setdefault((turn, number, name), {}),
                    rate,
                    step // 2,
                )
        optimizer.post_update_params()
        for layer, values in zip(layers, wanted, strict=True):
            np.testing.assert_allclose(layer.weights, values["weights"], atol=1e-14)
            np.testing.assert_allclose(layer.biases, values["biases"], atol=1e-14)


# Lines that stand in the book's programs around its classes, on the libraries
# whose arrays go through NumPy's functions.


@pytest.fixture(params=["numpy", "jax", "cupy"])
def program(request):
    """A network with an output, and what NumPy makes of the same."""

    def forward_pass():
        X, y = nnfs.spiral_data(samples=100, classes=3)
        dense1, activation1 = nnfs.Layer_Dense(2, 3), nnfs.Activation_ReLU()
        dense2, activation2 = nnfs.Layer_Dense(3, 3), nnfs.Activation_Softmax()
        dense1.forward(X)
        activation1.forward(dense1.output)
        dense2.forward(activation1.output)
        activation2.forward(dense2.output)
        return X, y, dense1, activation2.output

    nnfs.init(default_dtype="float64", backend="numpy")
    on_numpy = forward_pass()
    backend = backend_or_skip(request.param, "float64")
    nnfs.init(default_dtype="float64", backend=backend)
    return forward_pass(), on_numpy


def test_accuracy_of_classes_is_typed_as_in_the_book(program):
    (_, y, _, output), (_, y_host, _, output_host) = program
    predictions = np.argmax(output, axis=1)
    accuracy = np.mean(predictions == y)
    wanted = np.mean(output_host.argmax(axis=1) == y_host)
    assert float(accuracy) == pytest.approx(wanted)
    assert f"acc: {accuracy:.3f}" == f"acc: {wanted:.3f}"


def test_rows_of_targets_become_classes_as_in_the_book(program):
    (_, y, _, output), _ = program
    rows = backend_of(output).asarray(np.eye(3)[to_numpy(y)])
    loss = nnfs.Loss_CategoricalCrossentropy()
    of_rows, of_labels = loss.calculate(output, rows), loss.calculate(output, y)
    if len(rows.shape) == 2:
        rows = np.argmax(rows, axis=1)
    np.testing.assert_array_equal(to_numpy(rows), to_numpy(y))
    assert float(of_rows) == pytest.approx(float(of_labels))


def test_loss_is_printed_as_in_the_book(program):
    (_, y, dense, output), _ = program
    loss_function = nnfs.Loss_CategoricalCrossentropy()
    data_loss = loss_function.calculate(output, y)
    regularization_loss = loss_function.regularization_loss(dense)
    loss = data_loss + regularization_loss
    text = (
        f"loss: {loss:.3f} (data_loss: {data_loss:.3f}, "
        f"reg_loss: {regularization_loss:.3f})"
    )
    assert text == "loss: 1.099 (data_loss: 1.099, reg_loss: 0.000)"
    assert str(loss).startswith("1.09")
    assert loss < 9999999
    assert "0.333" in str(output[:5])


def test_binary_accuracy_is_typed_as_in_the_book(program):
    (_, y, _, output), (_, y_host, _, output_host) = program
    y, column = y.reshape(-1, 1), output[:, :1]
    predictions = (column > 1 / 3) * 1
    wanted = np.mean((output_host[:, :1] > 1 / 3) * 1 == y_host.reshape(-1, 1))
    assert f"{np.mean(predictions == y):.3f}" == f"{wanted:.3f}"


def test_regression_accuracy_is_typed_as_in_the_book(program):
    _, y = nnfs.sine_data()
    precision = np.std(y) / 250
    accuracy = np.mean(np.absolute(y * 1.003 - y) < precision)
    host = data.sine_data()[1]
    wanted = np.mean(np.absolute(host * 1.003 - host) < np.std(host) / 250)
    assert 0.1 < wanted < 0.9 and f"{accuracy:.3f}" == f"{wanted:.3f}"


def test_outputs_are_set_by_hand_as_in_chapter_9(program):
    """The gradients of softmax and loss, in one and one after the other."""
    softmax_outputs = np.array([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]])
    class_targets = np.array([0, 1, 1])
    softmax_loss = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
    softmax_loss.backward(softmax_outputs, class_targets)
    activation = nnfs.Activation_Softmax()
    activation.output = softmax_outputs
    loss = nnfs.Loss_CategoricalCrossentropy()
    loss.backward(softmax_outputs, class_targets)
    activation.backward(loss.dinputs)
    wanted = (softmax_outputs - np.eye(3)[class_targets]) / 3
    for found in (softmax_loss.dinputs, activation.dinputs):
        np.testing.assert_allclose(to_numpy(found), wanted, atol=1e-15)
    sigmoid = nnfs.Activation_Sigmoid()
    with pytest.raises(nx.InputError, match="backward needs a forward pass"):
        sigmoid.backward([[1.0]])
    sigmoid.output = [[0.25]]
    assert to_numpy(sigmoid.backward([[2.0]])).tolist() == [[2 * 0.25 * 0.75]]


def test_a_step_is_typed_as_in_the_book(program):
    (X, y, dense, _), _ = program
    loss = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
    dense.forward(X)
    before = loss.forward(dense.output, y)
    loss.backward(loss.output, y)
    dense.backward(loss.dinputs)
    dense.weights += -0.5 * dense.dweights
    dense.biases += -0.5 * dense.dbiases
    dense.forward(X)
    assert loss.forward(dense.output, y) < before


def test_predictions_are_looked_up_as_in_chapter_22(program):
    (_, _, _, output), _ = program
    labels = {0: "red", 1: "green", 2: "blue"}
    softmax, sigmoid = nnfs.Activation_Softmax(), nnfs.Activation_Sigmoid()
    names = [labels[prediction] for prediction in softmax.predictions(output)]
    classes = to_numpy(output).argmax(axis=1).tolist()
    assert names == [labels[number] for number in classes]
    answers = sigmoid.predictions(output)
    assert answers.tolist() == ((to_numpy(output) > 0.5) * 1).tolist()
    linear = nnfs.Activation_Linear()
    assert linear.predictions(output) is output


@pytest.mark.parametrize("backend_name", ["numpy", "jax"])
def test_random_search_of_chapter_6(backend_name):
    """Parameters are copied, changed in place by NumPy's numbers, and put back."""
    nnfs.init(default_dtype="float64", backend=backend_or_skip(backend_name, "float64"))
    X, y = nnfs.vertical_data(samples=100, classes=3)
    dense, softmax = nnfs.Layer_Dense(2, 3), nnfs.Activation_Softmax()
    loss_function = nnfs.Loss_CategoricalCrossentropy()
    lowest_loss = 9999999
    best = dense.weights.copy(), dense.biases.copy()
    for _ in range(200):
        dense.weights += 0.05 * np.random.randn(2, 3)  # noqa: NPY002
        dense.biases += 0.05 * np.random.randn(1, 3)  # noqa: NPY002
        dense.forward(X)
        softmax.forward(dense.output)
        loss = loss_function.calculate(softmax.output, y)
        if loss < lowest_loss:
            best = dense.weights.copy(), dense.biases.copy()
            lowest_loss = loss
        else:
            dense.weights = best[0].copy()
            dense.biases = best[1].copy()
    dense.forward(X)
    softmax.forward(dense.output)
    assert float(loss_function.calculate(softmax.output, y)) == float(lowest_loss)
    assert lowest_loss < 0.95


def test_models_on_torch_are_trained_as_on_numpy(capsys):
    """NumPy's own functions do not take its tensors; a model needs none."""
    printed = []
    for name in ("numpy", "torch"):
        nnfs.init(default_dtype="float64", backend=backend_or_skip(name, "float64"))
        X, y = nnfs.spiral_data(samples=20, classes=3)
        model = network()
        model.train(X, y, epochs=3, batch_size=25)
        predictions = model.output_layer_activation.predictions(model.predict(X[:5]))
        assert type(predictions) is np.ndarray and predictions.shape == (5,)
        loss = model.loss.calculate(model.predict(X), y)
        printed.append(f"{capsys.readouterr().out} {loss:.3f}")
    assert printed[0] == printed[1]
