"""Weights of samples in metrics: a weight says how often a sample counts."""

import itertools

import numpy as np
import pytest

import nnfs_xp as nx
from tests.matrix.cases.metrics import METRICS
from tests.matrix.helpers import NUMPY64

CASES = {
    f"{name}-{number}": case
    for name, cases in METRICS.items()
    # A few of each, among them single outputs, soft rows and more axes.
    for number, case in list(enumerate(cases))[::3]
}
every_case = pytest.mark.parametrize("name", CASES)


def whole_weights(n, seed=5):
    """Return weights that are whole numbers, and 0 for about a third."""
    weights = np.random.default_rng(seed).integers(0, 3, n)
    # Enough to count, whatever was drawn.
    weights[:2] = 1, 2
    return weights


def made(name, be):
    case = CASES[name]
    y_true = case.y_true
    return case.make(backend=be), case.y_pred, y_true


def placed(be, y_pred, y_true):
    return be.asarray(y_pred, be.dtype), be.asarray(y_true)


def tolerance(be):
    return 1e-12 if be.dtype_name == "float64" else 2e-5


def repeated(name, weights):
    """Return what the metric says of samples that are there as often as they weigh."""
    metric, y_pred, y_true = made(name, NUMPY64)
    return metric.calculate(
        np.repeat(np.float64(y_pred), weights, axis=0),
        np.repeat(y_true, weights, axis=0),
    )


@every_case
def test_a_weight_is_how_often_a_sample_counts(backend, name):
    be = backend
    metric, y_pred, y_true = made(name, be)
    weights = whole_weights(len(y_pred))
    given = be.asarray(weights, be.dtype)
    found = metric.calculate(*placed(be, y_pred, y_true), sample_weight=given)
    assert found.dtype == be.dtype
    expected = repeated(name, weights)
    np.testing.assert_allclose(
        be.to_numpy(found), expected, rtol=tolerance(be), atol=tolerance(be)
    )


@every_case
def test_weighted_batches_of_any_size_give_one_figure(backend, name):
    """Unweighted ones may come between them, where every sample counts once."""
    be = backend
    metric, y_pred, y_true = made(name, be)
    n = len(y_pred)
    weights = whole_weights(n)
    cuts = sorted({0, 1, n // 2, n})
    weights[cuts[1] : cuts[2]] = 1
    metric.prepare(be, be.asarray(y_true))
    for start, stop in itertools.pairwise(cuts):
        batch = placed(be, y_pred[start:stop], y_true[start:stop])
        given = weights[start:stop].tolist()
        metric.update(*batch, sample_weight=None if start == 1 else given)
    np.testing.assert_allclose(
        be.to_numpy(metric.result()), repeated(name, weights),
        rtol=tolerance(be), atol=tolerance(be),
    )  # fmt: skip
    metric.reset()
    metric.update(*placed(be, y_pred, y_true))
    whole = metric.calculate(*placed(be, y_pred, y_true))
    assert metric.result().dtype == whole.dtype


@every_case
def test_a_sample_without_weight_is_as_good_as_absent(name):
    """Also where its prediction is NaN, and where its class occurs nowhere else."""
    metric, y_pred, y_true = made(name, NUMPY64)
    y_pred = np.array(y_pred, "float64")
    left = np.arange(len(y_pred)) % 3 != 0
    y_pred[~left] = np.nan
    weight = np.where(left, 0.25, 0.0)
    found = metric.calculate(y_pred, y_true, sample_weight=weight)
    expected = metric.calculate(y_pred[left], y_true[left])
    factor = 0.25 if isinstance(metric, nx.ConfusionMatrix) else 1.0
    np.testing.assert_allclose(found, factor * expected, rtol=1e-12, atol=1e-12)


def test_no_weight_at_all():
    for metric, empty in ((nx.Accuracy(), np.nan), (nx.F1(), 0.0), (nx.R2(), np.nan)):
        values = isinstance(metric, nx.R2)
        y_pred, y = [[0.2, 0.8], [0.7, 0.3]], [[1, 2], [3, 4.0]] if values else [0, 1]
        found = metric.calculate(y_pred, y, sample_weight=[0, 0])
        np.testing.assert_array_equal(found, empty)


WEIGHTS = np.random.default_rng(8).uniform(0.1, 3.0, 40)


def skl_cases():
    random = np.random.default_rng(9)
    scores, labels = random.random((40, 3)), random.integers(0, 3, 40)
    chances, answers = random.random(40), random.integers(0, 2, 40)
    values = random.normal(size=(40, 2))
    targets = values + random.normal(size=(40, 2))
    predicted, decided = scores.argmax(axis=1), chances > 0.5
    macro = {"average": "macro", "zero_division": 0}
    p = scores / scores.sum(axis=1, keepdims=True)
    # In the middle of bins, so that no two of one bin differ.
    steps = (np.floor(chances * 50) + 0.5) / 50
    marks, chosen = random.random((40, 3)), random.integers(0, 2, (40, 3))
    rare = marks * [1, 1, 0]
    return {
        "fbeta": (
            nx.FBeta(0.5), scores, labels, predicted, {"beta": 0.5, **macro},
            "fbeta_score",
        ),
        "iou": (nx.MeanIoU(), scores, labels, predicted, macro, "jaccard_score"),
        "matthews": (
            nx.MatthewsCorrelation(), scores, labels, predicted, {},
            "matthews_corrcoef",
        ),
        "labels": (
            nx.Precision("micro", multi_label=True), marks, chosen, marks > 0.5,
            {"average": "micro"}, "precision_score",
        ),
        # Of the last label there is none, which counts as 0.
        "rare label": (
            nx.F1("macro", multi_label=True), rare, chosen * [1, 1, 0], rare > 0.5,
            macro, "f1_score",
        ),
        "brier": (nx.BrierScore(), p, labels, p, {}, "brier_score_loss"),
        "brier of one": (
            nx.BrierScore(), chances, answers, chances, {}, "brier_score_loss",
        ),
        "roc": (nx.AUC(bins=50), steps, answers, steps, {}, "roc_auc_score"),
        "pr": (nx.AUC("pr", 50), steps, answers, steps, {}, "average_precision_score"),
        "mean loss": (
            nx.MeanLoss("mean_absolute_error"), values, targets, values, {},
            "mean_absolute_error",
        ),
        "pinball": (
            nx.MeanLoss(nx.Pinball(0.8)), values, targets, values, {"alpha": 0.8},
            "mean_pinball_loss",
        ),
        "accuracy": (nx.Accuracy(), scores, labels, predicted, {}, "accuracy_score"),
        "top_k": (
            nx.TopKAccuracy(2), scores, labels, scores, {"k": 2},
            "top_k_accuracy_score",
        ),
        "binary": (
            nx.BinaryAccuracy(), chances, answers, decided, {}, "accuracy_score",
        ),
        "matrix": (
            nx.ConfusionMatrix(), scores, labels, predicted, {}, "confusion_matrix",
        ),
        "precision": (
            nx.Precision(), scores, labels, predicted, macro, "precision_score",
        ),
        "recall": (
            nx.Recall("weighted"), scores, labels, predicted,
            {"average": "weighted"}, "recall_score",
        ),
        "f1": (
            nx.F1("micro"), scores, labels, predicted, {"average": "micro"}, "f1_score",
        ),
        "f1 of one": (nx.F1(), chances, answers, decided, {}, "f1_score"),
        "recall of both": (
            nx.Recall("none"), chances, answers, decided, {"average": None},
            "recall_score",
        ),
        "r2": (
            nx.R2("none"), values, targets, values, {"multioutput": "raw_values"},
            "r2_score",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(skl_cases()))
def test_weighted_figures_are_those_of_scikit_learn(name):
    skl = pytest.importorskip("sklearn.metrics")
    metric, y_pred, y_true, given, options, function = skl_cases()[name]
    found = metric.calculate(np.float64(y_pred), y_true, sample_weight=WEIGHTS)
    expected = getattr(skl, function)(y_true, given, sample_weight=WEIGHTS, **options)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_mean_losses_count_what_the_losses_count():
    """Ignored labels and class weights, in uneven batches, as the loss itself."""
    random = np.random.default_rng(4)
    z, y = random.normal(size=(9, 3)), np.array([0, 2, -1, 1, 0, -1, 2, 2, 0])
    loss = nx.SoftmaxCrossEntropy(class_weight=[1, 2, 5], ignore_index=-1)
    for weight in (None, random.uniform(0.5, 2, 9)):
        metric = nx.MeanLoss(loss)
        for rows in (slice(0, 2), slice(2, 9)):
            own = None if weight is None else weight[rows]
            metric.update(z[rows], y[rows], sample_weight=own)
        expected = loss.calculate(z, y, sample_weight=weight)
        np.testing.assert_allclose(metric.result(), expected, rtol=1e-12)


def test_names_of_losses_are_metrics_of_a_model(backend):
    x = np.random.default_rng(1).normal(size=(20, 2)).astype("float32")
    y = (x[:, :1] * 3).astype("float32")
    model = nx.Model(
        [nx.Dense(2, 1)], loss="huber", backend=backend,
        metrics=["mean_absolute_error", "log_cosh", nx.RootMeanSquaredError(), "r2"],
    )  # fmt: skip
    found = model.evaluate(x, y, batch_size=7)
    error = backend.to_numpy(model.predict(x)).astype("float64") - y
    expected = {
        "mean_absolute_error": np.abs(error).mean(),
        "log_cosh": np.log(np.cosh(error)).mean(),
        "root_mean_squared_error": np.sqrt((error**2).mean()),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5)
    with pytest.raises(nx.InputError, match=r"metrics must be one of .*'no_such'"):
        nx.Model([nx.Dense(2, 1)], loss="huber", metrics=["no_such"])
    with pytest.raises(nx.InputError, match=r"MeanLoss.* not for the targets of Huber"):
        nx.Model([nx.Dense(2, 1)], loss="huber", metrics=["hinge"])


def test_several_labels_in_a_model(backend):
    """A sample has any number of labels; figures are those of all rows at once."""
    random = np.random.default_rng(6)
    x = random.normal(size=(30, 4)).astype("float32")
    y = (random.random((30, 3)) < 0.4).astype("float32")
    metrics = [
        nx.F1(multi_label=True), nx.Precision("micro", multi_label=True, top_k=1),
        nx.AUC(average="none", bins=20), "accuracy",
    ]  # fmt: skip
    model = nx.Model(
        [nx.Dense(4, 3), nx.Sigmoid()], loss="binary_focal_cross_entropy",
        optimizer="adam", backend=backend, metrics=metrics,
    )  # fmt: skip
    model.fit(x, y, batch_size=8)
    found, p = model.evaluate(x, y, batch_size=8), nx.to_numpy(model.predict(x))
    best = p == p.max(axis=1, keepdims=True)
    assert found["precision"] == pytest.approx((best * y).sum() / 30)
    for metric in metrics[::2]:
        expected = type(metric)(**metric.config()).calculate(p, y)
        np.testing.assert_allclose(found[metric.name], expected, rtol=1e-5)
    for bad, match in (
        (nx.Recall("binary", multi_label=True), "must not be 'binary' for several"),
        (nx.Recall(multi_label=True, top_k=4), "top_k must be at most .* 3, got 4"),
    ):
        with pytest.raises(nx.InputError, match=match):
            bad.calculate(p, y)
    with pytest.raises(nx.InputError, match="top_k requires multi_label"):
        nx.Recall(top_k=1)
    with pytest.raises(nx.InputError, match=r"F1.* is not for the targets of Cat"):
        nx.Model([nx.Dense(2, 3), nx.Softmax()], loss="categorical_crossentropy",
                 metrics=[nx.F1(multi_label=True)])  # fmt: skip


def test_weights_of_positions():
    """Scores of several positions in a sample may have a weight for each."""
    random = np.random.default_rng(3)
    scores, labels = random.random((4, 5, 3)), random.integers(0, 3, (4, 5))
    weights = random.uniform(size=(4, 5))
    right = scores.argmax(axis=-1) == labels
    for metric in (nx.Accuracy(), nx.TopKAccuracy(1), nx.F1("micro")):
        found = metric.calculate(scores, labels, sample_weight=weights)
        assert found == pytest.approx(np.sum(right * weights) / np.sum(weights))
        found = metric.calculate(scores, labels, sample_weight=weights[:, 0])
        expected = np.average(right.mean(axis=1), weights=weights[:, 0])
        assert found == pytest.approx(expected)


def weighted_model(be, **options):
    return nx.Model(
        [nx.Dense(4, 6), nx.ReLU(), nx.Dense(6, 3), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.SGD(0.01), backend=be,
        metrics=["accuracy", nx.TopKAccuracy(2), nx.ConfusionMatrix(), nx.F1()],
        **options,
    )  # fmt: skip


def padded():
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int64") + (x[:, 1] > 0)
    return x, y, np.r_[np.ones(25), np.zeros(25)]


def assert_figures(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-5, err_msg=key)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_padding_leaves_the_figures_of_a_model(backend, batch_size):
    x, y, weight = padded()
    model = weighted_model(backend)
    found = model.evaluate(x, y, sample_weight=weight, batch_size=batch_size)
    assert_figures(found, model.evaluate(x[:25], y[:25]))


def test_padding_leaves_the_figures_of_a_training(backend):
    """Of every epoch, of every batch, and of weighted validation data."""
    x, y, weight = padded()
    seen = []

    class Watch(nx.Callback):
        def on_batch_end(self, event):
            seen.append(event.batch_figures())

    options = {"epochs": 3, "batch_size": None, "shuffle": False}
    with_padding, without = weighted_model(backend), weighted_model(backend)
    one = with_padding.fit(
        x, y, sample_weight=weight, validation_data=(x, y, weight), callbacks=Watch(),
        **options,
    )  # fmt: skip
    two = without.fit(
        x[:25], y[:25], validation_data=(x[:25], y[:25]), callbacks=Watch(), **options
    )
    timing = {"seconds", "samples_per_second"}
    for a, b in zip(one.epochs, two.epochs, strict=True):
        assert_figures(
            *({k: v for k, v in r.items() if k not in timing} for r in (a, b))
        )
    for a, b in zip(seen[:3], seen[3:], strict=True):
        assert_figures(a, b)
    # The next fit counts again, and has whole numbers.
    record = with_padding.fit(x, y, **options).epochs[-1]
    matrix = np.array(record["confusion_matrix"])
    assert matrix.sum() == 50 and matrix.dtype.kind == "i"


class Own(nx.Metric):
    """A metric that knows no weights."""

    name, target_kind = "own", "classes"

    def empty(self, be, outputs):
        return {"count": be.zeros((), be.xp.int32)}

    def batch(self, be, y_pred, y_true):
        return {"count": y_pred.shape[0]}

    def compute(self, be, statistics):
        return statistics["count"]


class OwnWeighted(Own):
    def batch(self, be, y_pred, y_true, weight=None):
        return {"count": y_pred.shape[0] if weight is None else be.xp.sum(weight)}


def test_a_metric_that_takes_no_weights_is_refused_where_there_are_some(backend):
    x, y, weight = padded()
    model = weighted_model(backend)
    model.set(metrics=[Own()])
    assert model.evaluate(x, y)["own"] == 50
    before = backend.to_numpy(model.layers[0].weights).copy()
    for call in (model.evaluate, model.fit):
        with pytest.raises(nx.InputError, match=r"Own\(\) takes no sample_weight"):
            call(x, y, sample_weight=weight)
    with pytest.raises(nx.InputError, match=r"batch\(be, y_pred, y_true, weight"):
        Own().calculate([[1.0, 2.0]], [1], sample_weight=[1])
    np.testing.assert_array_equal(backend.to_numpy(model.layers[0].weights), before)
    model.set(metrics=[OwnWeighted()])
    assert model.evaluate(x, y, sample_weight=weight)["own"] == 25
    assert model.fit(x, y, sample_weight=weight).epochs[-1]["own"] == 25


def test_weights_are_checked():
    metric = nx.Accuracy()
    for bad, match in {
        "negative": ([1, -1], "sample_weight must hold numbers of 0 or more"),
        "infinite": ([1, float("inf")], "sample_weight must be finite"),
        "long": ([1, 1, 1], "sample_weight must have one entry"),
    }.values():
        with pytest.raises(nx.InputError, match=match):
            metric.calculate([[0.2, 0.8], [0.7, 0.3]], [0, 1], sample_weight=bad)
        with pytest.raises(nx.InputError, match=match):
            metric.update([[0.2, 0.8], [0.7, 0.3]], [0, 1], sample_weight=bad)
    with pytest.raises(nx.InputError, match="result needs an update"):
        metric.result()
