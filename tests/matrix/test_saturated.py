"""Probabilities that were rounded to 0 or 1, by hand and in models that fuse nothing.

The oracle is the same loss from logits, which loses nothing.
"""

import numpy as np
import pytest

import nnfs_xp as nx

# Logits whose softmax or sigmoid is 0 or 1 in float32, and in float64 too.
Z = np.array(
    [[0, -200, 300], [5, -2000, 800], [-1000, 1000, 0], [1, 2, 3], [-80, 0, 3.0]]
)
LABELS = np.array([0, 1, 0, 2, 0])
OPTIONS = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "weighted": {"class_weight": [1.0, 100.0, 2.0], "reduction": "none"},
    "smoothed": {"label_smoothing": 0.3},
}


def assert_close(be, found, expected):
    """Compare row by row, on the scale of the largest entry of each."""
    found, expected = be.to_numpy(found), be.to_numpy(expected)
    assert np.all(np.isfinite(found))
    scale = np.max(np.abs(expected), axis=-1, keepdims=True)
    assert np.all(np.abs(found - expected) <= 16 * np.finfo(found.dtype).eps * scale)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weight", [None, [1, 1e4, 1e5, 0, 5.0]])
def test_categorical(backend, option, soft, weight):
    be, options = backend, {**OPTIONS[option], "backend": backend}
    rows = [[0.5, 0.25, 0.25], *np.eye(3)[LABELS[1:]].tolist()]
    y, z = rows if soft else LABELS.tolist(), be.asarray(Z, be.dtype)
    softmax, loss = nx.Softmax(backend=be), nx.CategoricalCrossEntropy(**options)
    dp = loss.backward(softmax.forward(z), y, sample_weight=weight)
    assert be.to_numpy(be.xp.isfinite(dp)).all()
    after = nx.SoftmaxCrossEntropy(**options).backward(z, y, sample_weight=weight)
    assert_close(be, softmax.backward(dp), after)


@pytest.mark.parametrize("target", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("weight", [None, np.linspace(1e5, 0, 15).tolist()])
def test_binary(backend, target, weight):
    be, z = backend, backend.asarray(np.reshape(Z, (-1, 1)), backend.dtype)
    y = be.full(z.shape, target)
    sigmoid, loss = nx.Sigmoid(backend=be), nx.BinaryCrossEntropy(backend=be)
    dp = loss.backward(sigmoid.forward(z), y, sample_weight=weight)
    assert be.to_numpy(be.xp.isfinite(dp)).all()
    after = nx.BinaryCrossEntropy(from_logits=True, backend=be)
    expected = be.to_numpy(after.backward(z, y, sample_weight=weight))
    found = be.to_numpy(sigmoid.backward(dp))
    # Next to 1 a probability has lost digits of 1 - p, which are no longer there.
    eps = np.finfo(found.dtype).eps
    np.testing.assert_allclose(found, expected, rtol=16 * eps, atol=eps * 1e5 / 15)


class OwnCategorical(nx.CategoricalCrossEntropy):
    """The same, but not the library's: a model computes it as it is written."""


class OwnBinary(nx.BinaryCrossEntropy):
    """The same, but not the library's."""


@pytest.mark.parametrize("kind", ["categorical", "binary"])
def test_models_that_absorb_nothing_learn_the_same(backend, kind):
    """A confident mistake is a gradient, and not NaN in all parameters."""

    def learned(own):
        if kind == "categorical":
            loss = (OwnCategorical if own else nx.CategoricalCrossEntropy)()
            last, y = nx.Softmax(), LABELS
        else:
            loss = (OwnBinary if own else nx.BinaryCrossEntropy)()
            last, y = nx.Sigmoid(), np.eye(3)[LABELS]
        dense = nx.Dense(3, 3, weight_initializer="ones")
        model = nx.Model([dense, last], loss=loss, optimizer="sgd", backend=backend)
        model.set_parameters([(np.eye(3), np.zeros(3))])
        model.fit(Z / 8 * 4, y, epochs=1, batch_size=None)
        return [backend.to_numpy(array) for array in model.parameters.values()]

    for own, ours in zip(learned(True), learned(False), strict=True):
        assert np.all(np.isfinite(own))
        scale = np.max(np.abs(ours))
        eps = np.finfo(own.dtype).eps
        np.testing.assert_allclose(own, ours, atol=64 * eps * scale, rtol=0)


# Losses that a model computes from the logits before its last activation.
ABSORBING = {
    "categorical": (nx.Softmax, nx.CategoricalCrossEntropy, LABELS),
    "focal": (nx.Softmax, nx.CategoricalFocalCrossEntropy, LABELS),
    "divergence": (nx.Softmax, nx.KullbackLeibler, np.eye(3)[LABELS]),
    "binary": (nx.Sigmoid, nx.BinaryCrossEntropy, np.eye(3)[LABELS]),
    "binary focal": (nx.Sigmoid, nx.BinaryFocalCrossEntropy, np.eye(3)[LABELS]),
}


@pytest.mark.parametrize("kind", ABSORBING)
def test_models_compute_from_logits(backend, kind):
    """An activation and its loss cost what the loss of logits does, at any logit."""
    last, loss, y = ABSORBING[kind]

    def figures(layers, loss):
        model = nx.Model([nx.Linear(), *layers], loss=loss, backend=backend)
        return model.evaluate(Z, y)["loss"]

    found, expected = figures([last()], loss()), figures([], loss(from_logits=True))
    assert found == pytest.approx(expected, rel=1e-6) and expected > 100
    with pytest.raises(nx.InputError, match=r"takes logits, and layers already end"):
        figures([last()], loss(from_logits=True))
    with pytest.raises(nx.InputError, match=r"takes probabilities, and Dense.*logits"):
        figures([nx.Dense(3, 3)], loss())


def test_a_softmax_over_another_axis_is_computed_as_it_is(backend64):
    x = np.random.default_rng(2).standard_normal((5, 2, 3))
    y = np.array([[0, 1], [2, 1], [0, 0], [1, 1], [2, 0]])
    model = nx.Model(
        [nx.Linear(), nx.Softmax(axis=1)], loss="categorical_crossentropy",
        backend=backend64,
    )  # fmt: skip
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    expected = -np.log(np.take_along_axis(p, y[..., None], -1)).mean()
    assert model.evaluate(x, y)["loss"] == pytest.approx(expected)
    with pytest.raises(nx.InputError, match=r"axis of Softmax\(axis=3\)"):
        nx.Softmax(axis=3, backend=backend64).forward(x.tolist())


def test_two_outputs_for_a_normal_distribution(backend64):
    """The spread of the values is learned, too."""
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (400, 1))
    y = 2 * x + 0.5 * random.standard_normal((400, 1))
    model = nx.Model(
        [nx.Dense(1, 2)], loss=nx.GaussianNegativeLogLikelihood(),
        optimizer=nx.Adam(0.05), backend=backend64,
    )  # fmt: skip
    model.fit(x, y, epochs=60, batch_size=100)
    mean, log_variance = backend64.to_numpy(model.predict(x)).T
    assert np.mean((mean - 2 * x[:, 0]) ** 2) < 0.01
    assert np.exp(log_variance / 2).mean() == pytest.approx(0.5, abs=0.08)
    with pytest.raises(nx.InputError, match="y_pred must have an even number"):
        nx.Model([nx.Dense(1, 3)], loss=model.loss).evaluate(x, y)
    with pytest.raises(nx.InputError, match=r"^y must have the shape"):
        model.evaluate(x, np.concatenate([y, y], axis=1))
