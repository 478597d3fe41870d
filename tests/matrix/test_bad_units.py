"""What no unit takes: every registered one, on every backend, by construction."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.layers.nesting import leaves
from tests.matrix.cases import ALL, parametrize
from tests.matrix.helpers import move

# What comes in the place of an array, and what the message must say.
NO_ARRAYS = {
    "a number": (3.0, "single number"),
    "text": ("abc", "real numbers"),
    "none": (None, "real numbers"),
    "ragged": ([[1.0], [1.0, 2.0]], "cannot be made into an array"),
    "empty": ([], "empty"),
}


def one_case(kind):
    """The first case of each unit, for what does not depend on the case."""
    return {
        "argvalues": [cases[0] for cases in ALL[kind].values()],
        "ids": list(ALL[kind]),
    }


def placed(case, be):
    layer = case.make()
    for inner in leaves([layer]):
        inner._backend = be
    return layer


def other_library(be, values):
    if be.name == "numpy":
        return nx.get_backend("array_api_strict").asarray(values)
    return np.asarray(values)


def bad_arrays(be, good):
    """Yield values like `good` that must be refused, and the message."""
    yield other_library(be, good), "is an array of"
    with be.context():
        yield (
            be.xp.asarray(np.asarray(good) * 1j, device=be.device),
            "real numbers",
        )
        yield be.xp.zeros((0, *np.shape(good)[1:]), device=be.device), "empty"


@pytest.mark.parametrize("case", **one_case("layer"))
def test_inputs_of_a_layer(backend, case):
    layer = placed(case, backend)
    values = [*bad_arrays(backend, case.x), *NO_ARRAYS.values()]
    for value, message in values:
        with pytest.raises(nx.InputError, match=f"^inputs.*{message}"):
            layer.forward(value)
        with pytest.raises(nx.InputError, match="forward pass"):
            layer.backward(value)
        assert not {"output", "inputs", "dinputs"} & set(vars(layer))


@pytest.mark.parametrize("case", **one_case("layer"))
def test_gradients_given_to_a_layer(backend, case):
    layer = placed(case, backend)
    y = layer.forward(backend.asarray(case.x, backend.dtype))
    good = np.ones(y.shape)
    values = [*bad_arrays(backend, good), *NO_ARRAYS.values()]
    wrong = backend.asarray(np.ones((*y.shape, 2)), backend.dtype)
    for value, message in [*values, (wrong, "must have the output's shape")]:
        with pytest.raises(nx.InputError, match=f"^dvalues.*{message}"):
            layer.backward(value)
        assert "dinputs" not in vars(layer)
    assert layer.output is y


@pytest.mark.parametrize("case", **one_case("loss"))
def test_arrays_of_a_loss(backend, case):
    loss = case.make(backend=backend)
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    y_true = backend.asarray(case.y_true)
    for value, message in [*bad_arrays(backend, case.y_pred), *NO_ARRAYS.values()]:
        with pytest.raises(nx.InputError, match=f"^y_pred.*{message}"):
            loss.calculate(value, y_true)
    for value in (
        other_library(backend, case.y_true),
        backend.asarray(case.y_true[:-1]),
        backend.asarray(case.y_true[..., None]),
        *(value for value, _ in NO_ARRAYS.values()),
    ):
        with pytest.raises(nx.InputError, match="^y_true"):
            loss.calculate(y_pred, value)
    assert not {"output", "dinputs"} & set(vars(loss))


@pytest.mark.parametrize("case", **one_case("optimizer"))
def test_layers_given_to_an_optimizer(backend, case):
    optimizer, layer = case.make(), nx.Dense(3, 2, backend=backend)
    before = backend.to_numpy(layer.weights)
    with pytest.raises(nx.InputError, match="has no gradients"):
        optimizer.step(layer)
    layer.forward(backend.asarray(np.ones((4, 3)), backend.dtype))
    layer.backward(backend.asarray(np.ones((4, 2)), backend.dtype))
    gradient = layer.dweights
    for value, message in [
        *bad_arrays(backend, np.ones((3, 2))),
        (backend.asarray(np.ones((2, 3)), backend.dtype), "must have shape"),
    ]:
        layer.dweights = value
        with pytest.raises(nx.InputError, match=f"^dweights.*{message}"):
            optimizer.step(layer)
    with pytest.raises(nx.InputError, match="at least one with parameters"):
        optimizer.step(nx.ReLU())
    np.testing.assert_array_equal(backend.to_numpy(layer.weights), before)
    assert optimizer.iterations == 0
    layer.dweights = gradient
    optimizer.step(layer)
    assert optimizer.iterations == 1


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_nothing_warns_at_the_ends_of_the_range(backend, case):
    """The tests turn every warning into an error."""
    layer = case.make()
    largest = float(np.finfo(backend.dtype_name).max)
    values = np.resize([largest, -largest, 0.0, -0.0, 1e-40, np.inf], case.x.shape)
    with backend.context():
        params = move(
            backend, {k: np.ones(s) for k, (_, s) in layer.initializers().items()}
        )
        x = backend.asarray(values, backend.dtype)
        y, residuals = layer.fwd(backend, params, x)
        layer.bwd(backend, params, residuals, y)
