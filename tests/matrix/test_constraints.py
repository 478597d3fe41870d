"""Constraints, on every backend, in a whole step, and after one by hand."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.matrix.cases import parametrize
from tests.matrix.helpers import assert_agrees

_random = np.random.default_rng(3)
# Columns and rows of about 1 and of about 3.
W = _random.standard_normal((4, 3)) * [0.5, 1.0, 3.0]


@pytest.mark.parametrize("case", **parametrize("constraint"))
def test_constraint(backend, case):
    make, expected = case
    w = backend.asarray(W, backend.dtype)
    with backend.context():
        found = make().project(backend, w)
        assert_agrees(found, expected(W), backend)
        # What holds already stays.
        assert_agrees(make().project(backend, found), expected(W), backend)
    np.testing.assert_array_equal(backend.to_numpy(w), W.astype(backend.dtype_name))


def test_against_pytorch(torch, backend64):
    be, w = backend64, torch.tensor(W)
    for found, expected in (
        (nx.MaxNorm(1.5), torch.renorm(w, 2, 1, 1.5)),
        (nx.MaxNorm(1.5, of="rows"), torch.renorm(w, 2, 0, 1.5)),
        (nx.UnitNorm(), torch.nn.functional.normalize(w, dim=0)),
        (nx.UnitNorm(of="rows"), torch.nn.functional.normalize(w, dim=1)),
    ):
        with be.context():
            projected = found.project(be, be.asarray(W, be.dtype))
        # PyTorch's renorm adds 1e-7 to the length that it divides by.
        assert_agrees(projected, expected.numpy(), be, rtol=1e-6)


def test_no_length_and_no_number(backend):
    be = backend
    w = be.asarray(np.array([[0.0, np.nan, 3.0], [0.0, 1.0, 4.0]]), be.dtype)
    with be.context():
        for unit, length in ((nx.MaxNorm(1.0), 1.0), (nx.UnitNorm(), 1.0)):
            found = be.to_numpy(unit.project(be, w))
            np.testing.assert_array_equal(found[:, 0], 0.0)
            assert np.isnan(found[0, 1])
            np.testing.assert_allclose(np.linalg.norm(found[:, 2]), length, rtol=1e-6)


def model_of(be, **options):
    return nx.Model(
        [
            nx.Dense(4, 3, weight_constraint=nx.MaxNorm(0.8),
                     bias_constraint=nx.MaxNorm(0.1, of="rows"),
                     weight_regularizer=nx.L2(0.1)),
            nx.Tanh(),
            nx.Dense(3, 2, weight_constraint="unit_norm"),
        ],
        loss="mean_squared_error", optimizer=nx.SGD(0.5, **options), backend=be, seed=2,
    )  # fmt: skip


def lengths(be, array, axis=0):
    return np.linalg.norm(be.to_numpy(array), axis=axis)


def test_a_model_keeps_them_after_every_step(backend64):
    be, model = backend64, model_of(backend64)
    x, y = _random.standard_normal((6, 4)), _random.standard_normal((6, 2))
    gradients = {k: be.to_numpy(v) for k, v in model.gradients(x, y).items()}
    before = {k: be.to_numpy(v) for k, v in model.parameters.items()}
    # Those that a model begins with are not constrained.
    assert (np.linalg.norm(before["0.weights"], axis=0) > 0.8).any()
    model.fit(x, y, batch_size=None, shuffle=False)
    after = model.parameters
    moved = {k: before[k] - 0.5 * gradients[k] for k in before}
    norms = np.linalg.norm(moved["0.weights"], axis=0)
    expected = moved["0.weights"] * np.minimum(1.0, 0.8 / norms)
    assert_agrees(after["0.weights"], expected, be)
    norm = np.linalg.norm(moved["0.biases"])
    assert_agrees(after["0.biases"], moved["0.biases"] * min(1.0, 0.1 / norm), be)
    unit = moved["2.weights"] / np.linalg.norm(moved["2.weights"], axis=0)
    assert_agrees(after["2.weights"], unit, be)
    assert_agrees(after["2.biases"], moved["2.biases"], be)
    model.fit(x, y, epochs=3)
    assert (lengths(be, model.parameters["0.weights"]) <= 0.8 + 1e-12).all()
    np.testing.assert_allclose(lengths(be, model.parameters["2.weights"]), 1.0)


def test_between_the_batches_of_a_step_nothing_is_constrained(backend64):
    be, model = backend64, model_of(backend64, accumulate=3)
    x, y = _random.standard_normal((6, 4)), _random.standard_normal((6, 2))
    before = {k: be.to_numpy(v).copy() for k, v in model.parameters.items()}
    model.fit(x, y, batch_size=3, shuffle=False)
    for path, value in before.items():
        np.testing.assert_array_equal(be.to_numpy(model.parameters[path]), value)
    model.fit(x[:3], y[:3], batch_size=None)
    assert (lengths(be, model.parameters["0.weights"]) <= 0.8 + 1e-12).all()
    np.testing.assert_allclose(lengths(be, model.parameters["2.weights"]), 1.0)


def test_layers_without_a_model_wait_for_a_step_that_is_due(backend64):
    layer = nx.Dense(2, 2, weight_constraint=nx.UnitNorm(), backend=backend64)
    layer.weights = [[3.0, 1.0], [4.0, 1.0]]
    optimizer, found = nx.SGD(0.1, accumulate=2), []
    for _ in range(2):
        layer.forward([[0.0, 0.0]])
        layer.backward([[0.0, 0.0]])
        optimizer.step(layer)
        found.append(lengths(backend64, layer.weights))
    np.testing.assert_allclose(found, [[5.0, 2**0.5], [1.0, 1.0]])


def test_averages_are_of_constrained_parameters(backend64):
    be, model = backend64, model_of(backend64, ema=0.75)
    x, y = _random.standard_normal((6, 4)), _random.standard_normal((6, 2))
    each = []
    for _ in range(3):
        model.fit(x, y, batch_size=None, shuffle=False)
        each.append({k: be.to_numpy(v).copy() for k, v in model.parameters.items()})
    for path, found in model.averaged_parameters.items():
        first, second, third = (after[path] for after in each)
        expected = 0.75 * (0.75 * first + 0.25 * second) + 0.25 * third
        assert_agrees(found, expected, be)


def test_what_is_frozen_is_not_constrained(backend64):
    be, model = backend64, model_of(backend64)
    before = be.to_numpy(model.parameters["2.weights"])
    model.layers[2].trainable = False
    model.fit(np.ones((2, 4)), np.ones((2, 2)))
    np.testing.assert_array_equal(be.to_numpy(model.parameters["2.weights"]), before)


def test_layers_without_a_model(backend64):
    be = backend64
    layer = nx.Embedding(3, 2, weight_constraint=nx.UnitNorm("rows"), backend=be)
    layer.weights = [[3.0, 4.0], [1.0, 0.0], [0.0, 2.0]]
    layer.forward([[0, 2]])
    layer.backward([[[0.0, 0.0], [0.0, 0.0]]])
    nx.Adam(0.1).step(layer)
    np.testing.assert_allclose(
        be.to_numpy(layer.weights), [[0.6, 0.8], [1.0, 0.0], [0.0, 1.0]], rtol=1e-14
    )


def test_they_are_saved(tmp_path):
    model = model_of(None)
    model.save(tmp_path / "m")
    first, _, last = nx.Model.load(tmp_path / "m").layers
    assert repr(first.weight_constraint) == "MaxNorm(limit=0.8, of='columns')"
    assert repr(first.bias_constraint) == "MaxNorm(limit=0.1, of='rows')"
    assert repr(last.weight_constraint) == "UnitNorm(of='columns')"


class NotNegative(nx.Constraint):
    def project(self, be, w):
        return be.xp.maximum(w, be.zero)


def test_a_constraint_of_ones_own(backend64):
    be = backend64
    layer = nx.Dense(3, 3, weight_constraint=NotNegative())
    model = nx.Model([layer], loss="mean_squared_error", optimizer="sgd", backend=be)
    assert (be.to_numpy(layer.weights) < 0).any()
    model.fit(_random.standard_normal((5, 3)), _random.standard_normal((5, 3)))
    assert (be.to_numpy(layer.weights) >= 0).all()
    with pytest.raises(nx.InputError, match="weight_constraint must be one of"):
        nx.Dense(3, 3, weight_constraint=2.0)
