"""What an independent examiner found: each case failed once on some backend."""

import copy

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.matrix.test_bad_input import (
    CLASSES,
    FEATURES,
    PROBABILITIES,
    X,
    Y,
    everything,
    make_model,
)

BIG = np.array([[2**31 + 5, 2**33, 1, -(2**40)]] * 6)


def ones_layer(be):
    return nx.Dense(FEATURES, 2, weight_initializer=nx.Constant(1.0), backend=be)


def test_wide_integers_are_cast_and_not_wrapped(backend):
    expected = float(BIG[0].sum())
    model = nx.Model(
        [nx.Dense(FEATURES, 2, weight_initializer=nx.Constant(1.0))], backend=backend
    )
    for values in (BIG, BIG.tolist()):
        found = backend.to_numpy(model.predict(values))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    found = backend.to_numpy(ones_layer(backend).forward(BIG.tolist()))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_numbers_too_large_for_the_models_dtype(backend_name):
    be = backend_or_skip(backend_name, "float32")
    model = make_model(be)
    before = everything(model)
    with pytest.raises(nx.InputError, match="x must be finite in float32"):
        model.fit(X * 1e300, Y)
    for name, value in everything(model).items():
        np.testing.assert_array_equal(value, before[name])
    # Where nothing is learned they are what they are: infinite.
    assert model.predict(X * 1e300).shape == (6, CLASSES)


def test_optimizer_step_on_layers_of_a_model(backend):
    model = make_model(backend)
    layer = model.layers[0]
    before = backend.to_numpy(layer.weights)
    layer.forward(backend.asarray(X))
    layer.backward(backend.asarray(np.ones((6, 5)), backend.dtype))
    nx.SGD(0.5).step(layer)
    found = backend.to_numpy(model.layers[0].weights)
    expected = before - 0.5 * X.T @ np.ones((6, 5))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_optimizer_step_checks_all_layers_before_any(backend):
    other = "array_api_strict" if backend.name == "numpy" else "numpy"
    one = nx.Dense(2, 2, backend=backend)
    two = nx.Dense(2, 2, backend=other)
    for layer in (one, two):
        layer.forward([[1.0, 2.0]])
        layer.backward([[1.0, 1.0]])
    before = backend.to_numpy(one.weights)
    optimizer = nx.SGD(0.1)
    with pytest.raises(nx.BackendMismatchError, match="and others on"):
        optimizer.step(one, two)
    one.dweights = backend.asarray(np.ones((2, 1)), backend.dtype)
    with pytest.raises(nx.InputError, match=r"dweights must have shape \(2, 2\)"):
        optimizer.step(one)
    np.testing.assert_array_equal(backend.to_numpy(one.weights), before)
    one.backward([[1.0, 1.0]])
    optimizer.step(one)
    assert not np.array_equal(backend.to_numpy(one.weights), before)


def test_arrays_read_during_training_can_be_kept(backend):
    class Keep(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model, self.kept = model, []

        def on_batch_end(self, event):
            self.kept.append(self.model.layers[0].weights)
            self.kept.append(self.model.parameters["2.biases"])

    keep = Keep()
    make_model(backend).fit(X, Y, epochs=3, batch_size=2, callbacks=keep)
    for array in keep.kept:
        assert np.all(np.isfinite(backend.to_numpy(array)))


def test_masked_arrays_are_refused(backend):
    masked = np.ma.masked_greater(X, 1.0)
    assert masked.mask.any()
    model = make_model(backend)
    with pytest.raises(nx.DTypeError, match="x: is a masked array"):
        model.fit(masked, Y)
    with pytest.raises(nx.DTypeError, match="y: is a masked array"):
        model.fit(X, np.ma.masked_equal(Y, 2))
    model.fit(np.ma.masked_array(X, mask=False), Y)


def test_learning_rate_set_on_the_optimizer(backend):
    optimizer = nx.SGD(0.5)
    layer = ones_layer(backend)
    layer.forward(X.tolist())
    layer.backward([[1.0, 1.0]] * 6)
    optimizer.step(layer)
    optimizer.learning_rate = 0.0
    before = backend.to_numpy(layer.weights)
    optimizer.step(layer)
    np.testing.assert_array_equal(backend.to_numpy(layer.weights), before)
    with pytest.raises(nx.InputError, match="learning_rate"):
        optimizer.learning_rate = "fast"

    model = make_model(backend)
    model.fit(X, Y)
    before = everything(model)["0.weights"]
    model.optimizer.learning_rate = 0.0
    assert model.fit(X, Y)["learning_rate"] == [0.0]
    np.testing.assert_array_equal(everything(model)["0.weights"], before)
    model.learning_rate = 0.25
    assert model.optimizer.learning_rate == model.learning_rate == 0.25
    model.optimizer.learning_rate = 0.125
    assert model.learning_rate == 0.125
    model.optimizer.learning_rate = 0.5
    assert model.to(backend).learning_rate == 0.5


def test_learning_rate_set_on_the_optimizer_is_saved(tmp_path):
    model = make_model("numpy")
    model.optimizer.learning_rate = 0.5
    model.save(tmp_path / "m")
    assert nx.Model.load(tmp_path / "m").learning_rate == 0.5


@pytest.mark.parametrize("name", ["strict", "numpy", "torch", "jax", "cupy"])
def test_overflow_passes_without_a_warning(name, dtype):
    """The tests turn every warning into an error."""
    be = backend_or_skip(name, dtype)
    huge = 0.9 * float(be.xp.finfo(be.dtype).max)
    z = be.asarray(np.array([[huge, -huge, 0.0], [np.inf, 0.0, 0.0]]), be.dtype)
    nx.SoftmaxCrossEntropy(backend=be).forward(z, be.asarray(np.array([0, 1])))
    nx.Softmax(backend=be).forward(z)
    model = make_model(be)
    model.learning_rate = huge
    model.fit(X, Y, epochs=5, on_divergence="continue")


@pytest.mark.backend("torch")
def test_tensors_that_require_gradients(torch, dtype):
    be = backend_or_skip("torch", dtype)
    x = torch.tensor(X, requires_grad=True)
    model = make_model(be)
    model.fit(x, torch.tensor(Y))
    model.layers[0].weights = torch.nn.Parameter(torch.ones(FEATURES, 5))
    model.fit(torch.tensor(X), torch.tensor(Y))
    assert not model.predict(x).requires_grad
    linear = torch.nn.Linear(FEATURES, 2)
    dense = nx.Dense(FEATURES, 2, backend=be)
    dense.weights = linear.weight.T
    dense.biases = linear.bias[None, :]
    found = np.asarray(dense.forward(torch.tensor(X)))
    expected = linear.double()(torch.tensor(X)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_numpy_numbers_are_numbers(tmp_path):
    dense = nx.Dense(np.int64(FEATURES), np.unique(Y).size + np.uint8(0))
    assert type(dense.n_neurons) is int
    model = nx.Model(
        [dense, nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=nx.Adam(np.float32(0.5)),
        seed=np.int64(3),
    )
    model.fit(X, Y, epochs=np.int32(2), batch_size=np.int64(4))
    model.evaluate(X, Y, batch_size=None)
    model.save(tmp_path / "m")
    assert nx.Model.load(tmp_path / "m").seed == 3


@pytest.mark.parametrize("seed", [-1, 2**70, 1.5, "x", True])
def test_seeds_of_layers_are_checked(seed):
    with pytest.raises(nx.InputError, match="seed must be an integer"):
        nx.Dense(2, 2, seed=seed)


class Twice(nx.Layer):
    def fwd(self, cx, x):
        return 2 * x, None

    def bwd(self, cx, residuals, dy):
        return 2 * dy


class OwnLoss(nx.SoftmaxCrossEntropy):
    pass


def test_units_of_ones_own_are_used_but_not_saved(tmp_path, backend):
    model = nx.Model(
        [nx.Dense(FEATURES, CLASSES), Twice()],
        loss=OwnLoss(),
        optimizer="sgd",
        backend=backend,
    )
    model.fit(X, Y)
    with pytest.raises(nx.InputError, match="Twice must be registered to be saved"):
        model.save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("callbacks", [3, "print", [3], [nx.Callback]])
def test_what_cannot_be_a_callback(callbacks):
    with pytest.raises(nx.InputError, match="callbacks must hold Callback objects"):
        make_model("numpy").fit(X, Y, callbacks=callbacks)


def test_no_callbacks():
    make_model("numpy").fit(X, Y, callbacks=None)


def test_backend_names_of_any_type():
    for name in (["numpy"], 3, np):
        with pytest.raises(nx.InputError, match="backend must be one of"):
            nx.get_backend(name)


def test_labels_too_wide_for_the_device(backend_name):
    be = backend_or_skip(backend_name, "float32")
    unit = nx.Accuracy(backend=be)
    with pytest.raises(nx.InputError):
        unit.calculate(
            be.asarray(PROBABILITIES, be.dtype), be.asarray(np.array([2**32] * 6))
        )


def test_nothing_is_shared_with_what_was_given(backend):
    params = {"weights": np.ones((2, 2))}
    layer = nx.Dense(2, 2, backend=backend)
    given = backend.asarray(copy.deepcopy(params["weights"]), backend.dtype)
    layer.weights = given
    layer.forward([[1.0, 1.0]])
    layer.backward([[1.0, 1.0]])
    nx.SGD(1.0).step(layer)
    np.testing.assert_array_equal(backend.to_numpy(given), params["weights"])
