"""Bad input raises the same exception everywhere, before anything changes."""

import copy

import numpy as np
import pytest

import nnfs_xp as nx

N, FEATURES, CLASSES = 6, 4, 3
_random = np.random.default_rng(1)
X = _random.standard_normal((N, FEATURES))
Y = np.array([0, 1, 2, 0, 1, 2])
PROBABILITIES = np.full((N, CLASSES), 1 / CLASSES)

# What comes as y, and what the message must say of it.
BAD_TARGETS = {
    "out of range": (np.array([0, 1, 3, 0, 1, 2]), "labels from 0 to 2, got 3"),
    "far out of range": (
        np.array([0, 1, 2**40, 0, 1, 2]), f"labels from 0 to 2, got {2**40}",
    ),
    "wraps to 0 in 32 bits": (
        np.array([0, 1, 2**32, 0, 1, 2]), "labels from 0 to 2, got",
    ),
    "negative": (np.array([0, 1, -1, 0, 1, 2]), "labels from 0 to 2, got -1"),
    "fractional": (np.array([0, 1, 1.5, 0, 1, 2]), "integer labels, got dtype"),
    "whole floats": (Y.astype("float64"), "integer labels, got dtype"),
    "NaN": (np.array([0, 1, np.nan, 0, 1, 2]), "integer labels, got dtype"),
    "shape (n, 1)": (Y[:, None], "shape"),
    "too few": (Y[:-1], "6 samples, got 5"),
    "too many": (np.append(Y, 0), "6 samples, got 7"),
    "empty": (Y[:0], "6 samples, got 0"),
    "a number": (np.array(1), "shape"),
    "three axes": (np.zeros((N, CLASSES, 1)), "shape"),
    "too few classes": (np.eye(3)[Y][:, :2], "shape"),
    "too many classes": (np.eye(4)[Y], "shape"),
    "NaN row": (np.where(np.eye(3)[Y] > 0, np.nan, 0.0), "finite"),
    "infinite row": (np.where(np.eye(3)[Y] > 0, np.inf, 0.0), "finite"),
    "negative row": (-np.eye(3)[Y], "0 or more"),
    "complex": (np.eye(3)[Y] * 1j, "real numbers"),
}  # fmt: skip
BAD_FEATURES = {
    "too few features": (X[:, :3], "shape"),
    "too many features": (np.ones((N, 5)), "shape"),
    "one axis": (X[0], "shape"),
    "three axes": (X[:, :, None], "shape"),
    "no rows": (X[:0], "empty"),
    "no columns": (X[:, :0], "empty"),
    "a number": (np.array(1.0), "array of samples"),
    "complex": (X * 1j, "real numbers"),
}
# Kinds that only the host has; each backend sees them where it takes host data.
BAD_HOST_VALUES = {
    "object": (np.array([[None] * FEATURES] * N), "real numbers"),
    "strings": (np.array([["1"] * FEATURES] * N), "real numbers"),
    "dates": (np.zeros((N, FEATURES), dtype="datetime64[s]"), "real numbers"),
    "ragged": ([[1.0] * FEATURES, [1.0]], "cannot be converted to an array"),
    "text": ("abc", "real numbers"),
    "none": (None, "real numbers"),
}


def make_model(be):
    return nx.Model(
        [nx.Dense(FEATURES, 5), nx.ReLU(), nx.Dense(5, CLASSES), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
        backend=be,
    )


def everything(model):
    return {**model._state.export(), "epochs": model.epochs_trained}


def assert_refused(model, message, *calls):
    """Each call raises InputError with the message, and changes nothing."""
    before = copy.deepcopy(everything(model))
    for call in calls:
        with pytest.raises(nx.InputError, match=message):
            call()
    after = everything(model)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)


@pytest.mark.parametrize("kind", BAD_TARGETS)
@pytest.mark.parametrize("where", ["host", "own"])
def test_targets_of_a_model(backend, kind, where):
    y, message = BAD_TARGETS[kind]
    x = X
    if where == "own":
        x, y = on_backend(backend, x), on_backend(backend, y)
    model = make_model(backend)
    assert_refused(
        model,
        f"^y.*{message}",
        lambda: model.fit(x, y),
        lambda: model.evaluate(x, y),
    )
    assert_refused(
        model,
        f"^validation_data y.*{message}",
        lambda: model.fit(X, Y, validation_data=(x, y)),
    )


def on_backend(be, values):
    """Put values on a backend as they are; some dtypes exist on the host only."""
    if values.dtype.kind != "c":
        return be.asarray(values)
    with be.context():
        return be.xp.asarray(values, device=be.device)


@pytest.mark.parametrize("kind", BAD_FEATURES)
@pytest.mark.parametrize("where", ["host", "own"])
def test_features_of_a_model(backend, kind, where):
    x, message = BAD_FEATURES[kind]
    y = Y
    if where == "own":
        x, y = on_backend(backend, x), on_backend(backend, y)
    model = make_model(backend)
    assert_refused(
        model,
        f"^x.*{message}",
        lambda: model.fit(x, y),
        lambda: model.evaluate(x, y),
        lambda: model.predict(x),
    )
    with pytest.raises(nx.InputError, match=f"validation_data x.*{message}"):
        model.fit(X, Y, validation_data=(x, y))


@pytest.mark.parametrize("kind", BAD_HOST_VALUES)
def test_values_that_no_backend_can_hold(backend, kind):
    values, message = BAD_HOST_VALUES[kind]
    model = make_model(backend)
    assert_refused(
        model,
        f"x: .*{message}",
        lambda: model.fit(values, Y),
        lambda: model.predict(values),
    )
    assert_refused(model, f"y: .*{message}", lambda: model.fit(X, values))
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    if kind != "dates":  # a list of dates is an array of objects
        with pytest.raises(nx.DTypeError, match=f"inputs: .*{message}"):
            model.layers[0].forward(listed)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_training_on_features_that_are_not_finite(backend, value):
    x = X.copy()
    x[2, 1] = value
    model = make_model(backend)
    assert_refused(model, "x must be finite", lambda: model.fit(x, Y))


@pytest.mark.parametrize("kind", BAD_FEATURES)
def test_inputs_of_a_layer(backend, kind):
    x, message = BAD_FEATURES[kind]
    layer = nx.Dense(FEATURES, 2, backend=backend)
    with pytest.raises(nx.InputError, match=f"inputs.*{message}"):
        layer.forward(on_backend(backend, x))
    assert not hasattr(layer, "output")


@pytest.mark.parametrize("kind", BAD_TARGETS)
@pytest.mark.parametrize(
    "make", [nx.CategoricalCrossEntropy, nx.SoftmaxCrossEntropy, nx.Accuracy]
)
def test_targets_of_a_loss_or_metric(backend, make, kind):
    y, message = BAD_TARGETS[kind]
    unit = make(backend=backend)
    predictions = backend.asarray(PROBABILITIES, backend.dtype)
    with pytest.raises(nx.InputError, match=f"^y_true.*{message}"):
        unit.calculate(predictions, on_backend(backend, y))


def other_array(be, values):
    """The same values in another library."""
    if be.name == "numpy":
        return nx.get_backend("array_api_strict").asarray(values)
    return values


def test_arrays_of_another_library(backend):
    other_x, other_y = other_array(backend, X), other_array(backend, Y)
    own_x, own_y = backend.asarray(X), backend.asarray(Y)
    mismatch = nx.BackendMismatchError
    dense = nx.Dense(FEATURES, 2, backend=backend)
    with pytest.raises(
        mismatch, match=f"inputs is an array .* used with {backend.name}"
    ):
        dense.forward(other_x)
    dense.forward(own_x)
    with pytest.raises(mismatch, match="dvalues is an array"):
        dense.backward(other_array(backend, np.ones((N, 2))))
    with pytest.raises(mismatch, match="weights is an array"):
        dense.weights = other_array(backend, np.ones((FEATURES, 2)))
    own_p = backend.asarray(PROBABILITIES, backend.dtype)
    other_p = other_array(backend, PROBABILITIES)
    for make in (nx.CategoricalCrossEntropy, nx.SoftmaxCrossEntropy, nx.Accuracy):
        unit = make(backend=backend)
        with pytest.raises(mismatch, match="y_pred is an array"):
            unit.calculate(other_p, own_y)
        with pytest.raises(mismatch, match="y_true is an array"):
            unit.calculate(own_p, other_y)
    model = make_model(backend)
    before = everything(model)
    for name, x, y in (("y", own_x, other_y), ("x", other_x, own_y)):
        if backend.name == "numpy":
            with pytest.raises(mismatch, match=f"^{name} is an array of array_api"):
                model.fit(x, y)
    for name, value in everything(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_device_arrays_of_another_library_are_refused_by_a_model(backend):
    """Host arrays are moved; those of a third library never are."""
    strict = nx.get_backend("array_api_strict", device="device2")
    x, y = strict.asarray(X), strict.asarray(Y)
    model = make_model(backend)
    with pytest.raises(nx.BackendMismatchError, match="x is an array"):
        model.fit(x, y)
    with pytest.raises(nx.BackendMismatchError, match="x is an array"):
        model.predict(x)


def test_arrays_of_another_device():
    one, other = (
        nx.get_backend("array_api_strict", device=device, dtype="float64")
        for device in ("device1", "device2")
    )
    model = make_model(one)
    with pytest.raises(nx.BackendMismatchError, match="x is an array on device .*2"):
        model.predict(other.asarray(X))
    with pytest.raises(nx.BackendMismatchError, match="y is an array on device .*2"):
        model.fit(one.asarray(X), other.asarray(Y))
    relu = nx.ReLU(backend=one)
    with pytest.raises(nx.BackendMismatchError, match="inputs is an array on device"):
        relu.forward(other.asarray(X))


def test_a_layer_of_another_backend_in_a_model(backend):
    other = "array_api_strict" if backend.name == "numpy" else "numpy"
    with pytest.raises(nx.BackendMismatchError, match="layers: Dense.* is on"):
        nx.Model([nx.Dense(2, 2, backend=other)], backend=backend)


def test_backward_before_forward_and_of_a_wrong_shape(backend):
    for layer in (nx.Dense(FEATURES, 2, backend=backend), nx.ReLU(backend=backend)):
        dvalues = backend.asarray(np.ones((N, 7)), backend.dtype)
        with pytest.raises(nx.InputError, match="forward pass"):
            layer.backward(dvalues)
        layer.forward(backend.asarray(X))
        with pytest.raises(nx.InputError, match="dvalues must have the output's shape"):
            layer.backward(dvalues)
    loss = nx.SoftmaxCrossEntropy(backend=backend)
    with pytest.raises(nx.InputError, match="forward pass"):
        loss.backward()
    with pytest.raises(nx.InputError, match="must be given together"):
        loss.backward(backend.asarray(PROBABILITIES))


def test_extreme_logits(backend):
    """Exact and finite where probabilities have long been rounded to 0."""
    be = backend
    far = 1e9 if be.dtype_name == "float64" else 1e4
    z = be.asarray(np.array([[far, -far, 0.0], [-30.0, 0.0, 0.0]]), be.dtype)
    y = be.asarray(np.array([1, 0]))
    loss = nx.SoftmaxCrossEntropy(backend=be)
    losses = be.to_numpy(loss.forward(z, y))
    np.testing.assert_allclose(losses, [2 * far, 30 + np.log(2)], rtol=1e-6)
    gradient = be.to_numpy(loss.backward())
    np.testing.assert_allclose(
        gradient, [[0.5, -0.5, 0.0], [-0.5, 0.25, 0.25]], rtol=1e-6, atol=1e-12
    )
    masked = be.asarray(np.array([[0.0, -np.inf, 0.0]]), be.dtype)
    found = be.to_numpy(loss.forward(masked, be.asarray(np.array([0]))))
    np.testing.assert_allclose(found, [np.log(2)], rtol=1e-6)


def test_relu_passes_nan_on_and_keeps_infinite_gradients_out(backend):
    be = backend
    relu = nx.ReLU(backend=be)
    x = be.asarray(np.array([[-1.0, 0.0, 2.0, np.nan, np.inf]]), be.dtype)
    y = be.to_numpy(relu.forward(x))
    np.testing.assert_array_equal(y, [[0, 0, 2, np.nan, np.inf]])
    dy = be.asarray(np.array([[np.inf, np.nan, 3.0, 1.0, 2.0]]), be.dtype)
    dx = be.to_numpy(relu.backward(dy))
    np.testing.assert_array_equal(dx[0, [0, 1, 2, 4]], [0, 0, 3, 2])
