"""Every backend computes the same outputs and gradients as NumPy."""

import numpy as np
import pytest

from nnfs_xp.layers.nesting import leaves
from nnfs_xp.metrics.counts import as_counts
from tests.matrix.cases import parametrize
from tests.matrix.helpers import NUMPY64, assert_agrees, host_params, move, tolerance


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
    for inner in leaves([layer]):
        inner._backend = backend
    params = move(backend, host_params(layer))
    for name, value in params.items():
        layer.set_parameter(name, value)
    x = backend.asarray(case.x, backend.dtype)
    y = layer.forward(x, training=False)
    assert y is layer.output
    dy = backend.asarray(np.ones(y.shape), backend.dtype)
    dx = layer.backward(dy)
    assert dx is layer.dinputs
    pure_y, residuals = layer.fwd(backend, params, x)
    pure_dx, pure_grads = layer.bwd(backend, params, residuals, dy)
    assert_agrees(y, backend.to_numpy(pure_y), backend, rtol=0)
    assert_agrees(dx, backend.to_numpy(pure_dx), backend, rtol=0)
    for name, gradient in pure_grads.items():
        own = layer
        *path, last = name.split(".")
        for index in path:
            own = own.layers[int(index)]
        own = getattr(own, "d" + last)
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

    y_pred = loss.check_predictions(backend, backend.asarray(case.y_pred))
    own = loss.check_targets(backend, backend.asarray(y_true), "y", y_pred.shape)
    losses, residuals = loss.fwd(backend, y_pred, own)
    gradient = loss.bwd(backend, residuals, backend.asarray(dlosses, backend.dtype))
    assert losses.shape == (n,)
    assert_agrees(losses, expected, backend)
    assert_agrees(gradient, expected_gradient, backend)
    one_for_all = loss.bwd(backend, residuals, 0.25)
    expected_gradient = loss.bwd(NUMPY64, residuals_on_host(case, loss), 0.25)
    assert_agrees(one_for_all, expected_gradient, backend)


def residuals_on_host(case, loss):
    return loss.fwd(NUMPY64, case.y_pred, case.y_true)[1]


def reduced_on_host(case, loss, weights):
    """Return a reduced loss and its gradient, written out."""
    losses, residuals = loss.fwd(NUMPY64, case.y_pred, case.y_true)
    counts = loss.counts(NUMPY64, case.y_true)
    counts = np.ones(len(losses)) if counts is None else counts
    weights = np.ones(len(losses)) if weights is None else weights
    value, dlosses = weights * losses, weights
    if loss.reduction == "mean":
        count = np.sum(weights * counts)
        value = np.sum(value) / count if count else np.nan
        dlosses = weights / count if count else 0 * weights
    elif loss.reduction == "sum":
        value = np.sum(value)
    return value, loss.bwd(NUMPY64, residuals, dlosses)


@pytest.mark.parametrize(
    ("reduction", "weighted"),
    [("mean", False), ("mean", True), ("sum", True), ("none", True)],
)
@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_shell(backend, case, reduction, weighted):
    loss = case.make(reduction=reduction, backend=backend)
    weights = np.linspace(0.0, 2.0, len(case.y_pred)) if weighted else None
    own = {} if weights is None else {"sample_weight": backend.asarray(weights)}
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    y_true = backend.asarray(case.y_true)
    expected, expected_gradient = reduced_on_host(case, loss, weights)
    assert_agrees(loss.calculate(y_pred, y_true, **own), expected, backend)
    assert_agrees(loss.backward(), expected_gradient, backend)
    assert_agrees(loss.backward(y_pred, y_true, **own), expected_gradient, backend)
    assert_agrees(loss.dinputs, expected_gradient, backend)
    losses = loss.forward(y_pred, y_true, **own)
    assert losses is loss.output
    expected = loss.fwd(NUMPY64, case.y_pred, case.y_true)[0]
    assert_agrees(losses, expected * (1.0 if weights is None else weights), backend)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_and_gradient_at_once(backend, case, weighted):
    """With weights that are known before the losses."""
    loss = case.make(backend=backend)
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    shape = tuple(y_pred.shape)
    y_true = loss.check_targets(backend, case.y_true.tolist(), "y_true", shape)
    n, weights = y_pred.shape[0], None
    if weighted:
        weights = backend.asarray(np.linspace(0.0, 1.0, n), backend.dtype)
    with backend.context():
        losses, residuals = loss.fwd(backend, y_pred, y_true)
        _, expected_count, dlosses = loss.weigh(backend, losses, y_true, weights)
        dy = loss.bwd(backend, residuals, dlosses)
        count, dlosses = loss.factors(backend, n, y_true, weights)
        found = loss.value_and_gradient(backend, y_pred, y_true, dlosses)
    assert float(count) == float(expected_count)
    for one, other in zip(found, (losses, dy), strict=True):
        assert_agrees(one, backend.to_numpy(other), backend)


@pytest.mark.parametrize("case", **parametrize("metric"))
def test_metric(backend, case):
    metric = case.make(backend=backend)
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    y_true = backend.asarray(case.y_true)
    value = metric.calculate(y_pred, y_true)
    whole = np.asarray(case.expected).dtype.kind == "i"
    if whole:
        assert value.dtype == backend.xp.int32
        np.testing.assert_array_equal(backend.to_numpy(value), case.expected)
    else:
        assert_agrees(value, case.expected, backend)

    # As a model computes it: counted here, divided on the host in float64.
    predictions, targets = metric.check_data(backend, y_pred, y_true)
    counted = as_counts(backend, metric.batch(backend, predictions, targets))
    read = {name: backend.to_numpy(array) for name, array in counted.items()}
    figure = metric.compute(NUMPY64, read)
    assert figure.dtype == (np.int32 if whole else np.float64)
    exact = all(array.dtype == np.int32 for array in read.values())
    rtol = 1e-15 if exact else tolerance(backend)
    np.testing.assert_allclose(figure, case.expected, rtol=rtol)


@pytest.mark.parametrize("case", **parametrize("metric"))
def test_metric_changes_nothing_it_is_given(backend, case):
    metric = case.make()
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    y_true = backend.asarray(case.y_true)
    metric.calculate(y_pred, y_true)
    predictions, targets = metric.check_data(backend, y_pred, y_true)
    one, two = (
        as_counts(backend, metric.batch(backend, predictions, targets))
        for _ in range(2)
    )
    before = {name: backend.to_numpy(array) for name, array in one.items()}
    metric.combine(backend, one, two)
    metric.compute(backend, one)
    for name, array in before.items():
        np.testing.assert_array_equal(backend.to_numpy(one[name]), array, name)
    host = case.y_pred.astype(backend.dtype_name)
    np.testing.assert_array_equal(backend.to_numpy(y_pred), host)
    np.testing.assert_array_equal(backend.to_numpy(y_true), case.y_true)


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
