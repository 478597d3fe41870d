"""What a user's own units hold is followed, however a step is run."""

import random

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.engine.held import held

# JAX compiles each of them anew, for seconds.
BACKENDS = [
    "numpy",
    "array_api_strict",
    pytest.param("torch", marks=pytest.mark.slow),
    pytest.param("jax", marks=pytest.mark.slow),
]


class Factor(nx.Layer):
    """Multiply by what the unit holds."""

    def __init__(self):
        super().__init__()
        self._factor = 1.0
        self.factors = {"first": 1.0}
        self.of_columns = np.ones((1, 3), "float32")

    def fwd(self, cx, x):
        factor = self._factor * self.factors["first"]
        factors = factor * cx.be.asarray(self.of_columns.copy())
        return factors * x, factors

    def bwd(self, cx, factors, dy):
        return factors * dy


class Noise(nx.Layer):
    """Multiply by a random number that the library knows nothing of."""

    def __init__(self, draw):
        super().__init__()
        self._draw = draw

    def fwd(self, cx, x):
        factor = float(self._draw())
        return factor * x, factor

    def bwd(self, cx, factor, dy):
        return factor * dy


class Annealed(nx.MeanSquaredError):
    """A loss whose weight is changed."""

    _weight = 1.0

    def fwd(self, be, y_pred, y_true):
        losses, residuals = super().fwd(be, y_pred, y_true)
        return self._weight * losses, residuals

    def bwd(self, be, residuals, dlosses):
        return super().bwd(be, residuals, self._weight * dlosses)


class Counting(nx.SGD):
    """An optimizer that counts by itself."""

    _count = 0

    def rule(self, be, w, dw, state, *moments):
        self._count += 1
        return w - 0.1 / self._count * dw, *moments


def of_three(layer=None, loss="mean_squared_error", optimizer=None, **options):
    if isinstance(options["backend"], str):
        pytest.importorskip(options["backend"])
    optimizer = optimizer or nx.SGD(0.01)
    layers = [nx.Dense(3, 3), *([layer] if layer else []), nx.Dense(3, 1)]
    return nx.Model(layers, loss=loss, optimizer=optimizer, **options)


def trained(model, callbacks=(), epochs=6):
    x = np.random.RandomState(0).standard_normal((8, 3))
    return model.fit(
        x, x[:, :1], batch_size=4, epochs=epochs, callbacks=callbacks, shuffle=False
    )["loss"]


def change_factor(layer):
    layer._factor *= 0.5


def change_in_dict(layer):
    layer.factors["first"] *= 0.5


def change_in_array(layer):
    layer.of_columns[...] *= 0.5


CHANGES = [change_factor, change_in_dict, change_in_array]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("change", CHANGES)
def test_what_a_callback_changes_in_a_layer(change, backend):
    class Change(nx.Callback):
        def __init__(self, layer):
            self.layer = layer

        def on_epoch_end(self, record):
            change(self.layer)

    def losses(compile):
        layer = Factor()
        model = of_three(layer, backend=backend, compile=compile)
        first = trained(model, Change(layer))
        change(layer)
        predicted = nx.to_numpy(model.predict(np.ones((2, 3))))
        change(layer)
        again = nx.to_numpy(model.predict(np.ones((2, 3))))
        assert not np.allclose(predicted, again)
        return [*first, *trained(model), *predicted[0], *again[0]]

    np.testing.assert_allclose(losses("auto"), losses("off"), rtol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_changed_in_a_loss(backend):
    def losses(compile):
        loss = Annealed()
        model = of_three(loss=loss, backend=backend, compile=compile)
        first = trained(model)
        loss._weight = 0.1
        return [*first, *trained(model)]

    np.testing.assert_allclose(losses("auto"), losses("off"), rtol=1e-4)


DRAWS = {
    "a generator of the unit": lambda: np.random.default_rng(0).normal,
    "numpy.random": lambda: np.random.normal,
    "random": lambda: random.random,
}


@pytest.mark.parametrize("draws", DRAWS.values(), ids=DRAWS)
def test_numbers_of_other_generators_are_drawn_in_every_step(draws):
    def losses(compile):
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        layer = Noise(draws())
        if isinstance(getattr(layer._draw, "__self__", None), np.random.Generator):
            layer._generator = layer._draw.__self__
        model = of_three(layer, backend="numpy", compile=compile)
        return trained(model), model.executor_note

    (auto, note), (off, _) = losses("auto"), losses("off")
    assert auto == off
    assert note.startswith("step by step (not recorded: ")


def test_an_optimizer_that_counts_by_itself():
    auto = trained(of_three(optimizer=Counting(), backend="numpy"))
    off = trained(of_three(optimizer=Counting(), backend="numpy", compile="off"))
    assert auto == off


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        (lambda: {"layer": Noise(np.random.normal)}, "generator of numpy.random"),
        (lambda: {"optimizer": Counting()}, "Counting changes its _count"),
    ],
)
def test_jax_refuses_what_it_would_repeat(parts, named):
    model = of_three(**parts(), backend="jax")
    before = {k: nx.to_numpy(w) for k, w in model.parameters.items()}
    with pytest.raises(nx.InputError, match=f"{named}.*compile='off'"):
        trained(model)
    for path, w in model.parameters.items():
        np.testing.assert_array_equal(nx.to_numpy(w), before[path])


class Counted(nx.Tanh):
    """An activation that counts its calls, and is the same for any count."""

    def __init__(self):
        super().__init__()
        self._calls = 0

    def fwd(self, cx, x):
        self._calls += 1
        return super().fwd(cx, x)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_a_counter_that_nothing_depends_on(backend, caplog):
    layer = Counted()
    auto = of_three(layer, backend=backend)
    with caplog.at_level("WARNING", "jax"):
        losses = trained(auto)
        assert layer._calls > 0
        calls = layer._calls
        off = trained(of_three(Counted(), backend=backend, compile="off"))
        np.testing.assert_allclose(losses, off, rtol=1e-4)
        trained(auto)
        auto.predict(np.ones((2, 3)))
        auto.predict(np.ones((2, 3)))
    # Programs are not compiled anew each time.
    assert backend == "numpy" or layer._calls <= calls + 2


def test_require_says_what_is_changed():
    model = of_three(optimizer=Counting(), backend="numpy", compile="require")
    with pytest.raises(nx.BackendUnavailableError, match="Counting changes its _count"):
        trained(model)


class Kept(nx.Layer):
    """Keep the inputs on the unit, where the backward pass finds them."""

    def fwd(self, cx, x):
        self._x = x
        return x * x, ()

    def bwd(self, cx, residuals, dy):
        return 2 * self._x * dy


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_layer_may_keep_what_its_backward_pass_needs(backend):
    auto = trained(of_three(Kept(), backend=backend))
    off = trained(of_three(Kept(), backend=backend, compile="off"))
    np.testing.assert_allclose(auto, off, rtol=1e-4)


def test_what_the_bases_keep_is_no_change():
    class Layer(nx.Tanh):
        pass

    class Loss(nx.MeanSquaredError):
        pass

    class Optimizer(nx.Adam):
        pass

    class Metric(nx.R2):
        pass

    layer, loss, metric, optimizer = Layer(), Loss(), Metric(), Optimizer()
    model = of_three(
        layer, loss=loss, optimizer=optimizer, metrics=metric, backend="numpy"
    )
    trained(model)
    layer.backward(layer.forward(np.ones((2, 3))))
    loss.calculate(np.ones((2, 1)), np.ones((2, 1)))
    loss.backward(np.ones((2, 1)), np.ones((2, 1)))
    metric.calculate(np.ones((2, 1)), np.ones((2, 1)))
    alone = nx.Dense(2, 2)
    alone.backward(alone.forward(np.ones((2, 2))))
    optimizer.step(alone)
    assert len(model._state.network.users_parts) == 4
    assert held(model._state.network) == {}
    trained(model)
    assert model.executor_note.startswith("recorded: ")


class Scaled(nx.Layer):
    """Multiply by what the unit holds, without an array of the host."""

    def __init__(self):
        super().__init__()
        self._factor, self.factors = 1.0, {"first": 1.0}

    def fwd(self, cx, x):
        factor = self._factor * self.factors["first"]
        return factor * x, factor

    def bwd(self, cx, factor, dy):
        return factor * dy


@pytest.mark.parametrize("change", [change_factor, change_in_dict])
def test_captured_steps_follow_too(cupy32, change):
    def losses(compile):
        layer = Scaled()

        class Change(nx.Callback):
            def on_epoch_end(self, record):
                change(layer)

        model = of_three(layer, backend=cupy32, compile=compile)
        first = trained(model, Change())
        change(layer)
        return [*first, *trained(model)]

    assert losses("require") == losses("off")


def draw_and_keep(layer):
    layer.factors["first"] *= np.random.uniform()  # noqa: NPY002


class Drawn(Scaled):
    """Change what the unit holds, and a generator."""

    def fwd(self, cx, x):
        if cx.training:
            draw_and_keep(self)
        return super().fwd(cx, x)


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        (lambda: {"optimizer": Counting()}, "Counting changes its _count"),
        (lambda: {"layer": Drawn()}, "Drawn changes its factors"),
    ],
)
def test_a_unit_that_changes_itself_is_not_captured(cupy32, parts, what):
    def losses(compile):
        np.random.seed(0)  # noqa: NPY002
        model = of_three(**parts(), backend=cupy32, compile=compile)
        return trained(model), model.executor_note

    (auto, note), (off, _) = losses("auto"), losses("off")
    assert auto == off
    assert f"not captured as a CUDA graph: {what}" in note
