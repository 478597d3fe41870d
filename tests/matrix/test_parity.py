"""Every backend computes the same outputs and gradients as NumPy."""

import numpy as np
import pytest

from tests.matrix.cases import parametrize
from tests.matrix.helpers import NUMPY64, assert_agrees, host_params, move


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer(backend, case):
    layer = case.make()
    params = host_params(layer)
    expected, residuals = layer.fwd(NUMPY64, params, case.x)
    dy = np.random.default_rng(5).standard_normal(expected.shape)
    expected_dx, expected_grads = layer.bwd(NUMPY64, params, residuals, dy)

    own, x = move(backend, params), backend.asarray(case.x, backend.dtype)
    y, residuals = layer.fwd(backend, own, x)
    dx, grads = layer.bwd(backend, own, residuals, backend.asarray(dy, backend.dtype))
    assert_agrees(y, expected, backend)
    assert_agrees(dx, expected_dx, backend)
    assert set(grads) == set(expected_grads) == set(params)
    for name, gradient in grads.items():
        assert_agrees(gradient, expected_grads[name], backend)


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_shell_equals_the_pure_pair(backend, case):
    layer = case.make()
    layer._backend = backend
    params = move(backend, host_params(layer))
    for name, value in params.items():
        layer.set_parameter(name, value)
    x = backend.asarray(case.x, backend.dtype)
    y = layer.forward(x)
    assert y is layer.output
    dy = backend.asarray(np.ones(y.shape), backend.dtype)
    dx = layer.backward(dy)
    assert dx is layer.dinputs
    pure_y, residuals = layer.fwd(backend, params, x)
    pure_dx, pure_grads = layer.bwd(backend, params, residuals, dy)
    assert_agrees(y, backend.to_numpy(pure_y), backend, rtol=0)
    assert_agrees(dx, backend.to_numpy(pure_dx), backend, rtol=0)
    for name, gradient in pure_grads.items():
        own = getattr(layer, "d" + name)
        assert_agrees(own, backend.to_numpy(gradient), backend, rtol=0)


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_pure_pair_changes_nothing_it_is_given(backend, case):
    layer = case.make()
    params = move(backend, host_params(layer))
    x = backend.asarray(case.x, backend.dtype)
    y, residuals = layer.fwd(backend, params, x)
    dy = backend.asarray(np.full(y.shape, 2.0), backend.dtype)
    given = {"x": x, "dy": dy, "y": y, **params}
    before = {name: backend.to_numpy(value) for name, value in given.items()}
    layer.bwd(backend, params, residuals, dy)
    layer.fwd(backend, params, x)
    for name, value in given.items():
        np.testing.assert_array_equal(backend.to_numpy(value), before[name], name)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss(backend, case):
    loss = case.make()
    y_true = case.y_true
    expected, residuals = loss.fwd(NUMPY64, case.y_pred, y_true)
    n = expected.shape[0]
    dlosses = np.linspace(0.1, 1.0, n)
    expected_gradient = loss.bwd(NUMPY64, residuals, dlosses)

    kind = "int32" if y_true.ndim == 1 else backend.dtype
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    losses, residuals = loss.fwd(backend, y_pred, backend.asarray(y_true, kind))
    gradient = loss.bwd(backend, residuals, backend.asarray(dlosses, backend.dtype))
    assert losses.shape == (n,)
    assert_agrees(losses, expected, backend)
    assert_agrees(gradient, expected_gradient, backend)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_shell(backend, case):
    where = {"backend": backend}
    loss = case.make(**where)
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    y_true = backend.asarray(case.y_true)
    mean = loss.calculate(y_pred, y_true)
    assert mean.shape == ()
    expected, residuals = loss.fwd(NUMPY64, case.y_pred, case.y_true)
    assert_agrees(mean, np.mean(expected), backend)
    n = case.y_pred.shape[0]
    expected_gradient = loss.bwd(NUMPY64, residuals, np.full(n, 1 / n))
    assert_agrees(loss.backward(), expected_gradient, backend)
    assert_agrees(loss.backward(y_pred, y_true), expected_gradient, backend)
    assert_agrees(loss.dinputs, expected_gradient, backend)


@pytest.mark.parametrize("case", **parametrize("metric"))
def test_metric(backend, case):
    make, y_pred, y_true = case
    metric = make(backend=backend)
    value = metric.calculate(
        backend.asarray(y_pred, backend.dtype), backend.asarray(y_true)
    )
    labels = y_true if y_true.ndim == 1 else y_true.argmax(axis=1)
    expected = np.mean(y_pred.argmax(axis=1) == labels)
    assert value.shape == ()
    assert_agrees(value, expected, backend)


@pytest.mark.parametrize("case", **parametrize("optimizer"))
def test_optimizer(backend, case):
    optimizer = case.make()
    random = np.random.default_rng(11)
    start = random.standard_normal((4, 3))
    gradients = [random.standard_normal((4, 3)) for _ in range(200)]
    expected = case.recurrence(start, gradients)

    parameters = {"w": backend.asarray(start, backend.dtype)}
    with backend.context():
        state = optimizer.init(backend, parameters)
        for gradient in gradients:
            given = {"w": backend.asarray(gradient, backend.dtype)}
            optimizer.update(backend, parameters, given, state)
    assert_agrees(parameters["w"], expected, backend)
    assert int(backend.to_numpy(state["step"])) == 200
    assert state["learning_rate"].shape == state["step"].shape == ()


@pytest.mark.parametrize("case", **parametrize("initializer"))
def test_initializer(backend, case):
    from nnfs_xp.random import Stream

    make, mean, deviation = case
    host = make()(Stream(1, "test"), (300, 200))
    assert host.dtype == np.float64
    assert abs(host.mean() - mean) <= 4 * deviation / 60_000**0.5 + 1e-15
    assert abs(host.std() - deviation) <= 0.01 * deviation + 1e-15
    # Rounded once, on the host, so that every backend has the same bits.
    moved = backend.to_numpy(backend.asarray(host, backend.dtype))
    np.testing.assert_array_equal(moved, host.astype(backend.dtype_name))
