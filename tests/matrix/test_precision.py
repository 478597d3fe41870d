"""Matrix products in mixed precision, on every backend."""

import copy
import pickle

import ml_dtypes
import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.backends import MATMUL_PRECISIONS, Operand
from nnfs_xp.backends.rounding import rounded
from nnfs_xp.data import load_dataset
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.testing import Bound
from tests.conftest import MATRIX, backend_or_skip
from tests.matrix.helpers import NUMPY64, assert_agrees, host_params, move

ROUNDING = [name for name in MATMUL_PRECISIONS if name != "full"]
random = np.random.default_rng(5)


@pytest.fixture(params=ROUNDING)
def precision(request):
    return request.param


@pytest.fixture
def be(backend_name, precision):
    """Every backend in each precision that rounds."""
    backend_or_skip(backend_name, "float32")
    name, device = MATRIX[backend_name]
    return nx.get_backend(name, device=device, matmul_precision=precision)


def numbers():
    """float32 numbers of every kind: all exponents, halfway ones, special ones."""
    bits = random.integers(0, 2**32, 20000, dtype=np.uint32)
    # Halfway between two numbers of each format, and next to that.
    halfway = bits[:3000] & np.uint32(0xFFFF0000)
    near = [halfway + np.uint32(d) for d in (0x7FFF, 0x8000, 0x8001, 0xFFF, 0x1000)]
    tiny = random.standard_normal(3000) * 2.0 ** random.integers(-30, -10, 3000)
    half_steps = random.integers(-4096, 4096, 2000) * 2.0**-25
    special = [
        0.0, -0.0, np.inf, -np.inf, np.nan, 65504.0, 65519.996, 65520.0, -65520.0,
        1e38, -3.4e38, 3.4028235e38, 1e-45, -1e-40, 1.1754944e-38, 6.1e-5, 6.103e-5,
        -1e-10, 2.0**-25, 2.0**-24, 3 * 2.0**-25,
    ]  # fmt: skip
    floats = np.concatenate([tiny, half_steps, special]).astype("float32")
    # NaNs of every payload among them: one fills all bits but the sign.
    integers = np.concatenate([bits, *near, [0x7FFFFFFF, 0x7F800001, 0xFFFFFFFF]])
    return np.concatenate([floats, integers.astype(np.uint32).view("float32")])


def expected_numbers(x, precision):
    """Return what other libraries round float32 numbers to."""
    with np.errstate(over="ignore", invalid="ignore"):
        if precision == "bfloat16":
            return x.astype(ml_dtypes.bfloat16).astype("float32")
        if precision == "float16":
            return x.astype("float16").astype("float32")
        # No library has tf32. Its numbers are those of float16 with more exponents,
        fraction, exponent = np.frexp(x)
        y = np.ldexp(fraction.astype("float16").astype("float32"), exponent)
        # and below the normal numbers the steps are equal.
        step = np.float32(2.0**-136)
        return np.where(np.abs(x) < 2.0**-126, np.round(x / step) * step, y)


def assert_same_bits(found, expected):
    assert found.dtype == expected.dtype == np.float32
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), nan)
    np.testing.assert_array_equal(
        found[~nan].view(np.uint32), expected[~nan].view(np.uint32)
    )


def test_rounding_agrees_with_other_libraries_bit_for_bit(be, precision):
    x = numbers()
    expected = expected_numbers(x, precision)
    with be.context():
        found = rounded(be, be.asarray(x), precision)
    assert_same_bits(be.to_numpy(found), expected)


def test_operands_are_those_numbers(be, precision):
    """In whichever dtype a backend multiplies them."""
    x = numbers()[:, None]
    with be.context():
        found = be.operand(be.asarray(x))
        assert isinstance(found, Operand)
        assert be.operand(found) is found
        host = be.to_numpy(found.array)
    if host.dtype == np.uint16:
        host = host.view(ml_dtypes.bfloat16)
    if be.name == "cupy" and precision == "tf32":
        return  # the device rounds them itself
    assert_same_bits(host.astype("float32"), expected_numbers(x, precision))


def test_rounding_is_not_optimised_away(precision):
    jax = pytest.importorskip("jax")
    be = nx.get_backend("jax", device="cpu", matmul_precision=precision)
    x = numbers()[:, None]

    def product_with_one(x):
        return be.matmul(x, be.full((1, 1), 1.0))

    # XLA's products flush what is below the normal numbers of float32.
    x = x[(np.abs(x) > 1e-30) | (x == 0)][:, None]
    expected = expected_numbers(x, precision)
    found = np.asarray(jax.jit(product_with_one)(x))
    np.testing.assert_array_equal(found, expected)


def test_products_agree_with_those_of_rounded_operands(be, precision):
    a = random.standard_normal((17, 33)).astype("float32")
    b = random.standard_normal((33, 5)).astype("float32")
    exact = expected_numbers(a, precision).astype("float64") @ expected_numbers(
        b, precision
    ).astype("float64")
    with be.context():
        x, y = be.asarray(a), be.asarray(b)
        for left in (x, be.operand(x)):
            for right in (y, be.operand(y)):
                assert_agrees(be.matmul(left, right), exact, be, rtol=2e-6)
        assert_agrees(be.full_matmul(x, y), a.astype("float64") @ b, be, rtol=2e-6)
        transposed = be.matmul(be.operand(y).T, be.operand(x).T)
        assert_agrees(transposed, exact.T, be, rtol=2e-6)


def reference_dense(params, x, dy, precision):
    """Return output and gradients of a dense layer, in float64 but for rounding."""

    def operand(a):
        return expected_numbers(a.astype("float32"), precision).astype("float64")

    y = operand(x) @ operand(params["weights"]) + params["biases"]
    return y, {
        "dx": operand(dy) @ operand(params["weights"]).T,
        "weights": operand(x).T @ operand(dy),
        "biases": dy.sum(axis=0, keepdims=True),
    }


def test_dense_rounds_the_operands_of_its_products_only(be, precision):
    layer = nx.Dense(13, 7)
    params = host_params(layer)
    x, dy = random.standard_normal((19, 13)), random.standard_normal((19, 7))
    y, gradients = reference_dense(params, x, dy, precision)
    with be.context():
        own = move(be, params)
        unit = Bound(layer, be, own)
        found, residuals = unit.fwd(be.asarray(x, be.dtype))
        there = be.asarray(dy, be.dtype)
        dx, grads = unit.bwd(residuals, there)
        # As the first unit of a network, whose inputs need no gradient.
        network = Network(layer, be, 0, standalone=True)
        program = Program(network, training=True, keeps=True)
        program.bind_arrays(own, {})
        nothing = program.root.bwd(program.root.fwd(be.asarray(x, be.dtype))[1], there)
        alone = program.run.gradients
    assert nothing is None
    # An operand may lie on the other side of a tie once in many.
    assert_agrees(found, y, be, rtol=2e-5)
    assert_agrees(dx, gradients["dx"], be, rtol=2e-5)
    for name in ("weights", "biases"):
        assert_agrees(grads[name], gradients[name], be, rtol=2e-5)
        assert_agrees(alone[name], gradients[name], be, rtol=2e-5)
    # It is another result than without rounding.
    full = x @ params["weights"] + params["biases"]
    assert np.max(np.abs(be.to_numpy(found) - full)) > 1e-4
    assert np.max(np.abs(y - full)) > 1e-4


def test_dense_rounds_each_operand_once(be, monkeypatch):
    layer = nx.Dense(13, 7)
    seen, round_once = [], be.rounded
    monkeypatch.setattr(be, "rounded", lambda a: seen.append(a.shape) or round_once(a))
    with be.context():
        unit = Bound(layer, be, move(be, host_params(layer)))
        y, residuals = unit.fwd(be.full((5, 13), 1.0))
        unit.bwd(residuals, y)
        unit.bwd(residuals, y)
    assert seen == [(5, 13), (13, 7), (5, 7), (5, 7)]


def test_confusion_matrix_counts_exactly(be):
    scores = random.standard_normal((3001, 3)).astype("float32")
    true = random.integers(0, 3, 3001)
    metric = nx.ConfusionMatrix(backend=be)
    found = be.to_numpy(metric.calculate(be.asarray(scores), be.asarray(true)))
    expected = np.zeros((3, 3), int)
    np.add.at(expected, (true, scores.argmax(axis=1)), 1)
    np.testing.assert_array_equal(found, expected)


def test_everything_else_is_float32(be):
    model = make(backend=be)
    x, y = random.standard_normal((32, 4)).astype("float32"), np.arange(32) % 3
    model.fit(x, y, epochs=2, batch_size=16)
    assert all(value.dtype == be.dtype for value in model.parameters.values())
    assert model.predict(x).dtype == be.dtype
    for value in model._ready.export().values():
        assert value.dtype in ("float32", "int32")


def test_full_precision_rounds_nothing(backend):
    a, b = random.standard_normal((2, 6, 6))
    with backend.context():
        x, y = (backend.asarray(value, backend.dtype) for value in (a, b))
        assert backend.operand(x) is x
        expected = backend.to_numpy(x).astype("float64") @ backend.to_numpy(y)
        rtol = 1e-12 if backend.dtype_name == "float64" else 2e-6
        assert_agrees(backend.matmul(x, y), expected, backend, rtol=rtol)


def test_products_are_written_to_out(backend):
    a, b = random.standard_normal((2, 6, 6))
    with backend.context():
        x, y = (backend.asarray(value, backend.dtype) for value in (a, b))
        out = backend.zeros((6, 6))
        product = backend.matmul(x, y, out)
        assert (product is out) == backend.in_place
        expected = backend.to_numpy(backend.matmul(x, y))
        np.testing.assert_array_equal(backend.to_numpy(product), expected)


def test_replaced_weights_give_the_same_gradients_everywhere(backend):
    """A backward pass after the weights were replaced."""
    layer = nx.Dense(2, 2, backend=backend)
    layer.weights = [[1, 2], [3, 4]]
    layer.forward([[1.0, 1.0]])
    layer.weights = [[5, 6], [7, 8]]
    assert_agrees(layer.backward([[1.0, 0.0]]), np.array([[5.0, 7.0]]), backend)


# The argument.


def make(**where):
    return nx.Model(
        [nx.Dense(4, 8), nx.ReLU(), nx.Dense(8, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer="adam",
        **where,
    )


def test_precision_is_part_of_what_a_backend_is(precision):
    full = nx.get_backend("numpy")
    be = nx.get_backend("numpy", matmul_precision=precision)
    assert be != full
    assert hash(be) == hash(nx.get_backend("numpy", matmul_precision=precision))
    assert repr(full) == "numpy on cpu, float32"
    assert repr(be) == f"numpy on cpu, float32, {precision} products"
    for again in (copy.deepcopy(be), pickle.loads(pickle.dumps(be)), be.like_new()):
        assert again == be and again.matmul_precision == precision
    assert nx.get_backend(be) is be
    assert nx.get_backend(be, device="cpu") == be
    assert nx.get_backend(be, matmul_precision="full") == full
    assert nx.get_backend(be, dtype="float64") == NUMPY64
    assert nx.get_backend("auto", matmul_precision=precision) in (
        be,
        nx.get_backend(
            nx.get_backend("auto").name,
            device=nx.get_backend("auto").device,
            matmul_precision=precision,
        ),
    )


def test_bad_precisions_are_refused():
    for where in (nx.get_backend, make):
        with pytest.raises(nx.InputError, match=r"matmul_precision must be one of"):
            where(backend="numpy", matmul_precision="float8")
        with pytest.raises(
            nx.InputError,
            match="matmul_precision 'tf32' is for dtype 'float32', got dtype 'float64'",
        ):
            where(backend="numpy", dtype="float64", matmul_precision="tf32")
    with pytest.raises(nx.InputError, match="matmul_precision 'bfloat16' is for"):
        nx.get_backend(NUMPY64, matmul_precision="bfloat16")


def test_model_keeps_its_precision_when_it_moves(precision):
    model = make(backend="numpy", matmul_precision=precision)
    assert model.to("array_api_strict").backend.matmul_precision == precision
    assert model.to("numpy", dtype="float64").backend == NUMPY64
    assert model.to("numpy").backend == NUMPY64
    model.to("numpy", dtype="float32", matmul_precision=precision)
    assert model.backend.matmul_precision == precision
    model.to(nx.get_backend("numpy"))
    assert model.backend.matmul_precision == "full"
    with pytest.raises(nx.InputError, match="is for dtype 'float32'"):
        model.to("numpy", dtype="float64", matmul_precision=precision)


def test_the_book_takes_a_precision(precision):
    from nnfs_xp import book

    book.init(backend="numpy", matmul_precision=precision)
    assert book.Layer_Dense(2, 3).backend.matmul_precision == precision
    with pytest.raises(nx.InputError, match="is for dtype 'float32'"):
        book.init(default_dtype="float64", matmul_precision=precision)
    assert book.Layer_Dense(2, 3).backend.matmul_precision == precision
    book.init(backend="numpy")
    assert book.Layer_Dense(2, 3).backend.matmul_precision == "full"


def test_files_know_no_precision(tmp_path, precision):
    x = random.standard_normal((5, 4)).astype("float32")
    model = make(backend="numpy", matmul_precision=precision)
    model.save(tmp_path / "model.safetensors")
    plain = nx.Model.load(tmp_path / "model.safetensors", backend="numpy")
    assert plain.backend.matmul_precision == "full"
    again = nx.Model.load(
        tmp_path / "model.safetensors", backend="numpy", matmul_precision=precision
    )
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert not np.array_equal(plain.predict(x), model.predict(x))
    with pytest.raises(nx.InputError, match="matmul_precision must be one of"):
        nx.Model.load(tmp_path / "no-file", matmul_precision="float8")
    wide = make(backend="numpy", dtype="float64")
    wide.save(tmp_path / "wide.safetensors")
    with pytest.raises(nx.InputError, match="got dtype 'float64'") as caught:
        nx.Model.load(tmp_path / "wide.safetensors", matmul_precision=precision)
    assert not isinstance(caught.value, nx.FileFormatError)
    narrow = nx.Model.load(
        tmp_path / "wide.safetensors", dtype="float32", matmul_precision=precision
    )
    assert narrow.backend.matmul_precision == precision


def test_mixed_precision_learns_as_well_as_float32(precision):
    data = load_dataset("digits")
    accuracies = {}
    for name in ("full", precision):
        model = nx.Model(
            [nx.Dense(64, 64), nx.ReLU(), nx.Dense(64, 10), nx.Softmax()],
            loss="categorical_crossentropy",
            optimizer=nx.Adam(0.002),
            backend="numpy",
            matmul_precision=name,
        )
        model.fit(data.features("train"), data.y_train, epochs=10, batch_size=64)
        figures = model.evaluate(data.features("test"), data.y_test)
        accuracies[name] = figures["accuracy"]
    assert accuracies["full"] > 0.9
    assert abs(accuracies[precision] - accuracies["full"]) < 0.02
