"""Settings are fixed once a unit is made, and a model once its training runs."""

import inspect

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import UNITS
from tests.engine.variants import every_backend, host, where
from tests.matrix.cases import ALL

random = np.random.default_rng(9)
X = random.standard_normal((12, 4))
LABELS = np.arange(12) % 3

# What optimizers read anew before each step, and what they count.
STATE = {"learning_rate", "decay", "iterations"}


def units_of_all_kinds():
    """Return makers of every registered unit, the first of its cases."""
    return {
        f"{kind}-{name}": (kind, getattr(cases[0], "make", None) or cases[0][0])
        for kind, units in ALL.items()
        for name, cases in units.items()
        if name in UNITS[kind]
    }


ALL_UNITS = units_of_all_kinds()
every_unit = pytest.mark.parametrize(
    ("kind", "make"), ALL_UNITS.values(), ids=ALL_UNITS
)


def settings_of(unit):
    """Return the public attributes that the constructor's arguments have become."""
    named = {
        name
        for cls in type(unit).__mro__
        if "__init__" in vars(cls)
        for name in inspect.signature(cls.__init__).parameters
    } - {"self", "backend", "device", "dtype", "where", "args", "kwargs"}
    found = {name for name in named if hasattr(unit, name)}
    found |= {name for name in vars(unit) if name[0] != "_"}
    return found - STATE if isinstance(unit, nx.Optimizer) else found


def assert_fixed(unit):
    config = unit.config()
    for name in settings_of(unit):
        before = getattr(unit, name)
        for value in (before, 0.5, None):
            with pytest.raises(nx.FixedSettingError, match=rf"\b{name}\b"):
                setattr(unit, name, value)
        assert getattr(unit, name) is before or getattr(unit, name) == before
    assert unit.config() == config


@every_unit
def test_settings_of_every_unit_are_fixed(kind, make):
    assert_fixed(make())


def test_every_kind_of_unit_has_settings():
    """The test above would be satisfied with none."""
    found = {}
    for kind, make in ALL_UNITS.values():
        found.setdefault(kind, set()).update(settings_of(make()))
    assert set(found) == set(UNITS) and all(found.values())
    assert {"rate", "n", "eps", "momentum", "negative_slope"} <= found["layer"]
    assert {"momentum", "beta_1", "epsilon", "clip_norm"} <= found["optimizer"]
    assert {"class_weight", "label_smoothing", "reduction"} <= found["loss"]


def model_with(kind, unit):
    layers, rest = [nx.Dense(4, 4)], {"loss": "mean_squared_error"}
    if kind == "layer":
        if isinstance(unit.integer_inputs, tuple) and not unit.children:
            layers = [nx.Parallel([nx.Linear(), nx.Linear()]), unit]
        else:
            several = isinstance(unit, nx.Parallel)
            layers = [unit, nx.Concatenate()] if several else [unit]
        rest = {}
    elif kind == "loss":
        layers, rest = [nx.Dense(4, 4), nx.Linear()], {"loss": unit}
    elif kind == "optimizer":
        rest["optimizer"] = unit
    elif kind == "metric":
        losses = {
            "classes": nx.CategoricalCrossEntropy(),
            "probabilities": nx.BinaryCrossEntropy(),
            "values": nx.MeanSquaredError(),
        }
        kinds = [loss for key, loss in losses.items() if unit.takes(key)]
        layers, rest = [nx.Dense(4, 9), nx.Linear()], {"loss": kinds[0]}
        rest["metrics"] = unit
    elif kind == "schedule":
        rest["optimizer"] = nx.SGD(unit)
    else:
        layers = [nx.Dense(4, 4, **{f"weight_{kind}": unit})]
    return nx.Model(layers, **rest)


@every_unit
def test_settings_of_every_unit_in_a_model_are_fixed(kind, make):
    unit = make()
    if kind == "loss" and unit.reduction == "none":
        pytest.fail("a model cannot use such a loss")
    model_with(kind, unit)
    assert_fixed(unit)


# Units of a reader's own.


class Scaled(nx.LeakyReLU):
    """A setting more, beside one that the class has by default."""

    shift = 0.0

    def __init__(self, factor):
        super().__init__(0.1)
        self.factor = factor
        self._seen = 0

    def fwd(self, cx, x):
        y, residuals = super().fwd(cx, self.factor * x + self.shift)
        return y, residuals

    def bwd(self, cx, residuals, dy):
        return self.factor * super().bwd(cx, residuals, dy)


class Own(nx.Layer):
    def __init__(self, power):
        super().__init__()
        self.power = power

    def fwd(self, cx, x):
        return x**self.power, x

    def bwd(self, cx, x, dy):
        return dy * self.power * x ** (self.power - 1)


class OwnLoss(nx.MeanSquaredError):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor


class OwnOptimizer(nx.SGD):
    def __init__(self, boost):
        super().__init__(0.1)
        self.boost = boost


class OwnMetric(nx.RegressionAccuracy):
    def __init__(self, limit):
        super().__init__()
        self.limit = limit


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Scaled(2.0), "factor"),
        (lambda: Scaled(2.0), "negative_slope"),
        (lambda: Scaled(2.0), "shift"),
        (lambda: Own(2), "power"),
        (lambda: OwnLoss(2.0), "factor"),
        (lambda: OwnLoss(2.0), "reduction"),
        (lambda: OwnLoss(2.0), "target_kind"),
        (lambda: OwnLoss(2.0), "from_logits"),
        (lambda: OwnOptimizer(2.0), "boost"),
        (lambda: OwnOptimizer(2.0), "momentum"),
        (lambda: OwnMetric(2.0), "limit"),
        (lambda: OwnMetric(2.0), "name"),
        (lambda: nx.Residual(Own(2)), "inner"),
        (lambda: nx.Residual(Own(2)), "children"),
        (lambda: nx.Sequential([Own(2)]), "layers"),
        (lambda: nx.ReLU(), "children"),
        (lambda: nx.ReLU(), "integer_inputs"),
    ],
)
def test_settings_of_own_units_are_fixed(make, name):
    unit = make()
    before = getattr(unit, name)
    with pytest.raises(nx.FixedSettingError, match=rf"\b{name}\b"):
        setattr(unit, name, 3.0)
    assert getattr(unit, name) == before


def test_names_with_an_underscore_are_free():
    unit = Scaled(2.0)
    unit._seen += 1
    unit._new = "of the reader's own"
    assert (unit._seen, unit._new) == (1, "of the reader's own")
    loss = OwnLoss(2.0)
    loss._seen = 1
    assert loss._seen == 1


def test_a_constructor_may_set_what_it_likes():
    class Late(Scaled):
        def __init__(self):
            self.early = 1
            super().__init__(2.0)
            self.factor = 4.0  # again, after the parent
            self.shift = 1.0

    unit = Late()
    assert (unit.factor, unit.shift, unit.early) == (4.0, 1.0, 1)
    for name in ("factor", "shift", "early"):
        with pytest.raises(nx.FixedSettingError, match=name):
            setattr(unit, name, 5.0)


def test_a_method_is_overridden_in_a_subclass_only():
    for unit, name in ((nx.ReLU(), "fwd"), (nx.SGD(), "apply"), (OwnLoss(1), "bwd")):
        with pytest.raises(nx.FixedSettingError, match=f"{name} is a method"):
            setattr(unit, name, lambda *args: None)


@every_backend
def test_a_changed_setting_is_refused_and_ignored_alike(variant):
    """Momentum and slope after a training, where JAX has compiled them in."""
    layers = [nx.Dense(4, 8), nx.LeakyReLU(0.1), nx.Dense(8, 3), nx.Softmax()]
    model, plain = (
        nx.Model(
            layers if number else [layer_again(layer) for layer in layers],
            loss="categorical_crossentropy",
            optimizer=nx.SGD(0.1, momentum=0.9), **where(variant),
        )
        for number in (1, 0)
    )  # fmt: skip
    model.fit(X, LABELS, batch_size=4)
    plain.fit(X, LABELS, batch_size=4)
    with pytest.raises(nx.FixedSettingError, match="momentum of SGD .* new SGD"):
        model.optimizer.momentum = 0.1
    with pytest.raises(nx.FixedSettingError, match="negative_slope of LeakyReLU"):
        model.layers[1].negative_slope = 5.0
    model.fit(X, LABELS, epochs=2, batch_size=4)
    plain.fit(X, LABELS, epochs=2, batch_size=4)
    for path, value in host(plain).items():
        np.testing.assert_array_equal(host(model)[path], value)
    whole, part = model.predict(X), model.predict(X[:7])
    np.testing.assert_allclose(nx.to_numpy(whole)[:7], nx.to_numpy(part), rtol=1e-12)


def layer_again(layer):
    return type(layer)(**layer.config())


# The units of a model.


def classifier(variant="numpy", **units):
    return nx.Model(
        [nx.Dense(4, 3), nx.Softmax()],
        **{"loss": "categorical_crossentropy", "optimizer": nx.SGD(0.1), **units},
        **where(variant),
    )


@every_backend
def test_assigning_an_optimizer_is_setting_it(variant, tmp_path):
    assigned, told = classifier(variant), classifier(variant)
    for model in (assigned, told):
        model.fit(X, LABELS, batch_size=4)
    assigned.optimizer = nx.SGD(0.0)
    before = host(assigned)
    history = assigned.fit(X, LABELS)
    assert history["learning_rate"] == [0.0] and assigned.learning_rate == 0.0
    np.testing.assert_array_equal(host(assigned)["0.weights"], before["0.weights"])
    assigned.optimizer = "adam"
    told.set(optimizer=nx.SGD(0.0))
    told.fit(X, LABELS)
    told.set(optimizer="adam")
    for model in (assigned, told):
        model.fit(X, LABELS, batch_size=4)
    for path, value in host(told).items():
        np.testing.assert_array_equal(host(assigned)[path], value)
    assigned.optimizer = nx.Adam(0.01)
    assigned.save(tmp_path / "model.safetensors")
    loaded = nx.Model.load(tmp_path / "model.safetensors", **where(variant))
    assert loaded.optimizer.config() == assigned.optimizer.config()
    assert loaded.learning_rate == 0.01


@every_backend
def test_assigning_a_loss_is_setting_it(variant):
    assigned, told = classifier(variant), classifier(variant)
    assigned.predict(X)
    smooth = nx.CategoricalCrossEntropy(label_smoothing=0.5)
    assigned.loss = smooth
    told.set(loss=nx.CategoricalCrossEntropy(label_smoothing=0.5))
    assert assigned.loss is smooth
    found = assigned.fit(X, LABELS, epochs=2, batch_size=4)
    assert found["loss"] == told.fit(X, LABELS, epochs=2, batch_size=4)["loss"]
    p = nx.to_numpy(assigned.predict(X))
    expected = nx.CategoricalCrossEntropy(label_smoothing=0.5).calculate(p, LABELS)
    loss = assigned.evaluate(X, LABELS)["loss"]
    assert loss == pytest.approx(float(expected), rel=1e-6)
    with pytest.raises(nx.InputError, match="loss must be"):
        assigned.loss = 3
    assert assigned.loss is smooth
    with pytest.raises(nx.InputError, match="loss must be"):
        assigned.loss = "nothing"


@every_backend
def test_assigning_metrics_is_setting_them(variant):
    model = classifier(variant)
    assert [metric.name for metric in model.metrics] == ["accuracy"]
    model.fit(X, LABELS)
    model.metrics = ["accuracy", nx.TopKAccuracy(2)]
    assert isinstance(model.metrics, tuple)
    figures = model.fit(X, LABELS, epochs=2).epochs[-1]
    top = model.metrics[1].name
    assert {"accuracy", top} <= set(figures) and top in model.evaluate(X, LABELS)
    model.metrics = None
    assert model.metrics == () and set(model.evaluate(X, LABELS)) == {"loss"}


def test_metrics_cannot_be_appended():
    model = classifier()
    with pytest.raises(AttributeError, match="append"):
        model.metrics.append(nx.TopKAccuracy(2))
    with pytest.raises(TypeError):
        model.metrics[0] = nx.TopKAccuracy(2)
    assert [metric.name for metric in model.metrics] == ["accuracy"]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("layers", r"model\.add"),
        ("backend", r"model\.to"),
        ("seed", "new model"),
        ("compile", "new model"),
        ("steps_trained", "fit"),
    ],
)
def test_what_of_a_model_cannot_be_assigned(name, instead):
    model = classifier()
    before = getattr(model, name)
    for value in (before, "numpy", 1):
        with pytest.raises(nx.FixedSettingError, match=f"{name} of a model.*{instead}"):
            setattr(model, name, value)
    assert getattr(model, name) is before
    with pytest.raises((AttributeError, TypeError)):
        model.layers.append(nx.ReLU())


# Inside a callback.

CALLS = {
    "set": lambda model: model.set(optimizer=nx.SGD(0.9)),
    "add": lambda model: model.add(nx.Linear()),
    "to": lambda model: model.to("numpy"),
    "fit": lambda model: model.fit(X, LABELS),
    "train": lambda model: model.train(X, LABELS, print_every=None),
    "assign optimizer": lambda model: setattr(model, "optimizer", "adam"),
    "assign loss": lambda model: setattr(model, "loss", "categorical_crossentropy"),
    "assign metrics": lambda model: setattr(model, "metrics", None),
}


class Tries(nx.Callback):
    """Calls what is not allowed wherever a callback is called."""

    def __init__(self, calls):
        self.calls, self.messages = calls, []

    def on_fit_begin(self, model, epochs, batches):
        self.model = model
        self.attempt()

    def on_epoch_begin(self, epoch):
        self.attempt()

    def on_batch_end(self, event):
        self.attempt()

    def on_epoch_end(self, record):
        self.attempt()

    def attempt(self):
        for name, call in self.calls.items():
            with pytest.raises(nx.InputError, match="cannot be called while fit runs"):
                call(self.model)
            self.messages.append(name)


@every_backend
def test_a_model_is_not_changed_while_it_trains(variant):
    model, plain = classifier(variant), classifier(variant)
    watch = Tries(CALLS)
    found = model.fit(X, LABELS, epochs=2, batch_size=4, callbacks=watch)
    expected = plain.fit(X, LABELS, epochs=2, batch_size=4)
    assert len(watch.messages) == len(CALLS) * (1 + 2 + 6 + 2)
    assert found["loss"] == expected["loss"]
    assert len(model.layers) == 2 and model.optimizer.learning_rate == 0.1
    for path, value in host(plain).items():
        np.testing.assert_array_equal(host(model)[path], value)
    # Afterwards all of it may be done.
    model.set(optimizer=nx.SGD(0.9))
    model.fit(X, LABELS)


@every_backend
def test_an_error_in_a_callback_leaves_a_model_that_can_go_on(variant):
    class SetsAnyway(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model = model

        def on_batch_end(self, event):
            if event.batch == 2:
                self.model.set(optimizer=nx.SGD(0.9))

    model = classifier(variant)
    with pytest.raises(nx.InputError, match="set cannot be called while fit runs"):
        model.fit(X, LABELS, batch_size=4, callbacks=SetsAnyway())
    assert (model.steps_trained, model.epochs_trained) == (2, 0)
    model.set(optimizer=nx.SGD(0.9))
    history = model.fit(X, LABELS, batch_size=4)
    assert history["learning_rate"] == [0.9] and model.steps_trained == 5


@every_backend
def test_looking_at_a_model_while_it_trains(variant, tmp_path):
    class Looks(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model, self.losses = model, []

        def on_batch_end(self, event):
            self.losses.append(self.model.evaluate(X, LABELS)["loss"])
            self.model.predict(X[:3])
            self.model.activations(X)
            self.model.gradients(X, LABELS)
            self.model.summary(print_fn=len)
            self.model.save(tmp_path / "model.safetensors")

    model, plain = (
        nx.Model(
            [nx.Dense(4, 4), nx.BatchNorm(4), nx.Dropout(0.5), nx.Dense(4, 3)],
            loss=nx.SoftmaxCrossEntropy(), optimizer=nx.Adam(0.1), **where(variant),
        )
        for _ in range(2)
    )  # fmt: skip
    watch = Looks()
    found = model.fit(X, LABELS, epochs=2, batch_size=4, callbacks=watch)
    expected = plain.fit(X, LABELS, epochs=2, batch_size=4)
    assert found["loss"] == expected["loss"] and len(set(watch.losses)) == 6
    for path, value in host(plain).items():
        np.testing.assert_array_equal(host(model)[path], value)


@every_backend
def test_a_learning_rate_with_decay_can_be_written_back(variant):
    """By hand, and in a callback, which halves it after each epoch of one step."""
    model = nx.Model(
        [nx.Dense(4, 3)],
        loss="mean_squared_error",
        optimizer=nx.SGD(1.0, decay=0.1),
        **where(variant),
    )
    x, y = np.zeros((4, 4)), np.zeros((4, 3))
    model.fit(x, y, epochs=10)
    assert model.learning_rate == model.optimizer.learning_rate == 1.0
    model.learning_rate = model.learning_rate
    assert model.learning_rate == 1.0
    assert model.fit(x, y)["learning_rate"] == [0.5]

    class Halve(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model = model

        def on_epoch_end(self, record):
            self.model.learning_rate *= 0.5

    rates = model.fit(x, y, epochs=3, callbacks=Halve())["learning_rate"]
    np.testing.assert_allclose(rates, [1 / 2.1, 0.5 / 2.2, 0.25 / 2.3])
    assert model.learning_rate == model.optimizer.learning_rate == 0.125


@every_backend
def test_the_learning_rate_is_state(variant):
    """What is read can be written back, and holds from the next step on."""

    class Halves(nx.Callback):
        def on_fit_begin(self, model, epochs, batches):
            self.model, self.rates = model, []

        def on_batch_end(self, event):
            self.rates.append(event.learning_rate)
            self.model.learning_rate = self.model.learning_rate / 2

    model = classifier(variant)
    watch = Halves()
    before = host(model)["0.biases"]
    model.fit(X, LABELS, batch_size=4, callbacks=watch)
    assert watch.rates == [0.1, 0.05, 0.025] and model.learning_rate == 0.0125
    reference = classifier("numpy")
    reference.fit(X, LABELS, batch_size=4, callbacks=Halves())
    np.testing.assert_allclose(
        host(model)["0.biases"], host(reference)["0.biases"], atol=1e-12
    )
    model.learning_rate = 0.0
    moved = host(model)["0.biases"]
    model.fit(X, LABELS)
    np.testing.assert_array_equal(host(model)["0.biases"], moved)
    assert (moved != before).any()


def test_values_that_a_constructor_sets_are_the_ones_used(backend64):
    class Ones(nx.Dense):
        def __init__(self):
            super().__init__(2, 3)
            self.weights = np.ones((2, 3))

    np.testing.assert_array_equal(nx.to_numpy(Ones().forward([[1.0, 2.0]])), 3.0)
    model = nx.Model([Ones()], backend=backend64)
    np.testing.assert_array_equal(nx.to_numpy(model.predict([[1.0, 2.0]])), 3.0)


def test_a_constructor_cannot_set_values_of_another_shape():
    class Wrong(nx.Dense):
        def __init__(self):
            super().__init__(2, 3)
            self.biases = np.zeros((2, 2))

    with pytest.raises(nx.InputError, match="biases"):
        Wrong()


def test_a_method_without_a_module_is_not_of_the_library():
    class Own(nx.Dense):
        def forward(self, inputs, training=True):
            return inputs

    # As that of a function which `exec` has made.
    Own.forward.__module__ = None
    with pytest.raises(nx.InputError, match="forward"):
        nx.Model([Own(2, 3)])
