"""Metrics over many batches, at the edges, and beside scikit-learn's."""

import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnfs_xp as nx
import nnfs_xp.metrics
from nnfs_xp.metrics import confusion_matrix
from nnfs_xp.metrics.averaged import AveragedScore
from nnfs_xp.metrics.bins import running_sums
from nnfs_xp.metrics.counts import as_counts
from nnfs_xp.registry import UNITS, resolve
from tests.conftest import backend_or_skip
from tests.matrix.cases.metrics import METRICS
from tests.matrix.helpers import NUMPY64, tolerance

N, K = 100, 4
_random = np.random.default_rng(5)
SCORES = _random.standard_normal((N, K))
LABELS = _random.integers(0, K, N)
CHANCES = _random.uniform(size=(N, 1))
ANSWERS = (_random.uniform(size=(N, 1)) < 0.5).astype(float)
VALUES = _random.standard_normal((N, 3))
TARGETS = VALUES + _random.standard_normal((N, 3)) * 0.2
# A case of every metric, and the same data for some that later tests look into.
DATA = {
    "Accuracy ignoring": (lambda **w: nx.Accuracy(ignore_index=1, **w), SCORES, LABELS),
    "ConfusionMatrix": (nx.ConfusionMatrix, SCORES, LABELS),
    "Recall single": (nx.Recall, CHANCES, ANSWERS),
    "R2": (lambda **w: nx.R2("none", **w), VALUES, TARGETS),
    "RegressionAccuracy": (
        lambda **w: nx.RegressionAccuracy(0.1, **w), VALUES, TARGETS,
    ),
}  # fmt: skip
for _name, _cases in METRICS.items():
    # One with targets that each are a number, so that rows may be put in a row.
    _case = _cases[0]
    _made = (_case.make, np.asarray(_case.y_pred), np.asarray(_case.y_true))
    DATA.setdefault(_name, _made)


def batches_of(y_pred):
    """Return uneven parts of all samples."""
    cuts = sorted({0, 1, len(y_pred) // 3, len(y_pred)})
    return [slice(*pair) for pair in itertools.pairwise(cuts)]


def unit_and_data(name, be):
    make, y_pred, y_true = DATA[name]
    return make(backend=be), be.asarray(y_pred, be.dtype), be.asarray(y_true)


def host(be, statistics):
    return {key: be.to_numpy(value) for key, value in statistics.items()}


def assert_same(be, found, expected, rtol=0.0):
    found, expected = host(be, found), host(be, expected)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key].dtype == value.dtype, key
        assert found[key].shape == value.shape, key
        scale = float(np.max(np.abs(value), initial=0.0))
        np.testing.assert_allclose(
            found[key], value, rtol=rtol, atol=rtol * scale, err_msg=key
        )


def test_every_metric_is_in_the_registry_and_in_these_tests():
    ours = {
        name
        for name, value in vars(nnfs_xp.metrics).items()
        if inspect.isclass(value)
        and value.__module__.startswith("nnfs_xp.")
        and value is not nx.Metric
    }
    assert ours == set(UNITS["metric"]) == set(METRICS)
    for name in ours:
        assert issubclass(getattr(nx, name), nx.Metric)


@pytest.mark.parametrize("name", DATA)
def test_uneven_batches_equal_one_call(backend, name):
    be = backend
    metric, y_pred, y_true = unit_and_data(name, be)
    whole = as_counts(be, metric.batch(be, *metric.check_data(be, y_pred, y_true)))
    expected = be.to_numpy(metric.calculate(y_pred, y_true))
    # Counts are exact, and sums of numbers are not.
    exact = all(a.dtype == be.xp.int32 for a in whole.values())
    rtol = 0.0 if exact else 1e-5 if be.dtype_name == "float32" else 1e-13
    _, scores, targets = DATA[name]
    batches = batches_of(scores)
    for order in (batches, batches[::-1]):
        for rows in order:
            batch = be.asarray(scores[rows], be.dtype), be.asarray(targets[rows])
            metric.update(*batch)
        np.testing.assert_allclose(be.to_numpy(metric.result()), expected, rtol=rtol)
        if exact:
            assert_same(be, metric._total, whole)
        # `calculate` stands beside the batches, and does not count as one.
        metric.calculate(*batch)
        np.testing.assert_allclose(be.to_numpy(metric.result()), expected, rtol=rtol)
        metric.reset()
        with pytest.raises(nx.InputError, match=f"{metric.name}: result needs"):
            metric.result()


@pytest.mark.parametrize("name", DATA)
def test_statistics_of_nothing_change_nothing(backend, name):
    be = backend
    metric, y_pred, y_true = unit_and_data(name, be)
    batch = as_counts(be, metric.batch(be, *metric.check_data(be, y_pred, y_true)))
    empty = metric.empty(be, tuple(y_pred.shape[1:]))
    assert_same(be, metric.combine(be, empty, batch), batch)
    assert_same(be, metric.combine(be, batch, empty), batch)
    assert_same(be, metric.combine(be, empty, empty), empty)
    for key, value in batch.items():
        assert value.dtype == empty[key].dtype
        assert value.shape == empty[key].shape


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("where", ["own", "host"])
def test_the_figure_of_no_sample_warns_of_nothing(backend, name, where):
    metric, y_pred, _ = unit_and_data(name, backend)
    empty = metric.empty(backend, tuple(y_pred.shape[1:]))
    be = backend
    if where == "host":
        be, empty = NUMPY64, host(backend, empty)
    figure = be.to_numpy(metric.compute(be, empty))
    # Counts alone may be 0 of nothing, and what scikit-learn counts as 0.
    shares = (AveragedScore, nx.ConfusionMatrix, nx.MatthewsCorrelation)
    without = 0 if isinstance(metric, shares) else np.nan
    np.testing.assert_array_equal(figure, np.full(figure.shape, without))


@pytest.mark.parametrize("name", DATA)
@pytest.mark.backend("jax")
def test_compiled_by_jax(name, dtype):
    be = backend_or_skip("jax", dtype)
    import jax

    metric, y_pred, y_true = unit_and_data(name, be)
    y_pred, y_true = metric.check_data(be, y_pred, y_true)
    compilations = []

    @jax.jit
    def add(total, y_pred, y_true):
        compilations.append(y_pred.shape)
        return metric.combine(be, total, metric.batch(be, y_pred, y_true))

    found = expected = metric.empty(be, tuple(y_pred.shape[1:]))
    for _ in range(2):
        found = add(found, y_pred, y_true)
        batch = metric.batch(be, y_pred, y_true)
        expected = metric.combine(be, expected, batch)
    assert len(compilations) == 1
    assert_same(be, found, expected, 1e-12 if dtype == "float64" else 1e-5)
    figure = jax.jit(lambda statistics: metric.compute(be, statistics))(found)
    np.testing.assert_allclose(
        be.to_numpy(figure), be.to_numpy(metric.compute(be, expected)), rtol=1e-5
    )


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("library", ["torch", "strict"])
def test_batches_read_nothing_back(name, library, dtype, monkeypatch):
    """A value of an array that becomes a Python number waits for the device."""
    be = backend_or_skip(library, dtype)
    metric, y_pred, y_true = unit_and_data(name, be)
    y_pred, y_true = metric.check_data(be, y_pred, y_true)
    total = metric.empty(be, tuple(y_pred.shape[1:]))

    def refuse(self, *arguments, **options):
        raise AssertionError("an array was read back")

    for method in ("__bool__", "__int__", "__float__", "__index__", "item", "tolist"):
        if hasattr(be.array_type(), method):
            monkeypatch.setattr(be.array_type(), method, refuse)
    with pytest.raises(AssertionError, match="read back"):
        bool(y_pred[(0,) * y_pred.ndim] > 0)
    for _ in range(2):
        total = metric.combine(be, total, metric.batch(be, y_pred, y_true))
    monkeypatch.undo()
    assert_same(
        be,
        total,
        metric.combine(be, *2 * [as_counts(be, metric.batch(be, y_pred, y_true))]),
        tolerance(be),
    )


# Regression.


@pytest.mark.parametrize("width", [1.0, 0.02])
@pytest.mark.parametrize("kind", ["noisy", "exact", "mean"])
def test_r2_of_values_far_from_zero(backend, width, kind):
    """Sums of squares would leave no digit of float32."""
    be = backend
    n = 2000
    rounded = np.float32 if be.dtype_name == "float32" else np.float64
    random = np.random.default_rng(8)
    y_true = (1e4 + width * random.standard_normal((n, 2))).astype(rounded)
    y_pred = {
        "noisy": y_true + (0.3 * width * random.standard_normal((n, 2))),
        "exact": y_true,
        "mean": np.broadcast_to(y_true.mean(axis=0, dtype=np.float64), (n, 2)),
    }[kind].astype(rounded)
    y = y_true.astype(np.float64)
    residual = ((y - y_pred.astype(np.float64)) ** 2).sum(axis=0)
    expected = 1 - residual / ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    metric = nx.R2("none", backend=be)
    atol = 1e-5 if be.dtype_name == "float32" else 1e-12
    starts = [0, 1, 8, *range(72, n, 64)]
    for start, stop in zip(starts, [*starts[1:], n], strict=True):
        metric.update(be.asarray(y_pred[start:stop]), be.asarray(y_true[start:stop]))
    found = be.to_numpy(metric.result())
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
    once = metric.calculate(be.asarray(y_pred), be.asarray(y_true))
    np.testing.assert_allclose(be.to_numpy(once), expected, rtol=0, atol=atol)


def test_r2_of_constant_targets_and_of_one_sample(backend):
    be = backend
    y_true = np.array([[0.1, 0.1, 1.0], [0.1, 0.1, 2.0], [0.1, 0.1, 3.0]])
    y_pred = y_true + np.array([0.0, 0.5, 0.0])
    metric = nx.R2("none", backend=be)
    for row in range(3):
        metric.update(
            be.asarray(y_pred[row : row + 1], be.dtype),
            be.asarray(y_true[row : row + 1], be.dtype),
        )
        expected = [np.nan] * 3 if row == 0 else [1.0, 0.0, 1.0]
        np.testing.assert_array_equal(be.to_numpy(metric.result()), expected)
    # The mean of three times 0.1 is rounded, and must not be seen as a variance.
    found = metric.calculate(be.asarray(y_pred, be.dtype), be.asarray(y_true, be.dtype))
    np.testing.assert_array_equal(be.to_numpy(found), [1.0, 0.0, 1.0])
    y_pred[0] = np.nan
    found = metric.calculate(be.asarray(y_pred, be.dtype), be.asarray(y_true, be.dtype))
    assert np.all(np.isnan(be.to_numpy(found)))


def test_tolerance_of_the_training_targets(backend):
    be = backend
    y = be.asarray(1000 + np.arange(8.0).reshape(4, 2), be.dtype)
    tolerance = np.std(np.arange(8.0)) / 250
    metric = nx.RegressionAccuracy(backend=be)
    assert metric.config() == {"tolerance": None}
    with pytest.raises(nx.InputError, match="tolerance must be given"):
        metric.update(y, y)
    with pytest.raises(nx.InputError, match="result needs an update"):
        metric.result()
    assert metric.prepare(be, y) is True
    assert metric.tolerance == pytest.approx(tolerance, rel=1e-6)
    # What is known stays.
    assert metric.prepare(be, 2 * y) is False
    assert float(metric.calculate(2 * y, 2 * y)) == 1.0
    assert metric.tolerance == pytest.approx(tolerance, rel=1e-6)
    again = resolve("metric", {"class": "RegressionAccuracy", **metric.config()}, "m")
    assert again.tolerance == metric.tolerance
    fresh = nx.RegressionAccuracy(backend=be)
    with pytest.raises(nx.InputError, match="y_true"):
        fresh.calculate(y, y[:2, ...])
    assert fresh.tolerance is None
    fresh.calculate(y, y)
    assert fresh.tolerance == metric.tolerance
    assert nx.Accuracy().prepare(be, y) is False


def test_tolerance_of_targets_far_from_zero(backend):
    be = backend
    random = np.random.default_rng(3)
    y = (1e4 + 0.01 * random.standard_normal(1001)).astype(be.dtype_name)
    metric = nx.RegressionAccuracy(backend=be)
    metric.prepare(be, be.asarray(y))
    expected = np.std(y.astype(np.float64)) / 250
    assert metric.tolerance == pytest.approx(expected, rel=1e-5)


def test_regression_accuracy_is_of_all_entries(backend):
    """The book divides by rows only, and counts two hits in one row."""
    be = backend
    metric = nx.RegressionAccuracy(0.5, backend=be)
    y = be.asarray([[0.0, 0.0], [0.0, 0.0]], be.dtype)
    assert float(metric.calculate(be.asarray([[0.1, 0.4], [0.2, 0.5]]), y)) == 0.75


# Classes.


def test_binary_accuracy_never_exceeds_one(backend):
    """The book's accumulated accuracy of three outputs is 3."""
    be = backend
    y = be.asarray(np.ones((5, 3)), be.dtype)
    metric = nx.BinaryAccuracy(backend=be)
    for _ in range(3):
        metric.update(y, y)
    assert float(metric.result()) == 1.0


def test_a_prediction_at_the_threshold_means_no(backend):
    be = backend
    at, yes = (be.asarray([v] * 3, be.dtype) for v in (0.25, 1.0))
    for unit in (nx.BinaryAccuracy, nx.Recall):
        assert float(unit(threshold=0.25, backend=be).calculate(at, yes)) == 0.0
        assert float(unit(threshold=0.125, backend=be).calculate(at, yes)) == 1.0
    # So does a target of one half.
    half = be.asarray([0.5] * 3, be.dtype)
    assert float(nx.BinaryAccuracy(backend=be).calculate(half, half)) == 1.0
    assert float(nx.Recall(backend=be).calculate(yes, half)) == 0.0


def test_first_of_equal_scores_counts(backend):
    be = backend
    scores = be.asarray([[1.0, 1.0, 0.0], [0.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
    labels = be.asarray([0, 1, 0], "int32")
    others = be.asarray([1, 2, 2], "int32")
    for metric in (nx.Accuracy(backend=be), nx.TopKAccuracy(1, backend=be)):
        assert float(metric.calculate(scores, labels)) == 1.0
        assert float(metric.calculate(scores, others)) == 0.0
    top = nx.TopKAccuracy(2, backend=be)
    assert float(top.calculate(scores, others)) == np.asarray(2 / 3, be.dtype_name)
    assert float(nx.TopKAccuracy(3, backend=be).calculate(scores, others)) == 1.0


def test_a_row_with_nan_is_never_right(backend):
    be, nan = backend, np.nan
    scores = be.asarray([[nan, nan, nan], [nan, 1.0, 0.0], [5.0, nan, 1.0], [0, 1, 2]])
    scores = be.asarray(scores, be.dtype)
    labels = be.asarray([0, 1, 1, 2], "int32")
    rows = be.asarray(np.eye(3)[[0, 1, 1, 2]], be.dtype)
    for metric in (
        nx.Accuracy(backend=be), *(nx.TopKAccuracy(k, backend=be) for k in (1, 2, 3))
    ):  # fmt: skip
        for targets in (labels, rows):
            assert float(metric.calculate(scores, targets)) == 0.25
    matrix = nx.ConfusionMatrix(backend=be).calculate(scores, labels)
    assert be.to_numpy(matrix).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    recall = nx.Recall("none", backend=be).calculate(scores, labels)
    assert be.to_numpy(recall).tolist() == [0, 0, 1]


def test_one_output_of_nan_is_never_right(backend):
    be = backend
    scores = be.asarray([[np.nan], [np.nan], [0.9], [0.1]], be.dtype)
    targets = be.asarray([[0.0], [1.0], [1.0], [0.0]], be.dtype)
    assert float(nx.BinaryAccuracy(backend=be).calculate(scores, targets)) == 0.5
    matrix = nx.ConfusionMatrix(backend=be).calculate(scores, targets)
    assert be.to_numpy(matrix).tolist() == [[1, 0], [0, 1]]


def test_nan_is_the_worst_that_can_be_said(backend):
    """A yes below all others, a no above them, and a sure mistake."""
    be, nan = backend, np.nan
    scores = be.asarray([nan, 0.9, 0.6, 0.1, nan], be.dtype)
    answers = be.asarray([1.0, 1.0, 0.0, 0.0, 0.0], be.dtype)
    # Of six pairs 0.9 wins two, and loses one to the NaN.
    assert float(nx.AUC(backend=be).calculate(scores, answers)) == pytest.approx(1 / 3)
    rows = be.asarray([[nan, 0.5], [0.25, 0.75]], be.dtype)
    found = nx.ExpectedCalibrationError(backend=be).calculate(
        rows, be.asarray([1, 1], "int32")
    )
    assert float(found) == pytest.approx((1.0 + 0.25) / 2)


@pytest.mark.slow
def test_very_many_bins_give_the_exact_area(backend):
    """Scores less than a thousandth apart: a square of all bins fits no memory."""
    be, random = backend, np.random.default_rng(3)
    scores, answers = random.permutation(40) / 4e4 + 0.5, np.arange(40) % 2
    pairs = scores[answers == 1][:, None] > scores[answers == 0]
    given = be.asarray(scores, be.dtype), be.asarray(answers)
    found = nx.AUC(bins=100_000, backend=be).calculate(*given)
    assert float(found) == pytest.approx(pairs.mean(), rel=1e-6)


def test_running_sums(backend):
    be = backend
    for bins in (1, 5, 9):
        values = np.arange(3.0 * bins).reshape(3, bins) ** 2
        with be.context():
            found = running_sums(be, be.asarray(values, be.dtype))
        np.testing.assert_array_equal(be.to_numpy(found), np.cumsum(values, axis=1))


def test_infinite_scores(backend):
    be = backend
    infinite = be.asarray([[np.inf, 0.0], [-np.inf, 0.0]], be.dtype)
    labels = be.asarray([0, 0], "int32")
    for metric in (nx.Accuracy(backend=be), nx.TopKAccuracy(1, backend=be)):
        assert float(metric.calculate(infinite, labels)) == 0.5


def test_ignored_labels(backend):
    be = backend
    metric = nx.Accuracy(-100, backend=be)
    scores = be.asarray([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], be.dtype)
    labels = be.asarray(np.array([0, -100, 1]))
    assert float(metric.calculate(scores, labels)) == 0.5
    nothing = be.asarray(np.array([-100] * 3))
    assert np.isnan(float(metric.calculate(scores, nothing)))
    metric.update(scores, nothing)
    metric.update(scores, labels)
    assert float(metric.result()) == 0.5
    with pytest.raises(nx.InputError, match="y_true must hold labels from 0 to 1"):
        metric.calculate(scores, be.asarray(np.array([0, -1, 1])))
    with pytest.raises(nx.InputError, match="y_true must hold labels from 0 to 1"):
        nx.Accuracy(backend=be).calculate(scores, labels)
    rows = be.asarray(np.array([[0.0, 1.0]] * 3), be.dtype)
    of_rows = nx.Accuracy(1, backend=be).calculate(scores, rows)
    assert float(of_rows) == np.asarray(1 / 3, be.dtype_name)


def test_confusion_matrix_beyond_the_exact_whole_numbers(backend, monkeypatch):
    """A float32 counts up to 2**24 only."""
    be = backend
    monkeypatch.setattr(confusion_matrix, "_EXACT_ROWS", 8)
    metric, y_pred, y_true = unit_and_data("ConfusionMatrix", be)
    matrix = be.to_numpy(metric.calculate(y_pred, y_true))
    expected = np.zeros((K, K), int)
    np.add.at(expected, (LABELS, SCORES.argmax(axis=1)), 1)
    np.testing.assert_array_equal(matrix, expected)
    products = []
    monkeypatch.setattr(
        be,
        "full_matmul",
        lambda a, b: products.append(a.shape) or type(be).full_matmul(be, a, b),
    )
    metric.calculate(y_pred, y_true)
    assert sum(n for _, n in products) == N
    assert max(n for _, n in products) == 8
    large = {"matrix": be.asarray(np.full((2, 2), 2**24, np.int32))}
    one = {"matrix": be.asarray(np.array([[1, 0], [0, 1]], np.int32))}
    found = be.to_numpy(metric.combine(be, large, one)["matrix"])
    np.testing.assert_array_equal(found, [[2**24 + 1, 2**24], [2**24, 2**24 + 1]])


def test_counts_divide_exactly_on_the_host(backend):
    """Beyond 2**24, where a float32 would have rounded them."""
    statistics = {
        "correct": backend.asarray(np.array(2**24 + 1, np.int32)),
        "count": backend.asarray(np.array(2**24 + 3, np.int32)),
    }
    read = host(backend, statistics)
    found = nx.Accuracy().compute(NUMPY64, read)
    assert float(found) == (2**24 + 1) / (2**24 + 3) != 2**24 / (2**24 + 4)


@pytest.mark.parametrize("unit", [nx.Precision, nx.Recall, nx.F1])
def test_a_class_that_never_occurs_counts_as_zero(backend, unit):
    be = backend
    scores = be.asarray(np.array([[9.0, 0.0, 0.0]] * 3), be.dtype)
    labels = be.asarray(np.array([0, 0, 0]))
    each = unit("none", backend=be).calculate(scores, labels)
    np.testing.assert_array_equal(be.to_numpy(each), [1.0, 0.0, 0.0])
    # The mean is over the classes that occur, as in scikit-learn.
    assert float(unit(backend=be).calculate(scores, labels)) == 1.0
    none = be.asarray(np.zeros((3, 1)), be.dtype)
    assert float(unit(backend=be).calculate(none, none)) == 0.0


# Bad input.

SIX = {
    "scores": np.full((6, 3), 1 / 3), "labels": np.array([0, 1, 2, 0, 1, 2]),
    "column": np.full((6, 1), 0.5), "row": np.full(6, 0.5),
}  # fmt: skip
BAD_DATA = {
    "(n,) for (n, 1)": ("column", SIX["row"], r"y_true.*\(6, 1\), got \(6,\)"),
    "(n, 1) for (n,)": ("row", SIX["column"], r"y_true.*\(6,\), got \(6, 1\)"),
    "one row": ("column", SIX["column"][:1], "y_true.*"),
    "too few": ("row", SIX["row"][:5], "y_true.*6 samples, got 5|y_true.*got .5,"),
    "two columns": ("column", np.full((6, 2), 0.5), "y_true.*shape"),
    "NaN": ("column", np.full((6, 1), np.nan), "y_true must"),
    "infinite": ("column", np.full((6, 1), np.inf), "y_true must"),
    "complex": ("column", np.full((6, 1), 1j), "y_true: expected real numbers"),
    "a number": ("column", np.array(1.0), "y_true"),
}
BY_SHAPE = (
    nx.BinaryAccuracy,
    nx.RegressionAccuracy,
    nx.R2,
    nx.ConfusionMatrix,
    nx.Precision,
    nx.Recall,
    nx.F1,
)
BY_CLASS = (
    nx.Accuracy,
    lambda **where: nx.TopKAccuracy(2, **where),
    nx.ConfusionMatrix,
    nx.Precision,
    nx.Recall,
    nx.F1,
)


def on_backend(be, values):
    """Put values on a backend as they are; complex ones are for the host only."""
    if values.dtype.kind != "c":
        return be.asarray(values)
    with be.context():
        return be.xp.asarray(values, device=be.device)


@pytest.mark.parametrize("kind", BAD_DATA)
def test_targets_that_must_have_the_shape_of_the_predictions(backend, kind):
    y_pred, y_true, message = BAD_DATA[kind]
    y_pred = backend.asarray(SIX[y_pred], backend.dtype)
    y_true = on_backend(backend, y_true)
    for make in BY_SHAPE:
        assert_refused(make(backend=backend), y_pred, y_true, message)


def assert_refused(metric, y_pred, y_true, message):
    for call in (metric.calculate, metric.update):
        with pytest.raises(nx.InputError, match=message):
            call(y_pred, y_true)
    with pytest.raises(nx.InputError, match="result needs"):
        metric.result()


@pytest.mark.parametrize("value", [-0.1, 1.5, 2])
def test_probabilities_are_from_0_to_1(backend, value):
    y_pred = backend.asarray(SIX["column"], backend.dtype)
    y_true = backend.asarray(np.full((6, 1), value))
    for make in set(BY_SHAPE) - {nx.RegressionAccuracy, nx.R2}:
        assert_refused(make(backend=backend), y_pred, y_true, "y_true must hold prob")


@pytest.mark.parametrize(
    ("y_true", "message"),
    [
        (np.array([0, 1, 3, 0, 1, 2]), "y_true must hold labels from 0 to 2, got 3"),
        (np.array([0, 1, -1, 0, 1, 2]), "y_true must hold labels from 0 to 2, got -1"),
        (SIX["row"], "y_true must hold integer labels"),
        (SIX["labels"][:, None], "y_true must have shape"),
        (SIX["labels"][:5], "y_true must have one entry for each of 6 samples"),
        (SIX["scores"][:, :2], "y_true must have shape"),
        (-SIX["scores"], "y_true must hold finite"),
    ],
)
def test_targets_of_classes(backend, y_true, message):
    y_pred = backend.asarray(SIX["scores"], backend.dtype)
    y_true = backend.asarray(y_true)
    for make in BY_CLASS:
        assert_refused(make(backend=backend), y_pred, y_true, message)


@pytest.mark.parametrize("name", DATA)
def test_predictions(backend, name):
    be = backend
    metric, y_pred, y_true = unit_and_data(name, be)
    metric.update(y_pred, y_true)
    before = host(be, metric._total)
    for bad, message in (
        (y_pred[:0, ...], "y_pred is empty"),
        (be.asarray(np.array(1.0), be.dtype), "y_pred must be an array of samples"),
        (on_backend(be, np.ones((N, K)) * 1j), "y_pred: expected real numbers"),
    ):
        for call in (metric.calculate, metric.update):
            with pytest.raises(nx.InputError, match=message):
                call(bad, y_true)
    other = nx.get_backend("array_api_strict", device="device2", dtype=be.dtype_name)
    theirs = other.asarray(DATA[name][1], other.dtype)
    with pytest.raises(nx.BackendMismatchError, match="y_pred is an array"):
        metric.update(theirs, y_true)
    for key, value in host(be, metric._total).items():
        np.testing.assert_array_equal(value, before[key])


@pytest.mark.parametrize("name", DATA)
def test_batches_that_do_not_go_together(backend, name):
    be = backend
    make, y_pred, y_true = DATA[name]
    metric = make()
    metric.update(be.asarray(y_pred, be.dtype), be.asarray(y_true))
    other = nx.get_backend("array_api_strict", device="device2", dtype=be.dtype_name)
    theirs = other.asarray(y_pred, other.dtype), other.asarray(y_true)
    with pytest.raises(nx.BackendMismatchError, match="y_pred is on array_api_strict"):
        metric.update(*theirs)
    wider = np.concatenate([y_pred, y_pred], axis=1)
    targets = y_true if y_true.ndim == 1 else np.concatenate([y_true, y_true], axis=1)
    with pytest.raises(nx.InputError, match="y_pred must have shape .*earlier"):
        metric.update(be.asarray(wider, be.dtype), be.asarray(targets))
    expected = be.to_numpy(metric.result())
    metric.reset()
    metric.update(*theirs)
    np.testing.assert_allclose(
        other.to_numpy(metric.result()), expected, rtol=tolerance(be)
    )


def test_predictions_of_unsuitable_shape(backend):
    be = backend
    cube = be.asarray(np.zeros((6, 2, 2)), be.dtype)
    labels = be.asarray(SIX["labels"])
    flat = be.asarray(np.zeros(6), be.dtype)
    for make in (nx.ConfusionMatrix, nx.Precision, nx.Accuracy, nx.TopKAccuracy):
        # Of two decisions for each sample, with one label for both.
        message = r"^y_true must be labels of shape \(6, 2\) or rows .*, got \(6,\)"
        with pytest.raises(nx.InputError, match=message):
            make(backend=be).calculate(cube, labels)
    for make in (nx.Accuracy, nx.TopKAccuracy):
        with pytest.raises(nx.InputError, match="y_pred must have shape"):
            make(backend=be).calculate(flat, labels)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda **w: nx.TopKAccuracy(4, **w), "k must be at most the number of .* 3"),
        (lambda **w: nx.ConfusionMatrix(4, **w), "classes must be 3, .*got 4"),
        (lambda **w: nx.F1("binary", **w), "average must .* 3 classes, got 'binary'"),
    ],
)
def test_options_that_do_not_go_with_the_classes(backend, make, message):
    metric = make(backend=backend)
    scores = backend.asarray(SIX["scores"], backend.dtype)
    assert_refused(metric, scores, backend.asarray(SIX["labels"]), message)
    with pytest.raises(nx.InputError, match=message):
        metric.empty(backend, (3,))


@pytest.mark.parametrize(
    ("unit", "options", "message"),
    [
        *[(nx.Accuracy, {"ignore_index": v}, "ignore_index") for v in (1.5, 2**31)],
        *[(nx.TopKAccuracy, {"k": v}, "k must be a positive") for v in (0, 1.5, True)],
        *[(nx.ConfusionMatrix, {"classes": v}, "classes must be") for v in (1, "x")],
        *[
            (unit, {"threshold": v}, "threshold must be a finite number")
            for unit in (nx.BinaryAccuracy, nx.ConfusionMatrix, nx.Recall)
            for v in (np.nan, "x", None)
        ],
        *[
            (unit, {"average": v}, "average must be one of")
            for unit in (nx.Precision, nx.Recall, nx.F1, nx.R2)
            for v in ("mean", None, 1)
        ],
        *[
            (nx.RegressionAccuracy, {"tolerance": v}, "tolerance must be")
            for v in (-1, np.inf, "x")
        ],
        *[(nx.Accuracy, {"name": v}, "name must be") for v in ("", 3)],
    ],
)  # fmt: skip
def test_bad_options(unit, options, message):
    with pytest.raises(nx.InputError, match=message):
        unit(**options)


# What metrics say about themselves.


@pytest.mark.parametrize(
    ("name", "key", "kinds"),
    [
        ("accuracy", "accuracy", ["classes"]),
        ("binary_accuracy", "accuracy", ["probabilities"]),
        ("regression_accuracy", "accuracy", ["values"]),
        ("top_k_accuracy", "top_k_accuracy", ["classes"]),
        ("confusion_matrix", "confusion_matrix", ["classes", "probabilities"]),
        ("precision", "precision", ["classes", "probabilities"]),
        ("recall", "recall", ["classes", "probabilities"]),
        ("f1", "f1", ["classes", "probabilities"]),
        ("r2", "r2", ["values"]),
    ],
)
def test_found_by_name(name, key, kinds):
    metric = resolve("metric", name, "metrics")
    assert metric.name == key
    found = [k for k in ("classes", "probabilities", "values") if metric.takes(k)]
    assert found == kinds
    assert metric.target_kind in kinds
    renamed = type(metric)(name="other")
    assert renamed.name == "other" and type(metric).name == key
    assert renamed.config() == {**metric.config(), "name": "other"}
    assert repr(renamed).endswith("name='other')")
    assert resolve("metric", {"class": type(metric).__name__, **renamed.config()}, "m")
    assert "name" not in metric.config()


@pytest.mark.parametrize("unit", [nx.Accuracy, nx.TopKAccuracy])
def test_metrics_of_ranks_take_logits_for_probabilities(unit):
    assert unit.ranks_only
    metric = unit(**({"k": 2} if unit is nx.TopKAccuracy else {}))
    logits = np.random.default_rng(2).standard_normal((50, 6)) * 3
    labels = np.arange(50) % 6
    softmax = nx.Softmax(dtype="float64").forward(logits)
    assert metric.calculate(logits, labels) == metric.calculate(softmax, labels)
    assert not nx.ConfusionMatrix.ranks_only


class MeanError(nx.Metric):
    """A metric as a user writes one: sums are all it needs."""

    name = "mean_error"
    target_kind = "values"

    def empty(self, be, outputs):
        return {"sum": be.zeros(()), "count": be.zeros((), be.xp.int32)}

    def batch(self, be, y_pred, y_true):
        total = be.xp.sum(be.xp.abs(y_pred - y_true))
        return {"sum": total, "count": be.zeros((), be.xp.int32) + y_pred.shape[0]}

    def compute(self, be, statistics):
        return statistics["sum"] / be.xp.astype(statistics["count"], be.dtype)


def test_a_metric_of_ones_own(backend):
    metric = MeanError(backend=backend)
    assert repr(metric) == "MeanError()"
    for values in ([1.0], [2.0, 3.0]):
        y = backend.asarray(values, backend.dtype)
        metric.update(2 * y, y)
    assert float(metric.result()) == 2.0
    with pytest.raises(nx.InputError, match="must be registered"):
        nx.registry.to_config(metric)


class SmallestLogit(MeanError):
    """One that does not begin with zeros, or sum."""

    name = "smallest"

    def empty(self, be, outputs):
        return {"smallest": be.zeros(()) + 1e30}

    def batch(self, be, y_pred, y_true):
        return {"smallest": be.xp.min(be.xp.abs(y_pred))}

    def combine(self, be, one, other):
        return {"smallest": be.xp.minimum(one["smallest"], other["smallest"])}

    def compute(self, be, statistics):
        return statistics["smallest"]


def test_every_epoch_begins_with_what_a_metric_says(backend):
    x = np.arange(1.0, 7.0)[:, np.newaxis]
    layer = nx.Dense(1, 1, weight_initializer="ones")
    units = {"loss": nx.MeanSquaredError(), "optimizer": nx.SGD(0.0)}
    model = nx.Model([layer], metrics=[SmallestLogit()], backend=backend, **units)
    history = model.fit(x, x, epochs=3, batch_size=2, verbose=False)
    assert history.history["smallest"] == [1.0, 1.0, 1.0]


# Beside scikit-learn.

_settings = settings(max_examples=30, deadline=None)
_samples = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
        st.lists(st.integers(0, 3), min_size=n, max_size=n),
    )
)


def sklearn_metrics():
    reason = "scikit-learn is not installed"
    return pytest.importorskip("sklearn.metrics", reason=reason)


@_settings
@given(samples=_samples)
def test_classes_as_scikit_learn(samples):
    skl = sklearn_metrics()
    true, predicted = map(np.array, samples)
    rows = np.eye(4)[predicted]
    found = nx.ConfusionMatrix(dtype="float64").calculate(rows, true)
    expected = skl.confusion_matrix(true, predicted, labels=range(4))
    np.testing.assert_array_equal(found, expected)
    assert nx.Accuracy(dtype="float64").calculate(rows, true) == pytest.approx(
        skl.accuracy_score(true, predicted), rel=1e-15
    )
    for unit, function in (
        (nx.Precision, skl.precision_score),
        (nx.Recall, skl.recall_score),
        (nx.F1, skl.f1_score),
    ):
        for average in ("macro", "micro", "weighted", "none"):
            options = {"labels": range(4)} if average == "none" else {}
            expected = function(
                true,
                predicted,
                average=None if average == "none" else average,
                zero_division=0,
                **options,
            )
            found = unit(average, dtype="float64").calculate(rows, true)
            np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0)


@_settings
@given(samples=_samples)
def test_single_output_as_scikit_learn(samples):
    skl = sklearn_metrics()
    true, predicted = (np.array(x) > 1 for x in samples)
    scores, targets = predicted[:, None] * 0.8 + 0.1, true[:, None]
    matrix = nx.ConfusionMatrix(dtype="float64").calculate(scores, targets)
    np.testing.assert_array_equal(
        matrix, skl.confusion_matrix(true, predicted, labels=[False, True])
    )
    for unit, function in (
        (nx.Precision, skl.precision_score),
        (nx.Recall, skl.recall_score),
        (nx.F1, skl.f1_score),
    ):
        for average in ("binary", "macro", "micro", "weighted"):
            # Without labels scikit-learn takes the only class for class 1.
            expected = function(true, predicted, average=average, zero_division=0)
            found = unit(average, dtype="float64").calculate(scores, targets)
            np.testing.assert_allclose(found, expected, rtol=1e-14, atol=0)


@_settings
@given(
    values=st.integers(2, 9).flatmap(
        lambda n: st.lists(st.tuples(*[st.integers(-5, 5)] * 4), min_size=n, max_size=n)
    )
)
def test_r2_as_scikit_learn(values):
    """Of whole numbers, whose sums are exact: equal targets are seen as such."""
    skl = sklearn_metrics()
    table = np.array(values, dtype=float)
    y_pred, y_true = table[:, :2], table[:, 2:]
    for average, multioutput in (
        ("uniform", "uniform_average"),
        ("none", "raw_values"),
    ):
        found = nx.R2(average, dtype="float64").calculate(y_pred, y_true)
        expected = skl.r2_score(y_true, y_pred, multioutput=multioutput)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    batches = nx.R2(dtype="float64")
    for row in range(len(table)):
        batches.update(y_pred[row : row + 1], y_true[row : row + 1])
    np.testing.assert_allclose(
        batches.result(), skl.r2_score(y_true, y_pred), rtol=1e-12, atol=1e-12
    )
