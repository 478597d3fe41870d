"""What JAX compiles for rows of a new number: the network, and nothing beside it."""

import re

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip

pytestmark = pytest.mark.backend("jax")
X = np.random.default_rng(0).normal(size=(40, 4))
Y = np.arange(40) % 2


@pytest.fixture
def model():
    return nx.Model(
        [nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 2), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
        backend=backend_or_skip("jax", "float32"),
    )


def compiled(caplog, call):
    """Return the names of all programs that JAX compiles for a call."""
    jax = pytest.importorskip("jax")
    caplog.clear()
    with jax.log_compiles():
        call()
    found = (re.match(r"Compiling (\S+)", text) for text in caplog.messages)
    return [match[1] for match in found if match]


@pytest.mark.parametrize("kind", ["float32", "float64", "uint8", "int64", "list"])
def test_predictions_are_few_programs(model, caplog, kind):
    rows = (10 * abs(X)).astype("float64" if kind == "list" else kind)
    model.predict(rows[:2].tolist() if kind == "list" else rows[:2])
    wanted = nx.Model([*model.layers], backend="numpy", dtype="float32").predict(rows)
    for n in (3, 5, 6, 7, 8, 40):
        given = rows[:n].tolist() if kind == "list" else rows[:n]
        found = compiled(caplog, lambda given=given: model.predict(given))
        assert found == ["jit(pure_predict)"] * (n in (3, 5, 40))
        assert model.predict(given).shape == (n, 2)
        np.testing.assert_allclose(model.predict(given), wanted[:n], rtol=1e-5)


@pytest.mark.parametrize(
    ("rows", "room"),
    [(1, 1), (2, 2), (3, 4), (65, 128), (128, 128), (129, 160), (200, 224),
     (257, 320), (1000, 1024), (1024, 1024), (60_000, 65_536)],
)  # fmt: skip
def test_rows_that_predictions_are_computed_with(model, rows, room):
    assert model._trainer.executor.rows_for(rows) == room


class Centered(nx.Layer):
    """Looks at all rows together."""

    def fwd(self, cx, x):
        return x - cx.xp.mean(x, axis=0, keepdims=True), None

    def bwd(self, cx, residuals, dy):
        return dy


def test_rows_of_a_users_own_layer_are_never_more(model):
    own = nx.Model([nx.Dense(4, 8), Centered()], backend=model.backend)
    numpy = nx.Model([*own.layers], backend="numpy", dtype="float32")
    np.testing.assert_allclose(own.predict(X[:5]), numpy.predict(X[:5]), atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_evaluations_are_few_programs(model, caplog, weighted):
    how = {"loss": model.loss, "metrics": ["accuracy", nx.ConfusionMatrix()]}
    numpy = nx.Model([*model.layers], backend="numpy", dtype="float32", **how)
    own = nx.Model([*model.layers], backend=model.backend, **how)
    own.evaluate(X[:2], Y[:2])
    for n in (3, 4, 5, 6, 7, 40):
        weight = {"sample_weight": np.linspace(0, 2, n)} if weighted else {}
        found = compiled(caplog, lambda n=n, w=weight: own.evaluate(X[:n], Y[:n], **w))
        assert found.count("jit(pure_evaluate)") == (n in (3, 4, 5, 40)) - (
            weighted and n == 4
        )
        figures = own.evaluate(X[:n], Y[:n], **weight)
        expected = numpy.evaluate(X[:n], Y[:n], **weight)
        for name, figure in expected.items():
            np.testing.assert_allclose(figures[name], figure, rtol=1e-5, err_msg=name)


def test_evaluations_do_not_look_at_rows_that_fill_up(model):
    """A loss that is infinite counts where it is, and nothing stands for no row."""
    rows = np.full((5, 4), np.inf)
    rows[1:] = 0
    figures = model.evaluate(rows, Y[:5])
    assert not np.isfinite(figures["loss"])
    weight = np.array([0.0, 1, 1, 1, 1])
    assert np.isfinite(model.evaluate(rows, Y[:5], sample_weight=weight)["loss"])


def test_what_is_moved_stays_the_callers():
    be = backend_or_skip("jax", "float32")
    rows = np.ones(3, "float32")
    moved = be.asarray(rows)
    rows[:] = 2.0
    assert be.to_numpy(moved).tolist() == [1.0, 1.0, 1.0]


def test_what_was_kept_of_a_model_outlives_its_training(model):
    def train():
        model.fit(X, Y, batch_size=20)

    first = model.layers[0]
    train()
    # Nobody holds an array of the model: the next training may take all of them.
    train()
    weights = nx.to_numpy(first.weights)
    parameters, own = model.parameters, first.weights
    first.forward(model.backend.asarray(X, "float32"))
    train()
    train()
    for kept in (parameters["0.weights"], own):
        np.testing.assert_array_equal(nx.to_numpy(kept), weights)
    first.backward(first.output)
    moved, now = nx.to_numpy(first.dinputs), nx.to_numpy(first.weights)
    np.testing.assert_allclose(moved, nx.to_numpy(first.output) @ now.T, rtol=1e-4)


def test_the_values_that_were_set_outlive_a_training(model):
    model.fit(X, Y)
    be = model.backend
    given = be.asarray(np.ones((4, 8)), "float32")
    model.layers[0].weights = given
    kept = model.get_parameters()
    model.set_parameters(kept)
    model.fit(X, Y)
    assert be.to_numpy(given).tolist() == np.ones((4, 8)).tolist()
    assert be.to_numpy(kept[0][0]).tolist() == np.ones((4, 8)).tolist()


class Bias(nx.Layer):
    """Returns a parameter as it is."""

    def parameters(self):
        return {"b": ("ones", (3, 2))}

    def fwd(self, cx, x):
        return cx.params["b"], None

    def bwd(self, cx, residuals, dy):
        cx.grads["b"] = dy
        return cx.xp.zeros_like(dy)


def test_an_output_that_is_a_parameter_outlives_a_training(model):
    own = nx.Model(
        [Bias()], loss="mean_squared_error", optimizer="sgd", backend=model.backend
    )
    x = X[:3, :2]
    own.fit(x, x, epochs=2)
    (kept,) = own.activations(x)
    expected = nx.to_numpy(kept)
    own.fit(x, x, epochs=2)
    np.testing.assert_array_equal(nx.to_numpy(kept), expected)


class Spoils(nx.Callback):
    """Puts NaN into the model after the last batch of an epoch, or none."""

    def __init__(self, model, value):
        self.model, self.value = model, value

    def on_batch_end(self, event):
        if event.batch == event.batches:
            self.model.layers[0].biases = [[self.value] * 8]


def test_parameters_are_looked_at_as_they_are_when_an_epoch_ends(model):
    model.fit(X, Y, batch_size=20, callbacks=Spoils(model, 1.0))
    with pytest.raises(nx.DivergenceError, match="epoch 2"):
        model.fit(X, Y, batch_size=20, callbacks=Spoils(model, np.nan))


@pytest.mark.parametrize(
    ("rows", "n", "k", "transposed"),
    [(30, 8, 3, [(30, 3), (3, 8)]), (30, 8, 8, [(30, 8)]), (30, 3, 8, [(30, 3)])],
)
def test_what_a_product_over_rows_transposes_is_small(rows, n, k, transposed):
    jax = pytest.importorskip("jax")
    be = nx.get_backend("jax", device="cpu")
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(rows, m)).astype("float32") for m in (n, k))
    found = jax.jit(be.matmul_over_rows)(a, b)
    np.testing.assert_allclose(found, a.T @ b, rtol=1e-5, atol=1e-6)
    jaxpr = jax.make_jaxpr(be.matmul_over_rows)(a, b)
    kinds = [(one.primitive.name, one.invars[0].aval.shape) for one in jaxpr.eqns]
    assert [shape for name, shape in kinds if name == "transpose"] == transposed
