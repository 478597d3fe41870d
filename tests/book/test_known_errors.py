"""The book's known errors, one test each: its formula, and that ours has not.

Each test begins with the lines of the book, in NumPy, and shows the error.
Then come the book's names and the library's own.
"""

import pickle
import types

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import to_numpy
from nnfs_xp.testing import Bound


@pytest.fixture
def be(backend):
    """Where a program of the book computes, after its first line."""
    nnfs.init(default_dtype=backend.dtype_name, backend=backend)
    return backend


def on_host(be, values):
    """Return values of the host, after a check of where they are."""
    assert isinstance(values, be.array_type()) and values.dtype == be.dtype
    return to_numpy(values)


def test_gradient_of_the_mean_absolute_error_has_the_wrong_sign(be):
    p, y = np.array([[2.0, 0.0, 1.0]]), np.array([[1.0, 1.0, 1.0]])
    books = np.sign(y - p) / 3 / 1
    # A step against it leads away from the targets.
    assert np.mean(np.abs(y - (p - 0.1 * books))) > np.mean(np.abs(y - p))
    for loss in (nnfs.Loss_MeanAbsoluteError(), nx.MeanAbsoluteError(backend=be)):
        gradient = loss.backward(be.asarray(p, be.dtype), be.asarray(y, be.dtype))
        np.testing.assert_allclose(on_host(be, gradient), -books, rtol=1e-6)


def test_accumulated_accuracy_can_exceed_1_with_several_outputs(be):
    predictions = y = np.array([[0, 1, 1], [1, 0, 1]])
    comparisons = predictions == y
    assert np.sum(comparisons) / len(comparisons) == 3.0
    accuracy = nnfs.Accuracy_Categorical(binary=True)
    metric = nx.BinaryAccuracy(backend=be)
    for _ in range(2):
        accuracy.calculate(predictions, y)
        metric.update(be.asarray(predictions, be.dtype), be.asarray(y, be.dtype))
    assert float(accuracy.calculate_accumulated()) == 1.0
    assert float(metric.result()) == 1.0


def test_accumulated_accuracy_of_a_model_cannot_exceed_1(capsys):
    """The same, where the book prints it: at the end of an epoch."""
    nnfs.init(backend="numpy")
    X, y = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[1, 0], [0, 1]])
    for names, sigmoid, loss in (
        (nnfs, nnfs.Activation_Sigmoid(), nnfs.Loss_BinaryCrossentropy()),
        (nx, nx.Sigmoid(), nx.BinaryCrossEntropy(mode="book")),
    ):
        dense = getattr(names, "Layer_Dense", nx.Dense)(2, 2)
        dense.weights = [[5.0, 0.0], [0.0, 5.0]]
        model = names.Model([dense, sigmoid], backend="numpy")
        model.set(loss=loss, optimizer=nx.SGD(0.0), accuracy="accuracy")
        assert model.train(X, y, batch_size=1)["accuracy"] == [1.0]
        assert model.evaluate(X, y)["accuracy"] == 1.0
    assert "acc: 1.000" in capsys.readouterr().out


@pytest.mark.parametrize("target", [0, 1])
def test_categorical_cross_entropy_divides_by_unclipped_predictions(be, target):
    p, y = np.array([[0.0, 1.0]]), np.eye(2)[[target]]
    with np.errstate(all="ignore"):
        books = -y / p
    assert not np.isfinite(books).all()
    given = be.asarray(p, be.dtype), be.asarray(y, be.dtype)
    for loss, clipped in (
        (nnfs.Loss_CategoricalCrossentropy(), 1e-7),
        (nx.CategoricalCrossEntropy(mode="book", backend=be), 1e-7),
        (
            nx.CategoricalCrossEntropy(backend=be),
            np.finfo(be.dtype_name).tiny / np.finfo(be.dtype_name).eps,
        ),
    ):
        wanted = -y / np.maximum(p, clipped)
        found = on_host(be, loss.backward(*given))
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_binary_cross_entropy_divides_by_unclipped_predictions(be):
    """So it does unless the gradient is clipped as the loss is."""
    p, y = np.array([[0.0, 1.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 0.0]])
    with np.errstate(all="ignore"):
        books = -(y / p - (1 - y) / (1 - p)) / 4
    assert np.isnan(books[0, :2]).all() and np.isinf(books[0, 2:]).all()
    given = be.asarray(p, be.dtype), be.asarray(y, be.dtype)
    # What is left of 1 after the clipping is rounded in float32.
    rest = 1.0 - float(np.asarray(1 - 1e-7, dtype=be.dtype_name))
    for loss in (
        nnfs.Loss_BinaryCrossentropy(),
        nx.BinaryCrossEntropy(mode="book", backend=be),
    ):
        found = on_host(be, loss.backward(*given))
        wanted = np.array([[1.0, -1.0, -1e7, 1 / rest]]) / 4
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    exact = nx.BinaryCrossEntropy(backend=be).backward(*given)
    assert np.isfinite(on_host(be, exact)).all()
    np.testing.assert_allclose(on_host(be, exact)[0, :2], [0.25, -0.25], rtol=1e-5)


def test_soft_targets_are_lost_in_the_combined_backward_pass(be):
    p, soft = np.array([[0.7, 0.2, 0.1]]), np.array([[0.6, 0.3, 0.1]])
    books = p.copy()
    books[range(1), np.argmax(soft, axis=1)] -= 1
    np.testing.assert_allclose(books, [[-0.3, 0.2, 0.1]])
    wanted = p - soft
    both = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
    own = nx.SoftmaxCrossEntropy(backend=be)
    logits = be.asarray(np.log(p), be.dtype)
    for found in (
        both.backward(p, soft),
        own.backward(logits, be.asarray(soft, be.dtype)),
    ):
        np.testing.assert_allclose(on_host(be, found), wanted, atol=1e-7)


def test_one_hot_targets_of_uint8_give_a_gradient_of_255(be):
    p, y = np.array([[0.25, 0.75]]), np.array([[0, 1]], dtype=np.uint8)
    np.testing.assert_allclose(-y / p, [[0, 255 / 0.75]])
    wanted = [[0, -1 / 0.75]]
    predictions, targets = be.asarray(p, be.dtype), be.asarray(y)
    for found in (
        nnfs.Loss_CategoricalCrossentropy().backward(p, y),
        nx.CategoricalCrossEntropy(backend=be).backward(predictions, targets),
    ):
        np.testing.assert_allclose(on_host(be, found), wanted, rtol=1e-6)
    both = nnfs.Activation_Softmax_Loss_CategoricalCrossentropy()
    own = nx.SoftmaxCrossEntropy(backend=be)
    for found in (
        both.backward(p, y),
        own.backward(be.asarray(np.log(p), be.dtype), targets),
    ):
        np.testing.assert_allclose(on_host(be, found), [[0.25, -0.25]], rtol=1e-6)


def test_gradient_of_l1_at_0_is_the_factor(be):
    weights = np.array([[-2.0, 0.0, 3.0]])
    sign = np.ones_like(weights)
    sign[weights < 0] = -1
    assert (0.5 * sign).tolist() == [[-0.5, 0.5, 0.5]]
    book = nnfs.Layer_Dense(1, 3, weight_regularizer_l1=0.5, bias_regularizer_l1=0.5)
    own = nx.Dense(
        1, 3, weight_regularizer=nx.L1(0.5), bias_regularizer=nx.L1(0.5), backend=be
    )
    for layer in (book, own):
        layer.weights = be.asarray(weights, be.dtype)
        layer.forward(be.asarray([[0.0]], be.dtype))
        layer.backward(be.asarray([[0.0, 0.0, 0.0]], be.dtype))
        assert on_host(be, layer.dweights).tolist() == [[-0.5, 0.0, 0.5]]
        assert on_host(be, layer.dbiases).tolist() == [[0.0, 0.0, 0.0]]


def test_dropout_turns_float32_into_float64(be):
    x = np.ones((4, 5), dtype=np.float32)
    mask = np.random.binomial(1, 0.5, size=x.shape) / 0.5  # noqa: NPY002
    assert (x * mask).dtype == np.float64
    for layer in (nnfs.Layer_Dropout(0.5), nx.Dropout(0.5, seed=0, backend=be)):
        inputs = be.asarray(x, be.dtype)
        for values in (layer.forward(inputs), layer.backward(inputs)):
            assert set(on_host(be, values).ravel()) == {0.0, 2.0}
        assert layer.binary_mask.dtype == be.dtype


def test_dropout_with_a_rate_of_1_divides_by_zero(be):
    x, keep = np.ones((2, 3)), 1 - 1
    with np.errstate(invalid="ignore"):
        mask = np.random.binomial(1, keep, size=x.shape) / np.float64(keep)  # noqa: NPY002
    assert np.isnan(x * mask).all()
    for layer in (nnfs.Layer_Dropout(1), nx.Dropout(1.0, seed=0, backend=be)):
        inputs = be.asarray(x, be.dtype)
        for values in (layer.forward(inputs), layer.backward(inputs)):
            assert not on_host(be, values).any()


def test_a_model_of_one_layer_crashes_in_finalize(capsys):
    layers = ["the only one"]
    for i in range(len(layers)):
        with pytest.raises(IndexError):
            layers[i + 1]
    nnfs.init(backend="numpy", default_dtype="float64")
    X, y = [[1.0], [2.0], [3.0]], [[2.0], [4.0], [6.0]]
    model = nnfs.Model()
    model.add(nnfs.Layer_Dense(1, 1))
    model.set(
        loss=nnfs.Loss_MeanSquaredError(),
        optimizer=nnfs.Optimizer_SGD(learning_rate=0.1),
        accuracy=nnfs.Accuracy_Regression(),
    )
    model.finalize()
    own = nx.Model([nx.Dense(1, 1)], loss="mean_squared_error", optimizer=nx.SGD(0.1))
    for trained in (model, own):
        trained.train(X, y, epochs=200)
        assert trained.evaluate(X, y)["loss"] < 1e-3
    # Without parameters there is nothing to learn, and nothing to crash.
    model = nnfs.Model()
    model.add(nnfs.Activation_Softmax())
    model.set(loss=nnfs.Loss_CategoricalCrossentropy())
    model.finalize()
    assert model.evaluate([[0.0, 1.0]], [1])["accuracy"] == 1.0


GRADIENT = np.array([[0.5, -2.0]])


def test_another_optimizer_inherits_the_caches_on_the_layers():
    def adagrad(layer):
        if not hasattr(layer, "weight_cache"):
            layer.weight_cache = np.zeros((1, 2))
        layer.weight_cache += GRADIENT**2

    def rmsprop(layer):
        if not hasattr(layer, "weight_cache"):
            layer.weight_cache = np.zeros((1, 2))
        layer.weight_cache = 0.9 * layer.weight_cache + 0.1 * GRADIENT**2
        return -0.1 * GRADIENT / (np.sqrt(layer.weight_cache) + 1e-7)

    layer, fresh = types.SimpleNamespace(), types.SimpleNamespace()
    adagrad(layer)
    wanted = rmsprop(fresh)
    # The first step of the new one is three times too short.
    assert np.all(np.abs(rmsprop(layer)) < 0.4 * np.abs(wanted))

    nnfs.init(backend="numpy", default_dtype="float64")
    for dense, optimizers, step in (
        (
            nnfs.Layer_Dense(1, 2),
            (nnfs.Optimizer_Adagrad(0.1), nnfs.Optimizer_RMSprop(0.1)),
            "update_params",
        ),
        (
            nx.Dense(1, 2, dtype="float64", backend="numpy"),
            (nx.Adagrad(0.1), nx.RMSprop(0.1)),
            "step",
        ),
    ):
        dense.dweights, dense.dbiases = GRADIENT, GRADIENT
        getattr(optimizers[0], step)(dense)
        before = dense.weights.copy()
        getattr(optimizers[1], step)(dense)
        np.testing.assert_allclose(dense.weights - before, wanted, rtol=1e-9)
        assert not [name for name in vars(dense) if "cache" in name or "mom" in name]


def test_another_optimizer_crashes_over_the_caches_on_the_layers():
    def adam(layer):
        if not hasattr(layer, "weight_cache"):
            layer.weight_momentums = np.zeros((1, 2))
            layer.weight_cache = np.zeros((1, 2))
        return 0.9 * layer.weight_momentums + 0.1 * GRADIENT

    layer = types.SimpleNamespace(weight_cache=GRADIENT**2)
    with pytest.raises(AttributeError, match="weight_momentums"):
        adam(layer)

    nnfs.init(backend="numpy", default_dtype="float64")
    for dense, optimizers, step in (
        (
            nnfs.Layer_Dense(1, 2),
            (nnfs.Optimizer_Adagrad(0.1), nnfs.Optimizer_Adam(0.1)),
            "update_params",
        ),
        (
            nx.Dense(1, 2, dtype="float64", backend="numpy"),
            (nx.Adagrad(0.1), nx.Adam(0.1)),
            "step",
        ),
    ):
        dense.dweights, dense.dbiases = GRADIENT, GRADIENT
        getattr(optimizers[0], step)(dense)
        before = dense.weights.copy()
        getattr(optimizers[1], step)(dense)
        # The first step of Adam is the learning rate, against the gradient.
        wanted = -0.1 * np.sign(GRADIENT)
        np.testing.assert_allclose(dense.weights - before, wanted, rtol=1e-6)


def test_models_may_change_their_optimizer_too(capsys):
    nnfs.init(backend="numpy")
    X, y = nnfs.spiral_data(10, 2)
    model = nnfs.Model([nnfs.Layer_Dense(2, 2), nnfs.Activation_Softmax()])
    own = nx.Model([nx.Dense(2, 2), nx.Softmax()], backend="numpy")
    for trained, loss in (
        (model, nnfs.Loss_CategoricalCrossentropy()),
        (own, "categorical_crossentropy"),
    ):
        trained.set(loss=loss, optimizer=nx.Adagrad())
        trained.train(X, y)
        before = to_numpy(trained.layers[0].weights)
        trained.set(optimizer=nx.Adam(0.1))
        trained.train(X, y)
        change = to_numpy(trained.layers[0].weights) - before
        np.testing.assert_allclose(np.abs(change), 0.1, rtol=1e-3)


def test_sigmoid_overflows(be):
    x = np.array([[-1000.0, 0.0, 1000.0]])
    with pytest.warns(RuntimeWarning, match="overflow"):
        books = 1 / (1 + np.exp(-x))
    for layer in (nnfs.Activation_Sigmoid(), nx.Sigmoid(backend=be)):
        given = be.asarray(x, be.dtype)
        # Warnings are errors here, also outside of a backend's context.
        found, _ = Bound(layer, be, {}).fwd(given)
        np.testing.assert_array_equal(on_host(be, found), books)
        assert on_host(be, layer.forward(given)).tolist() == [[0.0, 0.5, 1.0]]
        slopes = layer.backward(be.asarray([[1.0, 1.0, 1.0]], be.dtype))
        np.testing.assert_allclose(on_host(be, slopes), [[0, 0.25, 0]], atol=1e-31)


def test_squared_error_of_a_column_and_a_row_broadcasts(be):
    p, y = np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 2.0, 3.0])
    # All predictions are right, and nine differences are not 0.
    assert np.mean((y - p) ** 2) == pytest.approx(4 / 3)
    for loss in (nnfs.Loss_MeanSquaredError(), nx.MeanSquaredError(backend=be)):
        given = be.asarray(p, be.dtype), be.asarray(y, be.dtype)
        for call in (loss.forward, loss.calculate, loss.backward):
            with pytest.raises(nx.InputError, match=r"reshape\(-1, 1\)"):
                call(*given)
            with pytest.raises(nx.InputError, match="y_true must have the shape"):
                call(given[1], given[0])
        column = be.asarray(y.reshape(-1, 1), be.dtype)
        assert float(loss.calculate(given[0], column)) == 0.0


def test_model_files_are_pickles_and_run_code(tmp_path):
    path, made = tmp_path / "fashion_mnist.model", tmp_path / "made by the file"
    # A pickle that calls os.mkdir; it could call anything else.
    path.write_bytes(f"cos\nmkdir\n(V{made}\ntR.".encode())
    pickle.loads(path.read_bytes())
    assert made.exists()
    made.rmdir()
    nnfs.init(backend="numpy")
    model = nnfs.Model([nnfs.Layer_Dense(1, 1)])
    for load in (nnfs.Model.load, nx.Model.load, model.load_parameters):
        with pytest.raises(nx.FileFormatError):
            load(path)
    assert not made.exists()
    # What is written holds arrays behind a header of JSON, and nothing to run.
    for write in (model.save, model.save_parameters):
        write(path)
        content = path.read_bytes()
        header = content[8 : 8 + int.from_bytes(content[:8], "little")]
        assert header.startswith(b"{") and header.rstrip().endswith(b"}")
        with pytest.raises(pickle.UnpicklingError):
            pickle.loads(content)
