"""Penalties and their gradients, on every backend and in a whole step."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.testing import directional_derivative
from tests.matrix.cases import parametrize
from tests.matrix.helpers import NUMPY64, assert_agrees, batch_loss

_random = np.random.default_rng(3)
W = _random.standard_normal((4, 3))
W += 0.1 * np.sign(W)


@pytest.mark.parametrize("case", **parametrize("regularizer"))
def test_regularizer(backend, case):
    make, penalty, gradient = case
    unit, w = make(), backend.asarray(W, backend.dtype)
    with backend.context():
        assert_agrees(unit.penalty(backend, w), penalty(W), backend)
        assert_agrees(unit.gradient(backend, w), gradient(W), backend)
    assert unit.penalty(backend, w).shape == ()


@pytest.mark.parametrize("case", **parametrize("regularizer"))
def test_gradient_is_the_derivative_of_the_penalty(case):
    unit, direction = case[0](), _random.standard_normal(W.shape)
    expected = directional_derivative(
        lambda w: float(unit.penalty(NUMPY64, w)), W, direction
    )
    found = float(np.sum(unit.gradient(NUMPY64, W) * direction))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_l1_leaves_a_parameter_of_0_where_it_is(backend):
    """The book's gradient there is +lambda; its mode is kept on request."""
    w = backend.asarray(np.array([0.0, -0.0, -2.0, 3.0]), backend.dtype)
    for make in (nx.L1, lambda *a, **k: nx.L1L2(*a, **k)):
        exact = backend.to_numpy(make(0.5).gradient(backend, w))
        np.testing.assert_allclose(exact, [0.0, 0.0, -0.5, 0.5])
        book = backend.to_numpy(make(0.5, mode="book").gradient(backend, w))
        np.testing.assert_allclose(book, [0.5, 0.5, -0.5, 0.5])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nx.L1(-1.0), "l1 must be a finite number of 0 or more"),
        (lambda: nx.L2(np.nan), "l2 must be"),
        (lambda: nx.L1L2("x"), "l1 must be"),
        (lambda: nx.L1(0.1, mode="torch"), "mode must be one of"),
        (lambda: nx.Dense(2, 2, weight_regularizer="l3"), "weight_regularizer must be"),
        (lambda: nx.Dense(2, 2, bias_regularizer=0.1), "bias_regularizer must be"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(nx.InputError, match=message):
        make()


def regularized(be, **options):
    return nx.Dense(
        4, 3, backend=be, seed=1,
        weight_regularizer=nx.L1L2(0.1, 0.2), bias_regularizer=nx.L2(0.3), **options
    )  # fmt: skip


def test_backward_of_a_layer_has_the_penalties_as_in_the_book(backend):
    layer, plain = regularized(backend), nx.Dense(4, 3, backend=backend, seed=1)
    x = backend.asarray(_random.standard_normal((5, 4)), backend.dtype)
    dy = backend.asarray(_random.standard_normal((5, 3)), backend.dtype)
    for one in (layer, plain):
        one.biases = backend.asarray(np.array([[1.0, -2.0, 0.5]]), backend.dtype)
        one.forward(x)
        one.backward(dy)
    w, b = (backend.to_numpy(v) for v in (plain.weights, plain.biases))
    dw, db = (backend.to_numpy(v) for v in (plain.dweights, plain.dbiases))
    assert_agrees(layer.dweights, dw + 0.1 * np.sign(w) + 0.4 * w, backend)
    assert_agrees(layer.dbiases, db + 0.6 * b, backend)


def test_a_model_learns_and_reports_the_penalties(backend64):
    """One full step by hand: gradient, loss and record."""
    x = _random.standard_normal((6, 4))
    y = _random.standard_normal((6, 3))
    model = nx.Model(
        [regularized(None)],
        loss="mean_squared_error",
        optimizer=nx.SGD(0.5),
        backend=backend64,
    )
    w, b = (backend64.to_numpy(v) for v in model.parameters.values())
    history = model.fit(x, y, batch_size=None, shuffle=False)

    error = x @ w + b - y
    expected_loss = np.mean(error**2)
    dw = x.T @ (2 * error / error.size) + 0.1 * np.sign(w) + 0.4 * w
    db = (2 * error / error.size).sum(axis=0, keepdims=True) + 0.6 * b
    new_w, new_b = w - 0.5 * dw, b - 0.5 * db
    penalty = 0.1 * abs(new_w).sum() + 0.2 * (new_w**2).sum() + 0.3 * (new_b**2).sum()
    for found, expected in zip(model.parameters.values(), (new_w, new_b), strict=True):
        np.testing.assert_allclose(
            backend64.to_numpy(found), expected, rtol=1e-12, atol=1e-14
        )
    record = history.epochs[0]
    assert record["data_loss"] == pytest.approx(expected_loss, rel=1e-12)
    assert record["regularization_loss"] == pytest.approx(penalty, rel=1e-12)
    assert record["loss"] == pytest.approx(expected_loss + penalty, rel=1e-12)
    # The batch's own loss has the penalties of the parameters it met.
    old = 0.1 * abs(w).sum() + 0.2 * (w**2).sum() + 0.3 * (b**2).sum()
    assert batch_loss(model) == pytest.approx(expected_loss + old, rel=1e-12)
    # The loss of an evaluation is that of the data alone.
    assert model.evaluate(x, y)["loss"] == pytest.approx(
        np.mean((x @ new_w + new_b - y) ** 2), rel=1e-12
    )


def test_regularizers_are_saved(tmp_path):
    model = nx.Model([regularized(None)], loss="mean_squared_error", optimizer="sgd")
    model.save(tmp_path / "m")
    again = nx.Model.load(tmp_path / "m").layers[0]
    assert repr(again.weight_regularizer) == "L1L2(l1=0.1, l2=0.2, mode='exact')"
    assert repr(again.bias_regularizer) == "L2(l2=0.3)"


class Towards(nx.Regularizer):
    """Pull towards 1: a penalty of a user's own."""

    def penalty(self, be, w):
        return be.xp.sum((w - 1.0) ** 2)

    def gradient(self, be, w):
        return 2.0 * (w - 1.0)


def test_a_regularizer_of_ones_own(backend64):
    model = nx.Model(
        [nx.Dense(2, 2, weight_regularizer=Towards())],
        loss="mean_squared_error", optimizer=nx.SGD(0.1), backend=backend64,
    )  # fmt: skip
    model.fit(np.zeros((4, 2)), np.zeros((4, 2)), epochs=200)
    weights = backend64.to_numpy(model.layers[0].weights)
    np.testing.assert_allclose(weights, 1.0, atol=1e-12)
