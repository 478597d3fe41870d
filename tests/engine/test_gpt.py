"""A small GPT: gradients, and trainings that agree everywhere."""

import functools

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.layers.nesting import walk
from nnfs_xp.random import Stream
from nnfs_xp.registry import UNITS
from nnfs_xp.testing import Bound, check_layer_gradients
from tests.engine.gpt import (
    RATE,
    WIDTH,
    SelfAttention,
    gpt,
    random_values,
    sentences,
    torch_gradients,
)
from tests.engine.variants import every_variant, host, where

BATCH, EPOCHS = 4, 10  # of 20 samples: 50 steps


def values_of_gpt(blocks):
    model = nx.Model(gpt(blocks))
    return random_values({k: v.shape for k, v in model.parameters.items()})


def loss_and_gradients(be, x, y):
    """Return what our units say for a pass in training."""

    def one_pass(values, x, y):
        loss, bound = nx.SoftmaxCrossEntropy(), Bound(gpt(1), be, values, training=True)
        z, residuals = bound.fwd(x)
        _, dlosses = loss.factors(be, loss.losses_shape(tuple(z.shape)), y, None)
        losses, dz = loss.value_and_gradient(be, z, y, dlosses)
        return be.xp.mean(losses), bound.bwd(residuals, dz)[1]

    if be.name == "jax":
        one_pass = pytest.importorskip("jax").jit(one_pass)
    with be.context():
        values = _moved(be, values_of_gpt(1))
        mean, gradients = one_pass(values, be.asarray(x), be.asarray(y))
    return float(mean), {path: be.to_numpy(array) for path, array in gradients.items()}


def _moved(be, values):
    return {path: be.asarray(value, be.dtype) for path, value in values.items()}


def assert_all_close(found, expected, rtol=1e-10):
    assert set(found) == set(expected)
    for path, array in expected.items():
        scale = np.max(np.abs(array), initial=0.0)
        np.testing.assert_allclose(
            found[path], array, rtol=rtol, atol=rtol * scale, err_msg=path
        )


@pytest.fixture(scope="module")
def by_jax():
    """Loss and gradients by jax.vjp, through the same lines forward."""
    jax = pytest.importorskip("jax")
    be = nx.get_backend("jax", dtype="float64")

    @jax.jit
    def differentiated(values, x, y):
        def loss(values):
            z, _ = Bound(gpt(1), be, values, training=True).fwd(x)
            log_p = jax.nn.log_softmax(z, axis=-1)
            picked = jax.numpy.take_along_axis(log_p, y[..., None], axis=-1)
            return -jax.numpy.mean(picked)

        value, pull = jax.vjp(loss, values)
        return value, pull(jax.numpy.ones_like(value))[0]

    with be.context():
        x, y = map(be.asarray, sentences())
        value, gradients = differentiated(_moved(be, values_of_gpt(1)), x, y)
    return float(value), {path: np.asarray(array) for path, array in gradients.items()}


def test_gradients_of_all_parameters_agree_with_jax(backend64, by_jax):
    loss, gradients = loss_and_gradients(backend64, *sentences())
    expected, all_expected = by_jax
    assert loss == pytest.approx(expected, rel=1e-12)
    assert len(gradients) == 19 and all(g.any() for g in gradients.values())
    assert_all_close(gradients, all_expected)


def test_gradients_agree_with_pytorch(torch):
    """By hand, through forward and backward, with the masks that are left there."""
    model, values, (x, y) = (
        nx.Model(gpt(2), dtype="float64"),
        values_of_gpt(2),
        sentences(),
    )
    for path, value in values.items():
        model.parameters[path][...] = value
    z = x
    for layer in model.layers:
        z = layer.forward(z)
    loss = nx.SoftmaxCrossEntropy(dtype="float64")
    found = float(loss.calculate(z, y))
    dz = loss.backward()
    for layer in reversed(model.layers):
        dz = layer.backward(dz)
    units = dict(walk(nx.Sequential(model.layers)))
    masks = {
        path: unit.binary_mask
        for path, unit in units.items()
        if isinstance(unit, nx.Dropout)
    }
    assert len(masks) == 4 and all((mask == 0).any() for mask in masks.values())
    gradients = {
        path: getattr(units[path.rpartition(".")[0]], "d" + path.rpartition(".")[2])
        for path in values
    }
    expected, all_expected = torch_gradients(torch, values, masks, x, y)
    assert found == pytest.approx(expected, rel=1e-12)
    assert_all_close(gradients, all_expected)


@every_variant
def test_a_training_step_follows_the_gradient_of_pytorch(torch, variant):
    x, y = sentences()
    model = nx.Model(
        gpt(1), loss=nx.SoftmaxCrossEntropy(), optimizer=nx.SGD(1.0), **where(variant)
    )
    values = host(model)
    trained = set(model.parameters)
    history = model.fit(x, y, batch_size=None, shuffle=False)
    masks = {}
    for path, width in (("1.0.inner.2", WIDTH), ("1.1.inner.4", 2 * WIDTH)):
        stream = Stream(model.seed, f"layers.{path}.noise", 0)
        masks[path] = stream.bernoulli((*x.shape, width), 1 - RATE) / (1 - RATE)
    parameters = {path: values[path] for path in trained}
    loss, gradients = torch_gradients(torch, parameters, masks, x, y)
    after = host(model)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-12)
    moved = {path: values[path] - after[path] for path in trained}
    for path, gradient in gradients.items():
        np.testing.assert_allclose(moved[path], gradient, atol=1e-10, err_msg=path)


def test_gradients_agree_with_difference_quotients():
    x, _ = sentences(n=3, t=4)
    check_layer_gradients(gpt(1), x)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setitem(UNITS["layer"], "SelfAttention", SelfAttention)


def make_model(variant):
    return nx.Model(
        gpt(1),
        loss=nx.SoftmaxCrossEntropy(),
        optimizer=nx.Adam(0.01),
        **where(variant),
    )


class LossOfEveryStep(nx.Callback):
    def __init__(self):
        self.losses = []

    def on_batch_end(self, event):
        self.losses.append(event.batch_figures()["loss"])


def train(model, epochs):
    watch = LossOfEveryStep()
    model.fit(*sentences(), epochs=epochs, batch_size=BATCH, callbacks=watch)
    return watch.losses


@functools.cache
def whole_training(variant):
    """Return losses of 50 steps, values after them, an evaluation, and the way."""
    model = make_model(variant)
    losses = train(model, EPOCHS)
    return losses, host(model), model.evaluate(*sentences()), model.executor_note


@every_variant
def test_fifty_steps_are_the_same_everywhere(variant):
    where(variant)  # skips what is not installed
    losses, values, figures, _ = whole_training("numpy")
    found, own_values, own_figures, note = whole_training(variant)
    assert len(found) == 50 and found[-1] < 0.8 * found[0]
    np.testing.assert_allclose(found, losses, rtol=1e-9)
    assert_all_close(own_values, values, rtol=1e-9)
    assert own_figures == pytest.approx(figures, rel=1e-9)
    ways = {"numpy": "recorded", "jax": "compiled by XLA", "cupy": "one CUDA graph"}
    assert note.startswith(ways.get(variant, "step by step"))


@pytest.mark.parametrize("variant", ["numpy", "torch", "jax", "cupy"])
def test_saved_in_the_middle_and_resumed(variant, registered, tmp_path):
    arguments = where(variant)
    losses, values, *_ = whole_training(variant)
    model = make_model(variant)
    found = train(model, EPOCHS // 2)
    model.save(tmp_path / "gpt.safetensors")
    model = nx.Model.load(tmp_path / "gpt.safetensors", **arguments)
    assert isinstance(model.layers[1].layers[0].inner.layers[1], SelfAttention)
    found += train(model, EPOCHS // 2)
    assert found == losses
    for path, value in values.items():
        np.testing.assert_array_equal(host(model)[path], value, err_msg=path)
