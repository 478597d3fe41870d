"""Weights of rare answers and classes, given or taken from the training labels."""

import json

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.registry import resolve, to_config

random = np.random.default_rng(12)
N = 60
X = random.normal(size=(N, 4)).astype("float32")
LABELS = np.repeat([0, 1, 2], [40, 15, 5])
ANSWERS = (LABELS == 2).astype("float32")[:, None]


def balanced(labels, n_classes, weight=None):
    """scikit-learn's formula, with 1 for classes that do not occur."""
    weight = np.ones(len(labels)) if weight is None else weight
    n = np.array([weight[labels == k].sum() for k in range(n_classes)])
    some = n > 0
    return np.where(some, weight.sum() / (some.sum() * np.where(some, n, 1)), 1.0)


def classifier(loss, be, outputs=3):
    return nx.Model(
        [nx.Dense(4, outputs), nx.Softmax()],
        loss=loss, optimizer=nx.SGD(0.1), metrics=None, backend=be,
    )  # fmt: skip


def learned(model, y, **options):
    model.fit(X, y, epochs=2, batch_size=16, **options)
    found = [model.backend.to_numpy(v) for v in model.parameters.values()]
    return [*found, model.evaluate(X, y)["loss"]]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_far_answers_are_exact(backend):
    """From logits at any size; a small loss is not rounded away beside a weight."""
    z = np.array([[1e4], [-1e4], [1e4], [-1e4], [12.0], [-12.0]])
    y = np.array([[1], [1], [0], [0], [1], [0.0]])
    loss = nx.BinaryCrossEntropy(
        True, pos_weight=3.0, class_weight=[2, 5], backend=backend
    )
    be = backend
    found = loss.forward(be.asarray(z, be.dtype), be.asarray(y, be.dtype))
    small = np.log1p(np.exp(-12.0))
    expected = [0, 15e4, 2e4, 0, 15 * small, 2 * small]
    np.testing.assert_allclose(be.to_numpy(found), expected, rtol=1e-6)
    slopes = be.to_numpy(loss.backward()).ravel() * (5 + 5 + 2 + 2 + 5 + 2)
    near = 1 / (1 + np.exp(12.0))
    np.testing.assert_allclose(
        slopes, [0, -15, 2, 0, -15 * near, 2 * near], rtol=1e-6, atol=4e-6
    )


@pytest.mark.parametrize("mode", ["exact", "book"])
def test_binary_class_weights_are_weights_of_samples(backend64, mode):
    """The mean is that of samples with the weight of their answer."""
    be, z = backend64, random.normal(size=(N, 1))
    weight = np.where(ANSWERS[:, 0] > 0, 7.0, 0.5)
    for from_logits in (False, True):
        y_pred = be.asarray(z if from_logits else 1 / (1 + np.exp(-z)))
        y = be.asarray(ANSWERS)
        plain = nx.BinaryCrossEntropy(from_logits, mode, backend=be)
        for class_weight in ([0.5, 7], {1: 7.0, 0: 0.5}):
            loss = nx.BinaryCrossEntropy(
                from_logits, mode, class_weight=class_weight, backend=be
            )
            found = loss.calculate(y_pred, y)
            given = weight.tolist()
            expected = plain.calculate(y_pred, y, sample_weight=given)
            np.testing.assert_allclose(be.to_numpy(found), be.to_numpy(expected))
            np.testing.assert_allclose(
                be.to_numpy(loss.backward()), be.to_numpy(plain.backward()), atol=1e-15
            )


def test_a_dict_holds_the_weights_of_some_labels(backend):
    loss = nx.CategoricalCrossEntropy(class_weight={2: 8.0, 0: 0.5})
    other = nx.CategoricalCrossEntropy(class_weight=[0.5, 1.0, 8.0])
    assert loss.class_weight == {2: 8.0, 0: 0.5}
    assert_same(
        learned(classifier(loss, backend), LABELS),
        learned(classifier(other, backend), LABELS),
    )
    again = resolve("loss", json.loads(json.dumps(to_config(loss))), "loss")
    assert again.class_weight == loss.class_weight


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("kind", ["CategoricalCrossEntropy", "SoftmaxCrossEntropy"])
def test_balanced_weights_come_from_the_training_labels(backend, kind, rows):
    y = np.eye(3)[LABELS].astype("float32") if rows else LABELS
    given = tuple(balanced(LABELS, 3))

    def model(class_weight):
        last = [nx.Softmax()] if kind == "CategoricalCrossEntropy" else []
        loss = getattr(nx, kind)(class_weight=class_weight)
        return nx.Model(
            [nx.Dense(4, 3), *last],
            loss=loss, optimizer=nx.SGD(0.1), metrics=None, backend=backend,
        )  # fmt: skip

    found, expected = model("balanced"), model(given)
    assert found.loss.class_weight == "balanced"
    assert_same(learned(found, y), learned(expected, y))
    assert found.loss.class_weight == pytest.approx(given)
    # They are kept, whatever labels come later, also in a file.
    found.fit(X, np.roll(y, 7, axis=0) if rows else np.roll(LABELS, 7) % 2)
    assert found.loss.class_weight == pytest.approx(given)
    again = resolve("loss", json.loads(json.dumps(to_config(found.loss))), "loss")
    assert again.class_weight == found.loss.class_weight


def test_balanced_weights_are_those_of_scikit_learn():
    skl = pytest.importorskip("sklearn.utils.class_weight")
    model = classifier(nx.CategoricalCrossEntropy(class_weight="balanced"), "numpy")
    model.fit(X, LABELS)
    expected = skl.compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(model.loss.class_weight, expected)


def test_ignored_and_absent_labels_and_samples_without_weight(backend):
    """None of them is counted; a class that does not occur has weight 1."""
    labels, weight = LABELS.copy(), np.arange(N) % 4 * 1.0
    labels[::9] = 1
    loss = nx.CategoricalCrossEntropy(class_weight="balanced", ignore_index=1)
    model = classifier(loss, backend, outputs=4)
    model.fit(X, labels, sample_weight=weight)
    counted = np.where(labels == 1, 0.0, weight)
    assert model.loss.class_weight == pytest.approx(balanced(labels, 4, counted))
    assert model.loss.class_weight[1] == model.loss.class_weight[3] == 1.0


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_balanced_answers(backend, activation):
    given = tuple(balanced(ANSWERS[:, 0], 2))

    def model(class_weight):
        loss = nx.BinaryCrossEntropy(activation is None, class_weight=class_weight)
        layers = [nx.Dense(4, 1), *([nx.Sigmoid()] if activation else [])]
        return nx.Model(
            layers, loss=loss, optimizer=nx.SGD(0.1), backend=backend, metrics=None
        )

    found = model("balanced")
    assert_same(learned(found, ANSWERS), learned(model(given), ANSWERS))
    assert found.loss.class_weight == pytest.approx(given)


def test_balanced_weights_need_labels():
    y_pred, match = [[0.2, 0.8]], "class_weight='balanced' needs the labels"
    for make, y in (
        (nx.CategoricalCrossEntropy, [1]),
        (nx.BinaryCrossEntropy, [[0, 1]]),
    ):
        loss = make(class_weight="balanced")
        for call in (loss.forward, loss.calculate, loss.backward):
            with pytest.raises(nx.InputError, match=match):
                call(y_pred, y)
        with pytest.raises(nx.InputError, match="backward needs"):
            loss.backward()
    for be in ("numpy", "jax"):
        model = classifier(nx.CategoricalCrossEntropy(class_weight="balanced"), be)
        with pytest.raises(nx.InputError, match=match):
            model.evaluate(X, LABELS)


@pytest.mark.parametrize(
    ("make", "message"),
    {
        "word": (
            lambda: nx.BinaryCrossEntropy(class_weight="even"),
            "class_weight must .* or be 'balanced', got 'even'",
        ),
        "empty": (
            lambda: nx.CategoricalCrossEntropy(class_weight={}),
            "class_weight must hold the weight of a label",
        ),
        "label": (
            lambda: nx.CategoricalCrossEntropy(class_weight={-1: 2.0}),
            "labels of class_weight must be an integer of 0 or more, got -1",
        ),
        "name": (
            lambda: nx.CategoricalCrossEntropy(class_weight={"cat": 2.0}),
            "labels of class_weight must be .*'cat'",
        ),
        "negative": (
            lambda: nx.CategoricalCrossEntropy(class_weight={1: -2.0}),
            r"class_weight\[1\] must be a finite number of 0 or more",
        ),
        "third": (
            lambda: nx.BinaryCrossEntropy(class_weight={2: 2.0}),
            "class_weight must hold labels from 0 to 1, got 2",
        ),
        "three": (
            lambda: nx.BinaryCrossEntropy(class_weight=[1, 2, 3]),
            "class_weight must hold a weight for each of 2 classes, got 3",
        ),
        "positive": (
            lambda: nx.BinaryCrossEntropy(pos_weight=-1),
            "pos_weight must hold finite numbers of 0 or more",
        ),
        "balanced": (
            lambda: nx.BinaryCrossEntropy(pos_weight="balanced"),
            "pos_weight must hold finite numbers",
        ),
        "outputs": (
            lambda: nx.BinaryCrossEntropy(pos_weight=[1, 2]).calculate([[0.5]], [[1]]),
            "pos_weight must hold a weight for each of 1 outputs, got 2",
        ),
        "labels": (
            lambda: nx.CategoricalCrossEntropy(class_weight={2: 2.0}).calculate(
                [[0.5, 0.5]], [1]
            ),
            "class_weight must hold labels from 0 to 1, got 2",
        ),
    }.values(),
)  # fmt: skip
def test_what_is_no_weight_is_refused(make, message):
    with pytest.raises(nx.InputError, match=message):
        make()
