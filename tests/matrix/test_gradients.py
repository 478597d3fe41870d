"""Every backward pass is the derivative of its forward pass, seen three ways."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.data import each
from nnfs_xp.testing import check_layer_gradients, directional_derivative
from tests.conftest import backend_or_skip
from tests.matrix.cases import ALL, parametrize
from tests.matrix.helpers import (
    NUMPY64,
    assert_agrees,
    assert_all_agree,
    bound,
    gradient_like,
    host_buffers,
    host_params,
    is_ids,
    learned_paths,
    move,
    place,
    weights_like,
)

modes = pytest.mark.parametrize("training", [False, True], ids=["use", "training"])


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_numerically(case):
    check_layer_gradients(case.make(), case.x, rtol=1e-7)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_numerically(case):
    loss = case.make()
    random = np.random.default_rng(0)
    weights = random.uniform(0.5, 1.5, loss.losses_shape(case.y_pred.shape))
    direction = random.standard_normal(case.y_pred.shape)

    def weighted(y_pred):
        return float(np.sum(loss.fwd(NUMPY64, y_pred, case.y_true)[0] * weights))

    # Probabilities leave their interval within a wide step.
    expected = directional_derivative(weighted, case.y_pred, direction, width=1e-4)
    _, residuals = loss.fwd(NUMPY64, case.y_pred, case.y_true)
    found = float(np.sum(loss.bwd(NUMPY64, residuals, weights) * direction))
    assert found == pytest.approx(expected, rel=1e-7)


def test_numerical_check_finds_a_wrong_gradient():
    class Wrong(nx.Dense):
        def bwd(self, cx, residuals, dy):
            dx = super().bwd(cx, residuals, dy)
            # What is written once more is added.
            cx.grads["biases"] = cx.xp.sum(dy, axis=0, keepdims=True) * 1e-6
            return dx

    with pytest.raises(AssertionError, match="gradient of biases"):
        check_layer_gradients(Wrong(3, 2), np.ones((2, 3)))


def test_numerical_check_finds_what_is_wrong_in_training_only():
    class Wrong(nx.BatchNorm):
        def bwd(self, cx, residuals, dy):
            return super().bwd(cx, residuals, dy) * (1 + 1e-6 * cx.training)

    with pytest.raises(AssertionError, match="gradient of inputs"):
        check_layer_gradients(Wrong(3), np.eye(4)[:, :3])


def floats_of(x):
    """Return the inputs that are no ids: those with a gradient."""
    return [a for a in (x if isinstance(x, tuple) else (x,)) if not is_ids(a)]


def with_floats(x, floats):
    """Return inputs with others in the place of those that are no ids."""
    floats = iter(floats)
    return each(lambda array: array if is_ids(array) else next(floats), x)


def gradients_of(x, gradients):
    """Return gradients in the places of inputs; ids have none."""
    gradients = iter(gradients)
    return each(lambda array: None if is_ids(array) else next(gradients), x)


@modes
@pytest.mark.parametrize("case", **parametrize("layer"))
@pytest.mark.backend("jax")
def test_layer_against_jax_vjp(case, training):
    be = backend_or_skip("jax", "float64")
    import jax

    layer, x = case.make(), place(be, case.x)

    def forward(params, floats):
        unit = bound(layer, be, training, params=params)
        return unit.fwd(with_floats(x, floats))[0]

    params = move(be, host_params(layer))
    floats = [be.asarray(array) for array in floats_of(case.x)]
    y, vjp = jax.vjp(forward, params, floats)
    dy = place(be, gradient_like(y))
    expected_grads, expected_dx = vjp(dy)
    unit = bound(layer, be, training)
    dx, grads = unit.bwd(unit.fwd(x)[1], dy)
    assert_agrees(dx, gradients_of(case.x, map(be.to_numpy, expected_dx)), be)
    assert set(grads) == learned_paths(layer)
    for path, gradient in grads.items():
        assert_agrees(gradient, be.to_numpy(expected_grads[path]), be)


@pytest.mark.parametrize("case", **parametrize("loss"))
@pytest.mark.backend("jax")
def test_loss_against_jax_vjp(case):
    be = backend_or_skip("jax", "float64")
    import jax

    loss, y_true = case.make(), be.asarray(case.y_true)
    y_pred = be.asarray(case.y_pred)
    losses, vjp = jax.vjp(lambda p: loss.fwd(be, p, y_true)[0], y_pred)
    dlosses = be.asarray(weights_like(losses))
    _, residuals = loss.fwd(be, y_pred, y_true)
    found = loss.bwd(be, residuals, dlosses)
    assert_agrees(found, be.to_numpy(vjp(dlosses)[0]), be)


def backward(torch, y, dy):
    """Let PyTorch go back from an output, or from several."""
    if not isinstance(y, tuple):
        y, dy = (y,), (dy,)
    torch.autograd.backward(y, dy)


@modes
@pytest.mark.parametrize("case", **parametrize("layer"))
@pytest.mark.backend("torch")
def test_layer_against_torch_autograd_of_the_same_lines(torch, case, training):
    be = backend_or_skip("torch", "float64")
    layer = case.make()
    params, x = move(be, host_params(layer)), place(be, case.x)
    floats = floats_of(x)
    for leaf in (*floats, *params.values()):
        leaf.requires_grad_()
    unit = bound(layer, be, training, params=params)
    y, residuals = unit.fwd(x)
    dy = place(be, gradient_like(y))
    if floats or params:
        backward(torch, y, dy)
    dx, grads = unit.bwd(residuals, dy)
    assert_agrees(dx, gradients_of(x, (be.to_numpy(a.grad) for a in floats)), be)
    assert set(grads) == learned_paths(layer)
    for path, gradient in grads.items():
        assert_agrees(gradient, be.to_numpy(params[path].grad), be)


@pytest.mark.parametrize("case", **parametrize("loss"))
@pytest.mark.backend("torch")
def test_loss_against_torch_autograd_of_the_same_lines(case):
    be = backend_or_skip("torch", "float64")
    loss, y_true = case.make(), be.asarray(case.y_true)
    y_pred = be.asarray(case.y_pred).requires_grad_()
    losses, residuals = loss.fwd(be, y_pred, y_true)
    dlosses = be.asarray(weights_like(losses))
    losses.backward(dlosses)
    found = loss.bwd(be, residuals, dlosses)
    assert_agrees(found, be.to_numpy(y_pred.grad), be)


@modes
@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_against_independent_pytorch(torch, case, training):
    layer = case.make()
    host, buffers = host_params(layer), host_buffers(layer)
    params = {k: torch.tensor(v, requires_grad=True) for k, v in host.items()}
    kept = {k: torch.tensor(v) for k, v in buffers.items()}
    x = each(lambda a: torch.tensor(a, requires_grad=not is_ids(a)), case.x)
    function = (training and case.torch_training) or case.torch_forward
    expected = function(torch, {**params, **kept}, x)
    dy = gradient_like(expected)
    backward(torch, expected, each(torch.tensor, dy))
    unit = bound(layer, NUMPY64, training, host, buffers)
    y, residuals = unit.fwd(case.x)
    dx, grads = unit.bwd(residuals, dy)
    detached = each(lambda array: array.detach().numpy(), expected)
    assert_agrees(y, detached, NUMPY64, rtol=1e-10)
    expected_dx = gradients_of(x, (a.grad.numpy() for a in floats_of(x)))
    assert_agrees(dx, expected_dx, NUMPY64, rtol=1e-10)
    assert set(grads) == learned_paths(layer)
    for path, gradient in grads.items():
        assert_agrees(gradient, params[path].grad.numpy(), NUMPY64, rtol=1e-10)
    new = {path: tensor.numpy() for path, tensor in kept.items()}
    assert_all_agree(unit.buffers, new, NUMPY64, rtol=1e-10)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_against_independent_pytorch(torch, case, reduction):
    y_pred = torch.tensor(case.y_pred, requires_grad=True)
    expected = case.torch_loss(torch, y_pred, torch.tensor(case.y_true), reduction)
    expected.sum().backward()
    loss = case.make(reduction=reduction, backend=NUMPY64)
    value = loss.calculate(case.y_pred, case.y_true)
    assert_agrees(value, expected.detach().numpy(), NUMPY64, rtol=1e-10)
    found = loss.backward()
    assert_agrees(found, y_pred.grad.numpy(), NUMPY64, rtol=1e-10)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{name}-{number}")
        for name, cases in ALL["optimizer"].items()
        for number, case in enumerate(cases)
        if case.torch_optimizer is not None
    ],
)
def test_optimizer_against_independent_pytorch(torch, case):
    random = np.random.default_rng(11)
    start = random.standard_normal((4, 3))
    parameter = torch.tensor(start, requires_grad=True)
    rival = case.torch_optimizer(torch, [parameter])
    optimizer, slots = case.make(), {"w": start.copy()}
    state = optimizer.init(NUMPY64, slots)
    for _ in range(200):
        gradient = random.standard_normal((4, 3))
        parameter.grad = torch.tensor(gradient)
        rival.step()
        optimizer.update(NUMPY64, slots, {"w": gradient}, state)
    assert_agrees(slots["w"], parameter.detach().numpy(), NUMPY64, rtol=1e-12)
