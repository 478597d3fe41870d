"""Lines that stand in the book's programs around its classes."""

import numpy as np
import pytest

import nnfs_xp as nx
import nnfs_xp.book as nnfs
from nnfs_xp import data, to_numpy
from nnfs_xp.backends import backend_of
from tests.book.helpers import network
from tests.conftest import backend_or_skip

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
    with pytest.raises(nx.InputError, match="backward requires a forward pass"):
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
