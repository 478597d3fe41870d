"""What no unit takes: every registered one, on every backend, by construction."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.data import each
from tests.matrix.cases import ALL, parametrize
from tests.matrix.helpers import bound, host_params, is_ids, move, place, placed

# What comes in the place of an array, and what the message must say.
NO_ARRAYS = {
    "a number": (3.0, "single number"),
    "text": ("abc", "real numbers"),
    "none": (None, "real numbers"),
    "ragged": ([[1.0], [1.0, 2.0]], "cannot be converted to an array"),
    "empty": ([], "empty"),
}


def one_case(kind):
    """The first case of each unit, for what does not depend on the case."""
    return {
        "argvalues": [cases[0] for cases in ALL[kind].values()],
        "ids": list(ALL[kind]),
    }


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


def bad_inputs(be, good):
    """Yield the same for an array or for each of several, as a pattern."""
    if not isinstance(good, tuple):
        for value, message in (*bad_arrays(be, good), *NO_ARRAYS.values()):
            yield value, f".*{message}"
        return
    own = place(be, good)
    for number, one in enumerate(good):
        for value, message in (*bad_arrays(be, one), *NO_ARRAYS.values()):
            several = (*own[:number], value, *own[number + 1 :])
            yield several, rf"\[{number}\].*{message}"


@pytest.mark.parametrize("case", **one_case("layer"))
def test_inputs_of_a_layer(backend, case):
    layer = placed(case.make(), backend)
    for value, message in bad_inputs(backend, case.x):
        with pytest.raises(nx.InputError, match=f"^inputs{message}"):
            layer.forward(value)
        with pytest.raises(nx.InputError, match="forward pass"):
            layer.backward(value)
        assert not {"output", "inputs", "dinputs"} & set(vars(layer))


@pytest.mark.parametrize("case", **one_case("layer"))
def test_gradients_given_to_a_layer(backend, case):
    layer = placed(case.make(), backend)
    y = layer.forward(place(backend, case.x))
    good = each(lambda array: np.ones(array.shape), y)
    wrong = each(lambda array: np.ones((*array.shape, 2)), good)
    wrong = place(backend, wrong), ".*must have the output's shape"
    for value, message in [*bad_inputs(backend, good), wrong]:
        with pytest.raises(nx.InputError, match=f"^dvalues{message}"):
            layer.backward(value)
        assert "dinputs" not in vars(layer)
    assert layer.output is y


def test_ids_that_are_none(backend):
    layer = nx.Embedding(3, 2, backend=backend)
    for value, message in (
        (np.array([[0.0, 1.0]]), "must hold integer ids, got dtype"),
        (np.array([[True, False]]), "must hold integer ids, got dtype"),
        (np.array([[0, 3]]), "must hold ids from 0 to 2, got 3"),
        (np.array([[2, -1]]), "must hold ids from 0 to 2, got -1"),
        (np.array([[2**24 + 1]]), "must hold ids from 0 to 2, got 16777217"),
    ):
        with pytest.raises(nx.InputError, match=f"^inputs {message}"):
            layer.forward(backend.asarray(value))
        with pytest.raises(nx.InputError, match=f"^inputs {message}"):
            layer.forward(value.tolist())
        assert "output" not in vars(layer)


def test_several_inputs_and_outputs_that_are_not_as_many(backend):
    layer = placed(nx.Parallel([nx.Linear(), nx.Dense(2, 1)]), backend)
    one = backend.asarray(np.ones((3, 2)), backend.dtype)
    short = backend.asarray(np.ones((2, 2)), backend.dtype)
    for inputs, message in (
        ((one, one, one), "must hold 2 arrays, got 3"),
        ((one,), "must hold 2 arrays, got 1"),
        ((one, short), r"must hold arrays of one length, got \[3, 2\]"),
    ):
        with pytest.raises(nx.InputError, match=f"^inputs {message}"):
            layer.forward(inputs)
    layer.forward((one, one))
    for gradients in (one, (one,), (one, one, one)):
        with pytest.raises(nx.InputError, match="^dvalues must hold 2 arrays"):
            layer.backward(gradients)
    dx = layer.backward([one, one[:, :1]])
    assert len(dx) == 2 and backend.to_numpy(dx[0]).tolist() == [[1, 1]] * 3


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


@pytest.mark.parametrize("training", [False, True], ids=["use", "training"])
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_nothing_warns_at_the_ends_of_the_range(backend, case, training):
    """The tests turn every warning into an error."""
    layer = case.make()
    largest = float(np.finfo(backend.dtype_name).max)
    ends = [largest, -largest, 0.0, -0.0, 1e-40, np.inf]
    values = each(lambda a: a if is_ids(a) else np.resize(ends, a.shape), case.x)
    with backend.context():
        ones = {path: np.ones(v.shape) for path, v in host_params(layer).items()}
        unit = bound(layer, backend, training, move(backend, ones))
        y, residuals = unit.fwd(place(backend, values))
        unit.bwd(residuals, y)
