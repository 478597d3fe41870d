"""Every backward pass is the derivative of its forward pass, seen three ways."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.testing import check_layer_gradients, directional_derivative
from tests.conftest import backend_or_skip
from tests.matrix.cases import parametrize
from tests.matrix.helpers import NUMPY64, assert_agrees, host_params, move


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_numerically(case):
    check_layer_gradients(case.make(), case.x, rtol=1e-7)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_numerically(case):
    loss = case.make()
    random = np.random.default_rng(0)
    weights = random.uniform(0.5, 1.5, case.y_pred.shape[0])
    direction = random.standard_normal(case.y_pred.shape)

    def weighted(y_pred):
        return float(loss.fwd(NUMPY64, y_pred, case.y_true)[0] @ weights)

    # Probabilities leave their interval within a wide step.
    expected = directional_derivative(weighted, case.y_pred, direction, width=1e-4)
    _, residuals = loss.fwd(NUMPY64, case.y_pred, case.y_true)
    found = float(np.sum(loss.bwd(NUMPY64, residuals, weights) * direction))
    assert found == pytest.approx(expected, rel=1e-7)


def test_numerical_check_finds_a_wrong_gradient():
    class Wrong(nx.Dense):
        def bwd(self, be, params, residuals, dy):
            dx, gradients = super().bwd(be, params, residuals, dy)
            return dx, {**gradients, "biases": gradients["biases"] * (1 + 1e-6)}

    with pytest.raises(AssertionError, match="gradient of biases"):
        check_layer_gradients(Wrong(3, 2), np.ones((2, 3)))


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_against_jax_vjp(case):
    be = backend_or_skip("jax", "float64")
    import jax

    layer = case.make()
    params, x = move(be, host_params(layer)), be.asarray(case.x)
    y, vjp = jax.vjp(lambda p, x: layer.fwd(be, p, x)[0], params, x)
    dy = be.asarray(np.random.default_rng(2).standard_normal(y.shape))
    expected_grads, expected_dx = vjp(dy)
    _, residuals = layer.fwd(be, params, x)
    dx, grads = layer.bwd(be, params, residuals, dy)
    assert_agrees(dx, be.to_numpy(expected_dx), be)
    for name, gradient in grads.items():
        assert_agrees(gradient, be.to_numpy(expected_grads[name]), be)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_against_jax_vjp(case):
    be = backend_or_skip("jax", "float64")
    import jax

    loss, y_true = case.make(), be.asarray(case.y_true)
    y_pred = be.asarray(case.y_pred)
    losses, vjp = jax.vjp(lambda p: loss.fwd(be, p, y_true)[0], y_pred)
    dlosses = be.asarray(np.linspace(0.1, 1.0, losses.shape[0]))
    _, residuals = loss.fwd(be, y_pred, y_true)
    found = loss.bwd(be, residuals, dlosses)
    assert_agrees(found, be.to_numpy(vjp(dlosses)[0]), be)


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_against_torch_autograd_of_the_same_lines(case):
    be = backend_or_skip("torch", "float64")
    layer = case.make()
    params, x = move(be, host_params(layer)), be.asarray(case.x)
    for leaf in (x, *params.values()):
        leaf.requires_grad_()
    y, residuals = layer.fwd(be, params, x)
    dy = be.asarray(np.random.default_rng(2).standard_normal(y.shape))
    y.backward(dy)
    dx, grads = layer.bwd(be, params, residuals, dy)
    assert_agrees(dx, be.to_numpy(x.grad), be)
    for name, gradient in grads.items():
        assert_agrees(gradient, be.to_numpy(params[name].grad), be)


@pytest.mark.parametrize("case", **parametrize("loss"))
def test_loss_against_torch_autograd_of_the_same_lines(case):
    be = backend_or_skip("torch", "float64")
    loss, y_true = case.make(), be.asarray(case.y_true)
    y_pred = be.asarray(case.y_pred).requires_grad_()
    losses, residuals = loss.fwd(be, y_pred, y_true)
    dlosses = be.asarray(np.linspace(0.1, 1.0, losses.shape[0]))
    losses.backward(dlosses)
    found = loss.bwd(be, residuals, dlosses)
    assert_agrees(found, be.to_numpy(y_pred.grad), be)


@pytest.mark.parametrize("case", **parametrize("layer"))
def test_layer_against_independent_pytorch(torch, case):
    layer = case.make()
    host = host_params(layer)
    params = {k: torch.tensor(v, requires_grad=True) for k, v in host.items()}
    x = torch.tensor(case.x, requires_grad=True)
    expected = case.torch_forward(torch, params, x)
    dy = np.random.default_rng(2).standard_normal(tuple(expected.shape))
    expected.backward(torch.tensor(dy))
    y, residuals = layer.fwd(NUMPY64, host, case.x)
    dx, grads = layer.bwd(NUMPY64, host, residuals, dy)
    assert_agrees(y, expected.detach().numpy(), NUMPY64, rtol=1e-10)
    assert_agrees(dx, x.grad.numpy(), NUMPY64, rtol=1e-10)
    for name, gradient in grads.items():
        assert_agrees(gradient, params[name].grad.numpy(), NUMPY64, rtol=1e-10)


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


@pytest.mark.parametrize("case", **parametrize("optimizer"))
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
    assert_agrees(slots["w"], parameter.detach().numpy(), NUMPY64, rtol=1e-10)
