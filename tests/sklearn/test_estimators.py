"""Estimators in pipelines, searches and trainings of their own."""

import copy
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nnfs_xp as nx
from nnfs_xp.sklearn import (
    MLPClassifier,
    MLPRegressor,
    ModelClassifier,
    ModelRegressor,
)
from tests.sklearn import models

pytestmark = pytest.mark.filterwarnings("ignore:the training has not converged")

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def quick(**parameters):
    options = {
        "hidden_layer_sizes": 8, "learning_rate_init": 0.02, "max_iter": 20,
        "random_state": 0,
    }  # fmt: skip
    return MLPClassifier(**(options | parameters))


class Count(nx.Callback):
    def __init__(self):
        self.epochs = 0

    def on_epoch_end(self, record):
        self.epochs += 1


def test_a_pipeline_with_names_of_classes():
    pipeline = make_pipeline(StandardScaler(), quick())
    scores = cross_val_score(pipeline, X, NAMES[Y], cv=3)
    assert scores.min() > 0.8
    estimator = pipeline.fit(X, NAMES[Y])[-1]
    assert estimator.classes_.tolist() == NAMES.tolist()
    assert set(pipeline.predict(X[::50])) <= set(NAMES)
    np.testing.assert_allclose(pipeline.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_allclose(
        np.exp(pipeline.predict_log_proba(X)), pipeline.predict_proba(X)
    )


def test_names_of_features():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    estimator = quick(max_iter=2).fit(frame, Y)
    assert estimator.feature_names_in_.tolist() == list("abcd")
    assert estimator.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(frame[list("badc")])


def test_sparse_samples_are_refused():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="Sparse data was passed"):
        quick().fit(sparse.csr_matrix(X), Y)


def test_the_same_state_gives_the_same_numbers():
    one, two, other = (
        quick(random_state=seed, max_iter=3, dropout=0.2).fit(X, Y)
        for seed in (1, np.random.RandomState(1), 2)
    )
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize("name", ["clone", "pickle", "deepcopy"])
def test_copies(name):
    copied = {
        "clone": clone,
        "pickle": lambda e: pickle.loads(pickle.dumps(e)),
        "deepcopy": copy.deepcopy,
    }[name]
    estimator = quick(solver=nx.RMSprop(0.01), callbacks=[Count()], max_iter=4)
    fitted = copied(estimator).fit(X, Y)
    assert fitted.callbacks[0].epochs == 4 and not hasattr(estimator, "model_")
    again = copied(fitted)
    if name == "clone":
        assert not hasattr(again, "model_")
        return
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.loss_curve_ == fitted.loss_curve_
    # Going on from there is going on from where it was, moments included.
    for one in (again, fitted):
        one.partial_fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_partial_fit():
    whole = quick(max_iter=3, tol=None).fit(X, Y)
    parts = quick()
    with pytest.raises(nx.InputError, match="classes must be given at the first call"):
        parts.partial_fit(X, Y)
    for _ in range(3):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
    np.testing.assert_array_equal(parts.predict_proba(X), whole.predict_proba(X))
    assert parts.n_iter_ == 3 and parts.loss_curve_ == whole.loss_curve_
    some = quick().partial_fit(X[:50], Y[:50], classes=[0, 1, 2])
    assert some.predict_proba(X).shape == (150, 3)
    with pytest.raises(nx.InputError, match=r"y must hold the classes .*got \[3\]"):
        some.partial_fit(X[:2], [3, 3])
    with pytest.raises(nx.InputError, match="needs all samples"):
        quick(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


def test_warm_start_goes_on():
    warm = quick(max_iter=3, warm_start=True, tol=None).fit(X, Y).fit(X, Y)
    at_once = quick(max_iter=6, tol=None).fit(X, Y)
    np.testing.assert_array_equal(warm.predict_proba(X), at_once.predict_proba(X))
    assert warm.n_iter_ == 6
    cold = quick(max_iter=3, tol=None).fit(X, Y).fit(X, Y)
    assert cold.n_iter_ == 3 and cold.loss_curve_ == at_once.loss_curve_[:3]


def test_weights_of_classes_and_samples():
    weights = {0: 1.0, 1: 0.0, 2: 1.0}
    by_class = quick(class_weight=weights).fit(X, Y)
    by_sample = quick().fit(X, Y, sample_weight=[weights[y] for y in Y])
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))
    assert 1 not in by_class.predict(X) and 1 in quick().fit(X, Y).predict(X)
    by_name = quick(class_weight=dict(zip(NAMES, weights.values(), strict=True)))
    by_name.fit(X, NAMES[Y])
    np.testing.assert_array_equal(by_name.predict_proba(X), by_sample.predict_proba(X))
    assert quick(class_weight="balanced").fit(X, Y).loss_curve_ == pytest.approx(
        quick().fit(X, Y).loss_curve_
    )


def test_early_stopping():
    estimator = quick(
        max_iter=500, early_stopping=True, n_iter_no_change=3, tol=0.0,
        validation_fraction=0.2,
    ).fit(X, Y)  # fmt: skip
    held_out = estimator.history_["validation_loss"]
    assert estimator.n_iter_ == len(held_out) < 500
    best = held_out.index(estimator.best_validation_loss_)
    assert best == len(held_out) - 1 - 4
    # The model is that of its best epoch.
    until = quick(
        max_iter=best + 1, early_stopping=True, tol=0.0, validation_fraction=0.2
    )
    np.testing.assert_array_equal(
        until.fit(X, Y).predict_proba(X), estimator.predict_proba(X)
    )


def test_the_end_of_a_training():
    with pytest.warns(ConvergenceWarning, match="within 2 epochs"):
        quick(max_iter=2).fit(X, Y)
    estimator = quick(max_iter=1000, n_iter_no_change=2, tol=0.05).fit(X, Y)
    curve = estimator.loss_curve_
    assert estimator.n_iter_ == len(curve) < 1000
    assert curve[-1] > min(curve[:-3]) - 0.05
    assert estimator.best_loss_ == min(curve) and estimator.loss_ == curve[-1]


def test_alpha_means_what_it_does_in_scikit_learn():
    from sklearn.neural_network import MLPClassifier as Theirs

    def parameters(solver, **more):
        return {
            "hidden_layer_sizes": (4,), "activation": "tanh", "alpha": 3.0,
            "batch_size": 150, "shuffle": False, "solver": solver,
        } | more  # fmt: skip

    theirs = Theirs(
        **parameters("sgd", momentum=0.0, nesterovs_momentum=False, random_state=0),
        learning_rate_init=0.1, warm_start=True,
    )  # fmt: skip
    ours = MLPClassifier(**parameters(nx.SGD(0.1)), tol=None, warm_start=True)
    # After an epoch, both are given the same weights.
    with pytest.warns(ConvergenceWarning):
        theirs.set_params(max_iter=1).fit(X, Y)
    ours.set_params(max_iter=1).fit(X, Y)
    for layer, coefs, intercepts in zip(
        ours._dense_layers(), theirs.coefs_, theirs.intercepts_, strict=True
    ):
        layer.weights, layer.biases = coefs, intercepts
    for _ in range(5):
        theirs.partial_fit(X, Y)
    ours.set_params(max_iter=5).fit(X, Y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))
    for mine, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-12)
    assert [b.shape for b in ours.intercepts_] == [(4,), (3,)]


def test_several_labels_for_each_sample():
    x, labels = make_multilabel_classification(n_samples=60, random_state=0)
    x = StandardScaler().fit_transform(x)
    estimator = quick(max_iter=60).fit(x, labels)
    assert estimator.predict_proba(x).shape == labels.shape
    assert (estimator.predict(x) == labels).mean() > 0.9


@pytest.mark.parametrize("activation", ["logistic", nx.Sigmoid()])
def test_activations(activation):
    estimator = quick(activation=activation, hidden_layer_sizes=(5, 4), max_iter=2)
    layers = estimator.fit(X, Y).model_.layers
    kinds = [type(layer) for layer in layers]
    assert kinds[1] is kinds[3] is nx.Sigmoid and layers[1] is not layers[3]
    assert activation not in layers


def test_a_regressor_of_one_and_of_several_outputs():
    options = {"learning_rate_init": 0.02, "random_state": 0, "loss": nx.Huber()}
    one = MLPRegressor(16, **options).fit(X[:, :3], X[:, 3])
    assert one.predict(X[:, :3]).shape == (150,) and one.score(X[:, :3], X[:, 3]) > 0.8
    two = MLPRegressor(16, **options).fit(X[:, :2], X[:, 2:])
    assert two.predict(X[:, :2]).shape == (150, 2) and two.n_outputs_ == 2
    with pytest.raises(nx.InputError, match="y must have 2 outputs as before, got 1"):
        two.partial_fit(X[:, :2], X[:, 2])


def test_the_precision_is_that_of_the_samples():
    assert quick(max_iter=1).fit(X, Y).predict_proba(X).dtype == "float64"
    narrow = X.astype("float32")
    assert quick(max_iter=1).fit(narrow, Y).predict_proba(narrow).dtype == "float32"
    fitted = quick(max_iter=1, dtype="float32", backend="numpy").fit(X, Y)
    assert fitted.predict_proba(X).dtype == "float32"


def sigmoid_model(n_inputs, n_outputs):
    return nx.Model(
        [nx.Dense(n_inputs, 1), nx.Sigmoid()],
        loss="binary_cross_entropy",
        optimizer=nx.Adam(0.1),
    )


def logits_model(n_inputs, n_outputs):
    return nx.Model(
        [nx.Dense(n_inputs, n_outputs)],
        loss=nx.CategoricalCrossEntropy(from_logits=True),
        optimizer=nx.Adam(0.1),
    )


@pytest.mark.parametrize("build", [sigmoid_model, logits_model])
def test_models_of_other_outputs(build):
    estimator = ModelClassifier(build, max_iter=30).fit(X[:100], NAMES[Y[:100]])
    assert estimator.score(X[:100], NAMES[Y[:100]]) > 0.95
    probabilities = estimator.predict_proba(X[:100])
    assert probabilities.shape == (100, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_arguments_of_the_function():
    estimator = ModelClassifier(models.classifier, arguments={"width": 3}, max_iter=2)
    assert estimator.get_params()["arguments__width"] == 3
    search = GridSearchCV(estimator, {"arguments__width": [2, 5]}, cv=2).fit(X, Y)
    assert {p["arguments__width"] for p in search.cv_results_["params"]} == {2, 5}
    width = search.best_params_["arguments__width"]
    assert search.best_estimator_.model_.layers[0].n_neurons == width
    one, two = (clone(estimator).set_params(random_state=1).fit(X, Y) for _ in "12")
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (ModelClassifier(), "build must be a function that returns a Model, got None"),
        (ModelClassifier(lambda n, k: None), "build must return a Model, got None"),
        (
            ModelClassifier(sigmoid_model, random_state=0),
            "random_state needs a function build that takes a seed",
        ),
        (ModelClassifier(sigmoid_model), "must have 3 outputs, one for each class"),
        (ModelClassifier(models.regressor), "a classifier needs a loss of classes"),
        (ModelRegressor(models.classifier), "a regressor needs a loss of numbers"),
        (quick(solver="lbfgs"), "solver must be one of"),
        (quick(activation="nothing"), "activation must be one of"),
        (quick(batch_size="all"), "batch_size must be a positive integer, got 'all'"),
        (quick(alpha=-1.0), "alpha must be a finite number of 0 or more, got -1.0"),
        (quick(hidden_layer_sizes=(3, 0)), "hidden_layer_sizes must be a positive"),
        (ModelClassifier(models.classifier, arguments=3), "arguments must be a dict"),
        (quick(class_weight={0: -1.0}), "class_weight must hold finite numbers of 0"),
        (quick(class_weight={0: np.nan}), "class_weight must hold finite numbers"),
        (quick(class_weight={0: 0, 1: 0, 2: 0}), "class_weight must hold .* not all"),
    ],
)
def test_what_cannot_be_trained(estimator, text):
    with pytest.raises(nx.InputError, match=text):
        estimator.fit(X, Y)


BAD_PARAMETERS = {
    "max_iter": [0, -1, 2.5, "2", True, None],
    "n_iter_no_change": [0, -1, 2.5, "3", True, None],
    "tol": [-1.0, np.nan, np.inf, "x", True],
    "shuffle": ["no", 1, None],
    "early_stopping": ["no", 1, None],
    "warm_start": ["no", 1, None],
    "verbose": ["no", 2, None],
    "validation_fraction": [0, 1, 1.0, -0.5, 1.5, np.nan, "x", True, None],
    "batch_size": [0, -1, 2.5, "x", True],
    "backend": ["", "tf", 3, False],
    "dtype": ["", "float16", 3, False],
    "compile": ["", "x", None, True],
    "callbacks": [3, "x", [3]],
    "hidden_layer_sizes": [0, (0,), "3", None, (3, True), [[3]]],
    "activation": ["", "no", 3, None],
    "solver": ["", "no", 3, None],
    "alpha": [-1.0, np.nan, np.inf, "x", True, None],
    "learning_rate_init": [-1.0, np.nan, "x", True, None],
    "dropout": [-1.0, 1.5, np.nan, "x", True, None],
}


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_a_parameter_is_refused_by_the_name_that_it_has_here(name):
    known = quick().get_params().keys()
    assert BAD_PARAMETERS.keys() <= known
    # What any object may be given for: scikit-learn checks it, or the device does.
    assert known - BAD_PARAMETERS.keys() <= {"random_state", "class_weight", "device"}
    for value in BAD_PARAMETERS[name]:
        estimator = quick(**{name: value})
        with pytest.raises(nx.InputError, match=rf"^{name} must "):
            estimator.fit(X, Y)
        learned = [attribute for attribute in vars(estimator) if attribute[-1] == "_"]
        if name not in ("backend", "dtype", "compile", "callbacks"):
            assert not learned and not hasattr(estimator, "n_features_in_"), value
        assert not hasattr(estimator, "model_"), value


def test_classes_of_a_later_call():
    estimator = quick().partial_fit(X, Y, classes=[0, 1, 2])
    before = estimator.predict_proba(X)
    with pytest.raises(nx.InputError, match="classes must be those of the first call"):
        estimator.partial_fit(X, Y, classes=[0, 1, 2, 3])
    np.testing.assert_array_equal(estimator.predict_proba(X), before)
    estimator.partial_fit(X, Y, classes=[2, 1, 0])


@pytest.mark.parametrize(
    "weight",
    [[1.0, 2.0], np.ones((150, 1)), np.zeros(150), np.append(np.ones(149), -1.0)],
)
def test_weights_that_do_not_fit(weight):
    with pytest.raises(nx.InputError, match="sample_weight must h"):
        quick().fit(X, Y, sample_weight=weight)


@pytest.mark.slow
def test_a_search_in_two_processes_reaches_97_percent():
    digits, labels = load_digits(return_X_y=True)
    estimator = MLPClassifier(
        learning_rate_init=0.003, max_iter=40, random_state=0, dtype="float32"
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), estimator),
        {
            "mlpclassifier__hidden_layer_sizes": [(32,), (128,), (64, 64)],
            "mlpclassifier__alpha": [1e-4, 1.0],
            "mlpclassifier__dropout": [0.0, 0.2],
        },
        n_jobs=2,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
    ).fit(digits, labels)
    assert len(search.cv_results_["params"]) == 12
    assert search.best_score_ > 0.97
    # The best one, trained on all, can be taken to another process, too.
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(digits), search.predict(digits))
