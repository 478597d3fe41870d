"""Reports on how far backends are apart, and gradients of units of a reader's own."""

import json
import math

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.cli import main
from nnfs_xp.model.parity import _differences
from nnfs_xp.registry import UNITS
from nnfs_xp.testing import check_gradients, parity_report
from tests.conftest import backend_or_skip
from tests.engine.variants import every_backend, host

_random = np.random.default_rng(2)
X = _random.standard_normal((12, 3))
Y = _random.integers(0, 2, 12)
PLACES = ["numpy", "array_api_strict"]


def make_model(*extra, **more):
    inner = nx.Sequential([nx.BatchNorm(4), nx.Tanh(), nx.Dropout(0.3)])
    layers = [nx.Dense(3, 4), nx.Residual(inner), *extra, nx.Dense(4, 2), nx.Softmax()]
    settings = {"loss": "categorical_crossentropy", "dtype": "float64", **more}
    return nx.Model(layers, optimizer="adam", **settings)


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_agree(variant, dtype):
    be = backend_or_skip(variant, dtype)
    report = parity_report(make_model(dtype=dtype), X, Y, ["numpy", be])
    assert report.agrees and report.first is None, str(report)
    assert report.backends == [f"numpy on cpu, {dtype}", str(be)]
    assert all(row["absolute"] < 1e-3 for row in report.rows)


def test_rows_are_in_the_order_of_computation():
    report = parity_report(make_model(), X, Y, PLACES)
    found = [(row["phase"], row["unit"], row["array"]) for row in report.rows]
    forward = [
        "0 Dense", "1.inner.0 BatchNorm", "1.inner.1 Tanh", "1.inner.2 Dropout",
        "1 Residual", "2 Dense", "3 Softmax",
    ]  # fmt: skip
    loss = "CategoricalCrossEntropy"
    dense = ("weights", "biases", "inputs")
    assert found == [
        *(("forward", unit, "output") for unit in forward),
        ("loss", loss, "losses"), ("loss", loss, "gradient"),
        *(("backward", "2 Dense", name) for name in dense),
        ("backward", "1.inner.2 Dropout", "inputs"),
        ("backward", "1.inner.1 Tanh", "inputs"),
        *(("backward", "1.inner.0 BatchNorm", n) for n in ("gamma", "beta", "inputs")),
        ("backward", "1 Residual", "inputs"),
        *(("backward", "0 Dense", name) for name in dense),
    ]  # fmt: skip


def test_nothing_changes():
    model = make_model()
    model.fit(X, Y)
    before = host(model)
    parity_report(model, X, Y, PLACES)
    assert model.backend.name == "numpy"
    for path, value in before.items():
        np.testing.assert_array_equal(host(model)[path], value)


class OnStrict(nx.Layer):
    """Something else on one backend, and nothing on others."""

    def __init__(self, forward=1.0, backward=1.0):
        super().__init__()
        self.forward_factor, self.backward_factor = forward, backward

    def fwd(self, cx, x):
        return x * (self.forward_factor if cx.be.name == PLACES[1] else 1.0), None

    def bwd(self, cx, residuals, dy):
        return dy * (self.backward_factor if cx.be.name == PLACES[1] else 1.0)


@pytest.mark.parametrize(
    ("own", "phase", "array"),
    [
        (OnStrict(forward=1.000001), "forward", "output"),
        (OnStrict(backward=1.000001), "backward", "inputs"),
        (OnStrict(forward=math.nan), "forward", "output"),
        (OnStrict(forward=math.inf), "forward", "output"),
    ],
)
def test_the_first_unit_that_is_apart_is_named(own, phase, array):
    report = parity_report(make_model(own), X, Y, PLACES)
    assert not report.agrees
    first = report.first
    assert (first["phase"], first["unit"], first["array"]) == (
        phase, "2 OnStrict", array,
    )  # fmt: skip
    assert first["backend"].startswith("array_api_strict on ")
    if math.isfinite(own.forward_factor):
        assert first["relative"] == pytest.approx(1e-6, rel=1e-3)
    before = report.rows[: report.rows.index(first)]
    assert before and all(row["agrees"] for row in before)
    text = str(report)
    assert f"first in the {phase} pass at 2 OnStrict, {array}, on array_api" in text
    marked = [line for line in text.splitlines() if line.endswith("*")]
    assert len(marked) == sum(not row["agrees"] for row in report.rows)
    assert parity_report(make_model(own), X, Y, ["numpy", "numpy"]).agrees


def test_tolerance_is_relative_to_the_largest_entry():
    own = OnStrict(forward=1.000001)
    assert parity_report(make_model(own), X, Y, PLACES, rtol=1e-4).agrees
    assert not parity_report(make_model(own), X, Y, PLACES, rtol=1e-7).agrees
    assert parity_report(make_model(own, dtype="float32"), X, Y, PLACES).agrees


def array(*values, dtype="float64"):
    return np.array(values, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_differences_in_units_in_the_last_place(dtype):
    one = array(1.0, -8.0, 0.0, dtype=dtype)
    next_one = np.nextafter(one, array(2.0, -9.0, 0.0, dtype=dtype))
    absolute, relative, ulp = _differences(one, next_one)
    eps = float(np.finfo(dtype).eps)
    assert (absolute, relative, ulp) == (8 * eps, eps, 1.0)
    assert _differences(one, one) == (0, 0, 0)


@pytest.mark.parametrize(
    ("expected", "found", "wanted"),
    [
        ([np.nan, np.inf, 2.0], [np.nan, np.inf, 2.0], (0, 0, 0)),
        ([1.0, 2.0], [1.0, np.nan], (np.inf, np.inf, np.inf)),
        ([1.0, np.inf], [1.0, -np.inf], (np.inf, np.inf, np.inf)),
        ([1.0, np.inf], [1.0, 2.0], (np.inf, np.inf, np.inf)),
        ([0.0, 0.0], [0.0, 1.0], (1.0, np.inf, 2.0**52)),
        ([], [], (0, 0, 0)),
        ([1.0], [1.0, 1.0], (np.inf, np.inf, np.inf)),
    ],
)
def test_differences_where_numbers_are_special(expected, found, wanted):
    assert _differences(array(*expected), array(*found)) == wanted


def test_without_targets_there_is_only_a_forward_pass():
    report = parity_report(make_model(loss=None), X, backends=PLACES, training=False)
    assert {row["phase"] for row in report.rows} == {"forward"}
    assert report.agrees


def test_all_backends_that_work_are_compared():
    report = parity_report(make_model(), X, Y)
    working = [name for name in nx.BACKEND_NAMES if nx.backend_status(name).works]
    assert [text.split()[0] for text in report.backends] == working


def test_several_inputs_and_outputs_and_ids():
    ids_to_numbers = nx.Sequential([nx.Embedding(5, 3), nx.Flatten()])
    both = nx.Parallel([ids_to_numbers, nx.Dense(3, 6)])
    model = nx.Model(
        [both, nx.Add(), nx.Dense(6, 1)], loss="mean_squared_error", dtype="float64"
    )
    ids = np.arange(24).reshape(12, 2) % 5
    report = parity_report(model, (ids, X), Y[:, None] * 1.0, PLACES)
    assert report.agrees and report.samples == 12
    arrays = {row["array"] for row in report.rows if row["unit"] == "0 Parallel"}
    assert arrays == {"output[0]", "output[1]", "inputs[1]"}


def test_a_report_is_json():
    report = parity_report(make_model(OnStrict(1.1)), X, Y, PLACES)
    found = json.loads(json.dumps(report.to_dict()))
    assert found["agrees"] is False
    assert found["first"] == found["rows"][found["rows"].index(found["first"])]
    assert found["samples"] == 12 and found["rtol"] == 1e-12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, X, Y, PLACES), "model must be a Model"),
        ((make_model(), X, Y, ["numpy"]), "backends must name two or more"),
        ((make_model(), X, Y, "numpy"), "backends must name two or more"),
        ((make_model(), X, Y, ["numpy", "abacus"]), "abacus"),
        ((make_model(), X[:, :2], Y, PLACES), "x must have shape"),
        ((make_model(loss=None), X, Y, PLACES), "y needs a model with a loss"),
    ],
)
def test_what_does_not_fit(arguments, message):
    with pytest.raises(nx.InputError, match=message):
        parity_report(*arguments)


# The command.


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    assert main(["train", "--data", "spiral", "--no-plot", "--out", str(out)]) == 0
    return out


def test_the_command_compares(trained, capsys):
    arguments = [
        "parity",
        str(trained),
        "spiral",
        "--backends",
        "numpy,array_api_strict",
    ]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "all within 0.0001 of numpy on cpu, float32" in out
    assert out.splitlines()[0].split()[:3] == ["phase", "unit", "array"]
    assert main([*arguments, "--json", "--rows", "7", "--dtype", "float64"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["samples"], found["agrees"]) == (7, True)
    # Nothing is as far as this.
    assert main([*arguments, "--rtol", "0", "--json"]) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    assert found["agrees"] is all(row["absolute"] == 0 for row in found["rows"])


def test_the_status_is_1_if_backends_differ(trained, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(UNITS["layer"], "OnStrict", OnStrict)
    model = make_model()
    model.save(tmp_path / "m")
    monkeypatch.setattr(OnStrict, "config", lambda self: {"forward": 1.1})
    apart = make_model(OnStrict(1.1))
    apart.save(tmp_path / "apart")
    np.savez(tmp_path / "own.npz", x=X, y=Y)
    for name, status in (("m", 0), ("apart", 1)):
        found = main(
            ["parity", str(tmp_path / name), str(tmp_path / "own.npz"), "--scaling",
             "none", "--backends", ",".join(PLACES)]
        )  # fmt: skip
        assert found == status
        verdict = capsys.readouterr().out.splitlines()[-1]
        assert verdict.startswith("all within" if status == 0 else "* more than 1e-12")


def test_backends_that_there_are_none_of(trained, capsys):
    for names in ("numpy", "numpy,abacus", ""):
        with pytest.raises(SystemExit):
            main(["parity", str(trained), "spiral", "--backends", names])
        assert "--backends: must be two or more of numpy" in capsys.readouterr().err


# Gradients of a reader's own units.


class Quartic(nx.Loss):
    target_kind = "values"
    factor = 4.0

    def fwd(self, be, y_pred, y_true):
        error = y_pred - y_true
        return (error**4)[:, 0], error

    def bwd(self, be, error, dlosses):
        weights = dlosses if isinstance(dlosses, float) else dlosses[:, None]
        return self.factor * error**3 * weights


class Wrong(Quartic):
    factor = 4.001


class OfOneNumber(Quartic):
    def bwd(self, be, error, dlosses):
        return super().bwd(be, error, float(np.mean(dlosses)))


class WrongShape(Quartic):
    def fwd(self, be, y_pred, y_true):
        losses, error = super().fwd(be, y_pred, y_true)
        return losses[:, None], error


class Scalar(Quartic):
    def bwd(self, be, error, dlosses):
        return be.xp.sum(super().bwd(be, error, dlosses))


COLUMN = [[0.5], [-1.0], [2.0]]
TARGETS = [[0.0], [1.0], [0.5]]


def test_a_loss_of_ones_own_is_checked():
    check_gradients(Quartic(), COLUMN, TARGETS)
    for loss, message in (
        (
            Wrong(),
            r"Wrong\(\): the gradient of y_pred, with one weight, along a random",
        ),
        (OfOneNumber(), "the gradient of y_pred, with weights, along"),
        (WrongShape(), r"fwd must return losses of shape \(3,\), got \(3, 1\)"),
        (Scalar(), r"bwd must return a gradient of shape \(3, 1\), got \(\)"),
    ):
        with pytest.raises(AssertionError, match=message):
            check_gradients(loss, COLUMN, TARGETS)


SHARES = [[0.2, 0.5, 0.3], [1e-7, 0.9, 0.1 - 1e-7]]


@pytest.mark.parametrize(
    ("loss", "y_pred", "y_true"),
    [
        (nx.SoftmaxCrossEntropy(), [[1.0, -2.0, 0.5], [30.0, 0.0, 1.0]], [0, 1]),
        (nx.SoftmaxCrossEntropy(label_smoothing=0.1), [[1.0, -2.0, 0.5]], [2]),
        (nx.CategoricalCrossEntropy(), SHARES, [1, 0]),
        (nx.CategoricalCrossEntropy(), SHARES, [[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]]),
        (nx.BinaryCrossEntropy(), [[0.3], [0.9]], [[1.0], [0.0]]),
        (nx.BinaryCrossEntropy(True), [[-3.0], [2.0]], [[1.0], [0.25]]),
        (nx.MeanSquaredError(), COLUMN, TARGETS),
        (nx.MeanAbsoluteError(), COLUMN, TARGETS),
        (nx.Huber(), COLUMN, [[0.3], [1.5], [0.1]]),
    ],
)
def test_losses_of_the_library_are_checked_the_same_way(loss, y_pred, y_true):
    check_gradients(loss, y_pred, y_true)


def test_layers_and_blocks_are_checked():
    check_gradients(nx.Dense(3, 2), X)
    check_gradients(nx.Residual(nx.Sequential([nx.Dense(3, 3), nx.Tanh()])), X)
    with pytest.raises(AssertionError, match="the gradient of inputs"):
        check_gradients(WrongBlock(nx.Dense(3, 3)), X)


class WrongBlock(nx.Residual):
    def bwd(self, cx, kept, dy):
        return super().bwd(cx, kept, dy) + 0.001 * dy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((nx.Dense(3, 2),), "data must be x, got 0 arrays"),
        ((nx.Dense(3, 2), X, Y), "data must be x, got 2 arrays"),
        ((nx.MeanSquaredError(), COLUMN), "data must be y_pred, y_true, got 1"),
        ((nx.MeanSquaredError(), COLUMN, [1.0]), "y_true"),
        ((nx.SGD(0.1), COLUMN), "unit must be a layer, a block or a loss"),
    ],
)
def test_what_cannot_be_checked(arguments, message):
    with pytest.raises(nx.InputError, match=message):
        check_gradients(*arguments)
