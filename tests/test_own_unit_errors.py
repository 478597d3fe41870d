"""Units of a user's own that ask an array library for what it refuses."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip

X = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
DOUBLE = np.linspace(1.0, 2.0, 4)


class Branching(nx.Layer):
    def fwd(self, cx, x):
        return (2 * x if self.looks_at(cx, x) else x), None

    def bwd(self, cx, residuals, dy):
        return dy

    def looks_at(self, cx, x):
        return cx.xp.sum(x) > 0


class Converting(Branching):
    def looks_at(self, cx, x):
        return float(x[0, 0])


class Selecting(Branching):
    def looks_at(self, cx, x):
        return x[x > 0].shape


class BranchingBack(nx.Layer):
    def fwd(self, cx, x):
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy if dy[0, 0] > 0 else 2 * dy


class BranchingLoss(nx.Loss):
    target_kind = "values"

    def fwd(self, be, y_pred, y_true):
        error = y_pred - y_true
        if error[0, 0] > 0:
            error = 2 * error
        return be.xp.sum(error**2, axis=1), error

    def bwd(self, be, error, dlosses):
        return 2 * error * dlosses


class Wide(nx.Layer):
    """Multiplies by float64 numbers, forward, backward, and in a gradient."""

    def parameters(self):
        return {"scale": ("ones", (4,))}

    def fwd(self, cx, x):
        return x * cx.be.asarray(DOUBLE) * cx.params["scale"], x

    def bwd(self, cx, x, dy):
        both = dy * cx.be.asarray(DOUBLE)
        cx.grads["scale"] = cx.xp.sum(both * x, axis=0)
        return both * cx.params["scale"]


class Product(nx.Layer):
    def fwd(self, cx, x):
        return x @ cx.be.asarray(np.diag(DOUBLE)), None

    def bwd(self, cx, residuals, dy):
        return dy


class ProductBack(nx.Layer):
    def fwd(self, cx, x):
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy @ cx.be.asarray(np.diag(DOUBLE))


def make_model(unit, be, compile="auto"):
    return nx.Model(
        [nx.Dense(4, 4), unit, nx.Dense(4, 3)], loss="softmax_cross_entropy",
        optimizer=nx.SGD(0.1), backend=be, compile=compile,
    )  # fmt: skip


@pytest.mark.backend("jax")
@pytest.mark.parametrize(
    ("unit", "method", "line"),
    [
        (Branching, "fwd", "return .2 . x if self.looks_at"),
        (Converting, "looks_at", "return float"),
        (Selecting, "looks_at", "return x.x > 0"),
        (BranchingBack, "bwd", "return dy if dy"),
    ],
)
def test_a_layer_that_needs_values_is_named_on_jax(unit, method, line):
    be = backend_or_skip("jax", "float32")
    model = make_model(unit(), be)
    text = (
        rf"^{method} of {unit.__name__}\(\) needs the values of arrays \({__name__[6:]}"
    )
    text += rf".py, line \d+: {line}.*; use where.* compile='off'"
    with pytest.raises(nx.InputError, match=text):
        model.fit(X, Y)
    assert model.steps_trained == 0
    if method != "bwd":
        with pytest.raises(nx.InputError, match=text):
            model.predict(X)
    make_model(unit(), be, "off").fit(X, Y)


@pytest.mark.backend("jax")
def test_a_loss_that_needs_values_is_named_on_jax():
    be = backend_or_skip("jax", "float32")
    model = nx.Model(
        [nx.Dense(4, 1)], loss=BranchingLoss(), optimizer="sgd", backend=be
    )
    with pytest.raises(nx.InputError, match=r"^fwd of BranchingLoss\(\) needs the val"):
        model.fit(X, X[:, :1])


@pytest.mark.parametrize("compile", ["auto", "off"])
def test_results_of_a_layer_get_the_dtype_of_the_model(backend_name, compile):
    be = backend_or_skip(backend_name, "float32")
    model, wanted = make_model(Wide(), be, compile), make_model(Wide(), "numpy", "off")
    for one in (model, wanted):
        one.fit(X, Y, epochs=2, batch_size=4, shuffle=False)
    assert model.predict(X).dtype == be.dtype
    for path, array in model.parameters.items():
        assert array.dtype == be.dtype
        expected = wanted.parameters[path]
        np.testing.assert_allclose(nx.to_numpy(array), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.backend("torch")
@pytest.mark.parametrize(("unit", "method"), [(Product, "fwd"), (ProductBack, "bwd")])
def test_a_layer_that_mixes_dtypes_is_named_on_pytorch(unit, method):
    be = backend_or_skip("torch", "float32")
    model = make_model(unit(), be)
    text = (
        rf"^{method} of {unit.__name__}\(\) mixes dtypes .*float.*double.*float32: use"
    )
    with pytest.raises(nx.DTypeError, match=text):
        model.fit(X, Y)
    assert model.steps_trained == 0


@pytest.mark.parametrize("owner", ["strict", "cupy"])
def test_a_layer_that_mixes_libraries_is_named(owner):
    class OfNumPy(nx.Layer):
        def fwd(self, cx, x):
            return x * DOUBLE, None

        def bwd(self, cx, residuals, dy):
            return dy * DOUBLE

    model = make_model(OfNumPy(), backend_or_skip(owner, "float32"))
    text = r"^fwd of OfNumPy\(\) mixes arrays of NumPy and of .* line \d+: return x . D"
    with pytest.raises(nx.BackendMismatchError, match=text):
        model.fit(X, Y)


def test_other_errors_of_a_layer_stay():
    class Failing(Branching):
        def looks_at(self, cx, x):
            raise RuntimeError("a fault of one's own")

    with pytest.raises(RuntimeError, match=r"^a fault of one's own$"):
        make_model(Failing(), "numpy").fit(X, Y)
