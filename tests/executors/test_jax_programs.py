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


def test_evaluations_are_one_program(model, caplog):
    model.evaluate(X[:2], Y[:2])
    for n in (3, 5, 7):
        found = compiled(caplog, lambda n=n: model.evaluate(X[:n], Y[:n]))
        assert found == ["jit(pure_evaluate)"]


def test_what_is_moved_stays_the_callers():
    be = backend_or_skip("jax", "float32")
    rows = np.ones(3, "float32")
    moved = be.asarray(rows)
    rows[:] = 2.0
    assert be.to_numpy(moved).tolist() == [1.0, 1.0, 1.0]
