"""Copies and pickles of models and units: equal, exact, and on their own."""

import copy
import pickle

import numpy as np
import pytest

import nnfs_xp as nx
from tests.engine.variants import MATRIX, every_backend, host, where
from tests.matrix.cases import ALL

random = np.random.default_rng(12)
X = random.standard_normal((12, 4))
LABELS = np.arange(12) % 3


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


every_way = pytest.mark.parametrize(
    "copied", [copy.deepcopy, through_pickle], ids=["deepcopy", "pickle"]
)


def ways_of(compiled):
    """Let a model that JAX compiles be copied in one way, as that takes long."""
    ways = {"deepcopy": copy.deepcopy, "pickle": through_pickle}
    return pytest.mark.parametrize(
        ("variant", "copied"),
        [
            pytest.param(variant, way, id=f"{variant}-{name}")
            for variant in MATRIX
            for name, way in ways.items()
            if variant != "jax" or name == compiled
        ],
    )


class TwoBranches(nx.Layer):
    """A block that is in no registry: it can be copied, if not saved."""

    def __init__(self, left, right):
        super().__init__()
        self.children = {"left": left, "right": right}

    def fwd(self, cx, x):
        left, kept_left = cx["left"].fwd(x)
        right, kept_right = cx["right"].fwd(x)
        return left + right, (kept_left, kept_right)

    def bwd(self, cx, kept, dy):
        return cx["left"].bwd(kept[0], dy) + cx["right"].bwd(kept[1], dy)


def make_model(variant, optimizer=None):
    block = [nx.Dense(6, 6), nx.BatchNorm(6), nx.Dropout(0.3)]
    frozen = nx.Dense(6, 6)
    frozen.trainable = False
    return nx.Model(
        [
            nx.Dense(4, 6, weight_regularizer=nx.L2(0.01)),
            TwoBranches(nx.Sequential(block), frozen),
            nx.Tanh(),
            nx.Dense(6, 3),
            nx.Softmax(),
        ],
        loss=nx.CategoricalCrossEntropy(label_smoothing=0.1),
        optimizer=optimizer or nx.Adam(nx.ExponentialDecay(0.1, 0.9)),
        **where(variant),
    )


def fit(model, epochs=1, callbacks=()):
    return model.fit(X, LABELS, epochs=epochs, batch_size=4, callbacks=callbacks)


def everything(model):
    counts = {"steps": model.steps_trained, "epochs": model.epochs_trained}
    return {**model._ready.export(), **counts}


def assert_equal(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def assert_same_model(copied, model):
    """They are equal, go on equally, and share nothing."""
    assert copied is not model and copied.backend == model.backend
    assert repr(copied) == repr(model)
    assert_equal(everything(copied), everything(model))
    predicted = nx.to_numpy(model.predict(X))
    np.testing.assert_array_equal(nx.to_numpy(copied.predict(X)), predicted)
    before = everything(model)
    fit(copied, epochs=2)
    assert_equal(everything(model), before)
    np.testing.assert_array_equal(nx.to_numpy(model.predict(X)), predicted)
    after = everything(copied)
    fit(model, epochs=2)
    assert_equal(after, everything(model))
    assert_equal(everything(copied), everything(model))
    own = {id(unit) for unit in (*copied.leaves, copied.loss, copied.optimizer)}
    assert not own & {id(unit) for unit in (*model.leaves, model.loss, model.optimizer)}
    copied.layers[0].weights = [[0.0] * 6] * 4
    assert (nx.to_numpy(model.layers[0].weights) != 0).any()
    assert not nx.to_numpy(copied.parameters["0.weights"]).any()


@ways_of(compiled="pickle")
def test_a_model_before_and_after_fit(variant, copied):
    model = make_model(variant)
    new = copied(model)
    assert (new.layers[1].children["right"].trainable, new.steps_trained) == (False, 0)
    assert_same_model(new, model)
    assert_same_model(copied(model), model)
    assert model.steps_trained == 12


@ways_of(compiled="deepcopy")
def test_a_model_in_a_callback(variant, copied):
    """The copy stands where the model did, and no training is under way with it."""

    class Copies(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model = model

        def on_batch_end(self, event):
            if event.batch == 2:
                self.copy = copied(self.model)
                self.then = everything(self.model)

    watch, model, plain = Copies(), make_model(variant), make_model(variant)
    fit(model, callbacks=watch)
    fit(plain)
    assert_equal(everything(model), everything(plain))
    new = watch.copy
    assert (new.steps_trained, new.epochs_trained) == (2, 0)
    assert_equal(everything(new), watch.then)
    new.layers[0].trainable = False
    new.set(optimizer="sgd")
    before = host(new)
    fit(new)
    np.testing.assert_array_equal(host(new)["0.weights"], before["0.weights"])
    assert_equal(everything(model), everything(plain))


@ways_of(compiled="pickle")
def test_a_model_that_is_not_final(variant, copied):
    model = nx.Model(**where(variant))
    model.add(nx.Dense(4, 3))
    model.set(loss="mean_squared_error", optimizer="adam")
    new = copied(model)
    for one in (model, new):
        one.add(nx.Linear())
        one.fit(X, X[:, :3])
    assert_equal(everything(new), everything(model))


@every_backend
def test_a_model_with_momenta_that_wait(variant):
    model = make_model(variant, nx.SGD(0.1, momentum=0.9))
    fit(model)
    model.layers[3].trainable = False
    fit(model)
    new = copy.deepcopy(model)
    for one in (model, new):
        one.layers[3].trainable = True
        fit(one)
    assert_equal(everything(new), everything(model))


def test_copies_of_copies():
    model = make_model("numpy")
    fit(model)
    new = through_pickle(copy.deepcopy(through_pickle(model)))
    assert_same_model(new, model)


# Units.


@ways_of(compiled="deepcopy")
def test_layers_and_blocks_of_a_model(variant, copied):
    """A copy computes what and where the original does, and is no part of the model."""
    model = make_model(variant)
    fit(model)
    be, before = model.backend, host(model)
    for number in (0, 1, 3):
        layer = model.layers[number]
        new = copied(layer)
        assert new.backend == be
        x = be.asarray(X if number == 0 else X[:, [0, 1, 2, 3, 0, 1]])
        expected = nx.to_numpy(layer.forward(x, training=False))
        found = nx.to_numpy(new.forward(x, training=False))
        np.testing.assert_array_equal(found, expected)
        assert new.params and not new.params.keys() - {
            path.removeprefix(f"{number}.") for path in before
        }
        for path, value in new.params.items():
            np.testing.assert_array_equal(
                nx.to_numpy(value), before[f"{number}.{path}"], err_msg=path
            )
    assert not copied(model.layers[1]).children["right"].trainable
    new = copied(model.layers[3])
    new.weights = [[0.0] * 3] * 6
    assert (host(model)["3.weights"] == before["3.weights"]).all()


@pytest.mark.parametrize("to", ["numpy", "torch", "jax", "cupy"])
@pytest.mark.parametrize("of", ["numpy", "torch", "jax", "cupy"])
@every_way
def test_a_copy_goes_into_a_model_on_any_backend(of, to, copied):
    model = make_model(of)
    layers = copied(list(model.layers))
    new = nx.Model(layers, **where(to))
    np.testing.assert_allclose(
        nx.to_numpy(new.predict(X)), nx.to_numpy(model.predict(X)), rtol=1e-12
    )


@every_way
def test_a_layer_used_by_hand(backend64, copied):
    be = backend64
    layer = nx.Dense(4, 3, backend=be)
    block = nx.Sequential([layer, nx.BatchNorm(3)])
    x, dy = be.asarray(X), be.asarray(X[:, :3])
    block.forward(x)
    block.backward(dy)
    nx.SGD(0.1).step(block)
    new = copied(block)
    assert new.backend == be
    for one in (block, new):
        one.forward(x)
        one.backward(dy)
    for name in ("weights", "biases", "dweights", "dbiases", "output"):
        one, other = getattr(layer, name), getattr(new.layers[0], name)
        assert one is not other
        np.testing.assert_array_equal(be.to_numpy(one), be.to_numpy(other))
    for name in ("mean", "variance"):
        np.testing.assert_array_equal(
            be.to_numpy(getattr(block.layers[1], name)),
            be.to_numpy(getattr(new.layers[1], name)),
        )
    nx.SGD(0.1).step(new)
    assert (be.to_numpy(new.layers[0].weights) != be.to_numpy(layer.weights)).any()


@every_way
def test_an_optimizer_used_by_hand(backend64, copied):
    """Its momenta come along: layers and optimizer are copied together."""
    be = backend64
    layer, optimizer = nx.Dense(4, 3, backend=be), nx.Adam(0.1, decay=0.1)
    x, dy = be.asarray(X), be.asarray(X[:, :3])

    def step(layer, optimizer):
        layer.forward(x)
        layer.backward(dy)
        optimizer.step(layer)

    step(layer, optimizer)
    new_layer, new_optimizer = copied((layer, optimizer))
    assert new_optimizer.iterations == 1
    for _ in range(2):
        step(layer, optimizer)
    weights = be.to_numpy(layer.weights).copy()
    for _ in range(2):
        step(new_layer, new_optimizer)
    np.testing.assert_array_equal(be.to_numpy(new_layer.weights), weights)
    np.testing.assert_array_equal(be.to_numpy(layer.weights), weights)
    assert new_optimizer.config() == optimizer.config()


@every_way
def test_losses_and_metrics_used_by_hand(backend64, copied):
    be = backend64
    loss = nx.SoftmaxCrossEntropy(class_weight=[1.0, 2.0, 3.0], backend=be)
    metric = nx.Accuracy(backend=be)
    z, labels = be.asarray(X[:, :3]), be.asarray(LABELS)
    value = float(loss.calculate(z, labels))
    metric.update(z, labels)
    new_loss, new_metric = copied(loss), copied(metric)
    assert float(new_loss.calculate(z, labels)) == value
    np.testing.assert_array_equal(
        be.to_numpy(new_loss.backward()), be.to_numpy(loss.backward())
    )
    np.testing.assert_array_equal(
        be.to_numpy(copied(loss).backward()), be.to_numpy(loss.backward())
    )
    assert float(new_metric.result()) == float(metric.result())
    new_metric.update(be.asarray(-X[:, :3]), labels)
    metric.update(z, labels)
    assert float(new_metric.result()) != float(metric.result())


@every_way
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, units in ALL.items() for name in units]
)
def test_every_unit(kind, name, copied):
    case = ALL[kind][name][0]
    unit = (getattr(case, "make", None) or case[0])()
    new = copied(unit)
    assert type(new) is type(unit) and new is not unit
    assert new.config() == unit.config() and repr(new) == repr(unit)
    for setting in unit._settings:
        with pytest.raises(nx.FixedSettingError):
            setattr(new, setting, 0.5)
