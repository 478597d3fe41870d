"""Layers that do not learn, and layers of a trained model in a new one."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import UNITS
from tests.conftest import backend_or_skip
from tests.engine.variants import every_backend, host, where

random = np.random.default_rng(8)
X = random.standard_normal((12, 4))
Y = random.standard_normal((12, 3))

SETTINGS = {"SGD": {"momentum": 0.9, "learning_rate": 0.05}}


def optimizers():
    return {
        name: cls
        for name, cls in UNITS["optimizer"].items()
        if cls.__module__.startswith("nnfs_xp.")
    }


every_optimizer = pytest.mark.parametrize("name", optimizers())


def optimizer_of(name):
    return optimizers()[name](**SETTINGS.get(name, {"learning_rate": 0.01}))


def make_layers(regularizer=None):
    return [
        nx.Dense(4, 6, seed=1, weight_regularizer=regularizer),
        nx.Residual(
            nx.Sequential([nx.Dense(6, 6, seed=2), nx.BatchNorm(6), nx.Tanh()])
        ),
        nx.Dense(6, 3, seed=3, bias_regularizer=regularizer),
    ]


def make_model(layers, variant="numpy", optimizer=None, metrics=None):
    return nx.Model(
        layers,
        loss="mean_squared_error",
        optimizer=optimizer or nx.Adam(0.01),
        metrics=metrics,
        **where(variant),
    )


def fit(model, epochs=1):
    return model.fit(X, Y, epochs=epochs, batch_size=4)


# Which units are frozen, and whose parameters then stay as they are.
FROZEN = {
    "layer": (lambda layers: layers[0], {"0."}),
    "block": (lambda layers: layers[1], {"1."}),
    "nested": (lambda layers: layers[1].inner.layers[0], {"1.inner.0."}),
    "last": (lambda layers: layers[2], {"2."}),
}


def is_in(path, prefixes):
    return any(path.startswith(prefix) for prefix in prefixes)


@every_optimizer
@pytest.mark.parametrize("which", FROZEN)
def test_every_optimizer_leaves_frozen_parameters_alone(name, which):
    layers = make_layers(regularizer=nx.L2(0.1))
    unit, prefixes = FROZEN[which][0](layers), FROZEN[which][1]
    unit.trainable = False
    model = make_model(layers, optimizer=optimizer_of(name))
    before = host(model)
    fit(model, epochs=3)
    after = host(model)
    for path in model.parameters:
        same = np.array_equal(before[path], after[path])
        assert same == is_in(path, prefixes), path


@every_backend
@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_frozen_parameters_neither_move_nor_decay(variant, name):
    layers = make_layers(regularizer=nx.L1L2(0.1, 0.1))
    layers[1].trainable = False
    model = make_model(layers, variant, optimizer_of(name))
    before = host(model)
    fit(model, epochs=2)
    after = host(model)
    for path in model.parameters:
        same = np.array_equal(before[path], after[path])
        assert same == path.startswith("1."), path


@every_optimizer
def test_what_is_left_learns_as_if_the_rest_were_constant(name):
    """The frozen layer is the first: without it the data could be put through it."""
    first = nx.Dense(4, 6, seed=1)
    first.trainable = False
    model = make_model([first, nx.Tanh(), nx.Dense(6, 3, seed=3)], "numpy",
                       optimizer_of(name))  # fmt: skip
    alone = make_model([nx.Dense(6, 3, seed=3)], "numpy", optimizer_of(name))
    w, b = model.layers[0].weights, model.layers[0].biases
    model.fit(X, Y, epochs=3, batch_size=None, shuffle=False)
    alone.fit(np.tanh(X @ w + b), Y, epochs=3, batch_size=None, shuffle=False)
    np.testing.assert_allclose(
        model.layers[2].weights, alone.layers[0].weights, rtol=1e-12
    )


def test_penalties_are_those_of_what_learns():
    layers = make_layers(regularizer=nx.L2(0.5))
    layers[0].trainable = False
    model = make_model(layers)
    history = model.fit(X, Y, batch_size=None)
    # The record has the penalty of after the step; biases were 0 before it.
    penalty = 0.5 * float((model.layers[2].biases ** 2).sum())
    assert history["regularization_loss"][0] == pytest.approx(penalty, rel=1e-12)
    assert 0 < penalty < 0.1


def test_gradients_are_those_of_what_learns(backend64):
    layers = make_layers()
    layers[1].trainable = False
    model = nx.Model(layers, loss="mean_squared_error", backend=backend64)
    assert set(model.gradients(X, Y)) == {
        "0.weights", "0.biases", "2.weights", "2.biases"
    }  # fmt: skip


def test_an_optimizer_by_hand_leaves_frozen_layers_alone(backend64):
    be = backend64
    dense = [nx.Dense(4, 4, backend=be), nx.Dense(4, 3, backend=be)]
    block = nx.Sequential(dense)
    dense[0].trainable = False
    before = [be.to_numpy(layer.weights).copy() for layer in dense]
    optimizer = nx.AdamW(0.1)
    for _ in range(2):
        block.forward(be.asarray(X))
        block.backward(be.asarray(Y))
        optimizer.step(block)
    after = [be.to_numpy(layer.weights) for layer in dense]
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[1] != after[1]).all()


# Batch normalization.


@every_backend
def test_a_frozen_batch_norm_keeps_its_statistics(variant):
    layers = make_layers()
    model = make_model(layers, variant)
    fit(model)
    norm = model.layers[1].inner.layers[1]
    norm.trainable = False
    before = host(model)
    loss = fit(model, epochs=2)["loss"]
    after = host(model)
    for name in ("mean", "variance", "gamma", "beta"):
        path = f"1.inner.1.{name}"
        np.testing.assert_array_equal(before[path], after[path], err_msg=path)
    assert (before["1.inner.0.weights"] != after["1.inner.0.weights"]).any()
    # And uses them: the loss of the only batch is that of an evaluation.
    expected = model.evaluate(X, Y)["loss"]
    history = model.fit(X, Y, batch_size=None)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-10)
    norm.trainable = True
    expected = model.evaluate(X, Y)["loss"]
    history = model.fit(X, Y, batch_size=None)
    assert history["loss"][0] != pytest.approx(expected, rel=1e-6)
    assert (after["1.inner.1.mean"] != host(model)["1.inner.1.mean"]).any()
    assert loss[1] < loss[0]


# Freezing, and learning again.


@every_backend
def test_momenta_survive(variant):
    """Frozen and freed without a step between, nothing has happened."""
    whole = make_model(make_layers(), variant)
    fit(whole, epochs=4)
    model = make_model(make_layers(), variant)
    fit(model, epochs=2)
    model.layers[1].trainable = False
    model.evaluate(X, Y)
    model.layers[1].trainable = True
    model.layers[0].trainable = False
    model.summary(print_fn=len)
    model.layers[0].trainable = True
    fit(model, epochs=2)
    for path, value in host(whole).items():
        np.testing.assert_array_equal(host(model)[path], value, err_msg=path)


@every_backend
def test_momenta_wait_while_others_learn(variant):
    """With momentum, a freed parameter goes on with the velocity it had."""
    model = make_model(
        [nx.Dense(4, 4, seed=1), nx.Dense(4, 3, seed=2)], variant,
        nx.SGD(0.1, momentum=0.5),
    )  # fmt: skip
    velocity = one_step(model)
    model.layers[0].trainable = False
    assert set(one_step(model)) == {"1.weights", "1.biases"}
    model.layers[0].trainable = True
    gradient = {path: nx.to_numpy(g) for path, g in model.gradients(X, Y).items()}
    moved = one_step(model)
    for path in ("0.weights", "0.biases"):
        expected = 0.5 * velocity[path] - 0.1 * gradient[path]
        np.testing.assert_allclose(moved[path], expected, atol=1e-12, err_msg=path)


def one_step(model):
    """Return by how much parameters have moved that have."""
    before = host(model)
    model.fit(X, Y, batch_size=None, shuffle=False)
    moves = {path: value - before[path] for path, value in host(model).items()}
    return {path: move for path, move in moves.items() if move.any()}


def test_the_number_of_the_step_goes_on():
    """Adam's correction for the first steps is not made twice."""
    model = make_model(make_layers())
    fit(model)
    model.layers[0].trainable = False
    fit(model)
    assert model.steps_trained == 6
    assert int(model._state.tree["optimizer"]["step"]) == 6
    model.layers[0].trainable = True
    fit(model)
    assert int(model._state.tree["optimizer"]["step"]) == 9


@every_backend
def test_all_layers_frozen(variant):
    """There is nothing to learn, and yet statistics of data to be had."""
    layers = [nx.Dense(4, 3), nx.Sequential([nx.Dense(3, 3)])]
    for layer in layers:
        layer.trainable = False
    model = make_model(layers, variant)
    before = host(model)
    history = fit(model, epochs=2)
    assert history["loss"][0] == pytest.approx(model.evaluate(X, Y)["loss"])
    for path, value in host(model).items():
        np.testing.assert_array_equal(before[path], value)


# How it is set, shown and saved.


def test_trainable_is_a_flag():
    layer = nx.Dense(2, 2)
    for value in (0, "no", None):
        with pytest.raises(nx.InputError, match="trainable must be"):
            layer.trainable = value
    assert layer.trainable is True


def test_a_summary_shows_what_is_frozen():
    layers = make_layers()
    layers[0].trainable = False
    layers[1].inner.trainable = False
    text = []
    make_model(layers).summary(print_fn=text.append)
    lines = text[0].splitlines()
    frozen = {line.split()[0] for line in lines if line.endswith("frozen")}
    assert frozen == {"0", "1.inner.0", "1.inner.1"}
    assert "105 parameters, 84 of them frozen" in text[0]
    for layer in (layers[0], layers[1].inner):
        layer.trainable = True
    make_model(layers).summary(print_fn=text.append)
    assert "frozen" not in text[1]


@every_backend
def test_what_is_frozen_is_saved(variant, tmp_path):
    layers = make_layers()
    layers[0].trainable = False
    layers[1].inner.layers[1].trainable = False
    whole = make_model(layers, variant)
    fit(whole, epochs=2)
    whole.layers[0].trainable = True
    whole.layers[2].trainable = False
    fit(whole)
    whole.save(tmp_path / "model.safetensors")
    model = nx.Model.load(tmp_path / "model.safetensors", **where(variant))
    assert [layer.trainable for layer in model.layers] == [True, True, False]
    assert not model.layers[1].inner.layers[1].trainable
    for one in (whole, model):
        # What waits in the file comes back too.
        one.layers[2].trainable = True
        fit(one, epochs=2)
    for path, value in host(whole).items():
        np.testing.assert_array_equal(host(model)[path], value, err_msg=path)


@every_backend
def test_nothing_is_frozen_while_fit_runs(variant):
    class Freeze(nx.Callback):
        def __init__(self, unit):
            self.unit, self.messages = unit, []

        def on_fit_begin(self, model, epochs, batches):
            self.try_it()

        def on_batch_end(self, event):
            self.try_it()

        def on_epoch_end(self, record):
            self.try_it()

        def try_it(self):
            with pytest.raises(nx.InputError) as caught:
                self.unit.trainable = False
            self.messages.append(str(caught.value))

    model, plain = (make_model(make_layers(), variant) for _ in range(2))
    for unit in (model.layers[0], model.layers[1].inner.layers[0]):
        watch = Freeze(unit)
        model.fit(X, Y, epochs=2, batch_size=4, callbacks=watch)
        plain.fit(X, Y, epochs=2, batch_size=4)
        assert unit.trainable
        assert set(watch.messages) == {"trainable cannot be set while fit runs"}
        assert len(watch.messages) == 9
    for path, value in host(plain).items():
        np.testing.assert_array_equal(host(model)[path], value)
    model.layers[0].trainable = False


# Layers of a trained model in a new one.


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("numpy", "numpy"),
        ("numpy", "strict-device1"),
        ("torch", "numpy"),
        ("torch", "torch"),
        ("torch", "jax"),
        ("jax", "torch"),
        ("jax", "jax"),
        ("numpy", "cupy"),
        ("cupy", "numpy"),
        ("cupy", "cupy"),
    ],
)
def test_layers_go_into_a_new_model_with_their_values(of, to):
    arguments = where(to)
    old = make_model(make_layers(), of)
    fit(old, epochs=2)
    before, predicted = host(old), nx.to_numpy(old.predict(X))
    taken = old.layers[:2]
    new = nx.Model(
        [*taken, nx.Dense(6, 2)],
        loss="mean_squared_error", optimizer=nx.Adam(0.1), metrics=None, **arguments,
    )  # fmt: skip
    after = host(new)
    for path, value in before.items():
        if not path.startswith("2."):
            np.testing.assert_array_equal(after[path], value, err_msg=path)
    new.layers[0].trainable = False
    new.fit(X, Y[:, :2], epochs=2, batch_size=4)
    np.testing.assert_array_equal(host(new)["0.weights"], before["0.weights"])
    assert (host(new)["1.inner.0.weights"] != before["1.inner.0.weights"]).any()
    # The old model has what it had.
    np.testing.assert_array_equal(nx.to_numpy(old.predict(X)), predicted)
    for path, value in host(old).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)


def test_layers_used_by_hand_go_into_a_model_with_their_values(backend64):
    be = backend64
    dense = nx.Dense(4, 3, backend=be)
    dense.weights = be.asarray(np.ones((4, 3)))
    dense.biases = be.asarray([1.0, 2.0, 3.0])
    dense.trainable = False
    model = nx.Model([dense], backend=be)
    expected = X.sum(axis=1, keepdims=True) + np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(nx.to_numpy(model.predict(X)), expected)


def test_a_layer_of_another_dtype():
    old = nx.Model([nx.Dense(4, 3)], dtype="float32")
    new = nx.Model(old.layers, dtype="float64")
    np.testing.assert_array_equal(
        new.layers[0].weights, old.parameters["0.weights"].astype("float64")
    )
    assert new.layers[0].weights.dtype == np.float64
    assert backend_or_skip("numpy", "float64") == new.layers[0].backend
