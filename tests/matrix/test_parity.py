"""Every backend computes the same outputs and gradients as NumPy."""

import math

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.layers.nesting import walk
from nnfs_xp.metrics.counts import as_counts
from tests.matrix.cases import parametrize
from tests.matrix.cases.types import STEP
from tests.matrix.helpers import (
    NUMPY64,
    assert_agrees,
    assert_all_agree,
    bound,
    gradient_like,
    host_buffers,
    host_params,
    learned_paths,
    move,
    on_host,
    place,
    placed,
    set_values,
    tolerance,
    weights_like,
)

modes = pytest.mark.parametrize("training", [False, True], ids=["use", "training"])


@modes
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer(backend, case, training):
    layer = case.make()
    host = bound(layer, NUMPY64, training)
    expected, residuals = host.fwd(case.x)
    dy = gradient_like(expected)
    expected_dx, expected_grads = host.bwd(residuals, dy)

    unit = bound(layer, backend, training)
    y, residuals = unit.fwd(place(backend, case.x))
    dx, grads = unit.bwd(residuals, place(backend, dy))
    assert_agrees(y, expected, backend)
    assert_agrees(dx, expected_dx, backend)
    assert set(expected_grads) == learned_paths(layer)
    assert_all_agree(grads, expected_grads, backend)
    assert_all_agree(unit.buffers, host.buffers, backend)


@modes
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_shell_equals_the_pure_pair(backend, case, training):
    layer = placed(case.make(), backend)
    set_values(layer, move(backend, {**host_params(layer), **host_buffers(layer)}))
    layer._draws = STEP
    x = place(backend, case.x)
    y = layer.forward(x, training=training)
    assert y is layer.output
    dy = place(backend, gradient_like(y))
    dx = layer.backward(dy)
    assert dx is layer.dinputs
    unit = bound(layer, backend, training)
    pure_y, residuals = unit.fwd(x)
    pure_dx, pure_grads = unit.bwd(residuals, dy)
    assert_agrees(y, on_host(backend, pure_y), backend, rtol=0)
    assert_agrees(dx, on_host(backend, pure_dx), backend, rtol=0)
    units = dict(walk(layer))
    for path, gradient in pure_grads.items():
        inner, _, name = path.rpartition(".")
        own = getattr(units[inner], f"d{name}")
        assert_agrees(own, backend.to_numpy(gradient), backend, rtol=0)
    for path, value in unit.buffers.items():
        inner, _, name = path.rpartition(".")
        own = getattr(units[inner], name)
        assert_agrees(own, backend.to_numpy(value), backend, rtol=0)


def all_arrays(value):
    """Return the arrays in whatever a unit has kept."""
    if isinstance(value, (tuple, list)):
        return [array for part in value for array in all_arrays(part)]
    return [value] if hasattr(value, "shape") else []


@modes
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_pure_pair_changes_nothing_it_is_given(backend, case, training):
    layer, x = case.make(), place(backend, case.x)
    params = move(backend, host_params(layer))
    buffers = move(backend, host_buffers(layer))
    unit = bound(layer, backend, training, params, buffers)
    y, residuals = unit.fwd(x)
    dy = place(backend, gradient_like(y))
    given = [*all_arrays((x, y, dy, residuals)), *params.values(), *buffers.values()]
    before = [backend.to_numpy(array) for array in given]
    first = unit.bwd(residuals, dy)
    kept = [backend.to_numpy(a) for a in all_arrays((first[0], *first[1].values()))]
    second = unit.bwd(residuals, dy)
    unit.fwd(x)
    again = all_arrays((second[0], *second[1].values()))
    for array, expected in zip((*given, *again), (*before, *kept), strict=True):
        np.testing.assert_array_equal(backend.to_numpy(array), expected)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss(backend, case):
    loss = case.make()
    y_true = case.y_true
    expected, residuals = loss.fwd(NUMPY64, case.y_pred, y_true)
    dlosses = weights_like(expected)
    expected_gradient = loss.bwd(NUMPY64, residuals, dlosses)

    y_pred = loss.check_predictions(backend, backend.asarray(case.y_pred))
    own = loss.check_targets(backend, backend.asarray(y_true), "y", y_pred.shape)
    losses, residuals = loss.fwd(backend, y_pred, own)
    gradient = loss.bwd(backend, residuals, backend.asarray(dlosses, backend.dtype))
    assert losses.shape == loss.losses_shape(case.y_pred.shape)
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
    counts = loss.sample_counts(NUMPY64, case.y_true)
    counts = np.ones(losses.shape) if counts is None else counts
    weights = np.ones(losses.shape) if weights is None else weights
    # Weights of samples hold for all the losses of a sample.
    weights = np.broadcast_to(weights.T, losses.T.shape).T
    value, dlosses = weights * losses, weights
    if loss.reduction == "mean":
        count = np.sum(weights * counts)
        value = np.sum(value) / count if count else np.nan
        dlosses = weights / count if count else 0 * weights
    elif loss.reduction == "sum":
        value = np.sum(value)
    return value, loss.bwd(NUMPY64, residuals, dlosses)


def weights_of(loss, case, weighted):
    """Return weights of samples or of losses, of which some may be 0."""
    shape = loss.losses_shape(case.y_pred.shape)
    shape = {"": None, "samples": shape[:1], "losses": shape}[weighted]
    if shape is None:
        return None
    return np.reshape(np.linspace(0.0, 2.0, math.prod(shape)), shape)


def weighted_cases(*weightings):
    """Return arguments for all cases of losses, with these kinds of weights.

    Where each sample has one loss, weights of losses are those of samples.
    """
    each = parametrize("loss")
    triples = [
        (f"{name}-{weighted or 'plain'}", case, weighted)
        for name, case in zip(each["ids"], each["argvalues"], strict=True)
        for weighted in weightings
        if weighted != "losses" or len(case.make().losses_shape(case.y_pred.shape)) > 1
    ]
    return {
        "argnames": ("case", "weighted"),
        "argvalues": [tuple(rest) for _, *rest in triples],
        "ids": [name for name, *_ in triples],
    }


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(**weighted_cases("", "samples", "losses"))
def test_loss_shell(dtype, case, weighted, reduction):
    check_loss_shell(nx.get_backend("numpy", dtype=dtype), case, reduction, weighted)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_shell_everywhere(backend, case):
    """Once, as it holds no line that depends on the backend."""
    check_loss_shell(backend, case, "mean", "samples")


def check_loss_shell(backend, case, reduction, weighted):
    loss = case.make(reduction=reduction, backend=backend)
    weights = weights_of(loss, case, weighted)
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
    if weights is not None:
        expected = (expected.T * weights.T).T
    assert_agrees(losses, expected, backend)


@pytest.mark.parametrize(**weighted_cases("", "samples", "losses"))
def test_loss_and_gradient_at_once(backend, case, weighted):
    """With weights that are known before the losses."""
    loss = case.make(backend=backend)
    y_pred = backend.asarray(case.y_pred, backend.dtype)
    shape = tuple(y_pred.shape)
    y_true = loss.check_targets(backend, case.y_true.tolist(), "y_true", shape)
    weights = weights_of(loss, case, weighted)
    if weights is not None:
        weights = backend.asarray(weights, backend.dtype)
    with backend.context():
        losses, residuals = loss.fwd(backend, y_pred, y_true)
        losses_shape = loss.losses_shape(shape)
        _, dlosses = loss.factors(backend, losses_shape, y_true, weights)
        dy = loss.bwd(backend, residuals, dlosses)
        found = loss.value_and_gradient(backend, y_pred, y_true, dlosses)
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
