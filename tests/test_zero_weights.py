"""Weights of 0: for some samples, for a batch, for all."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4))
Y = np.arange(12) % 3
NONE, SOME = np.zeros(12), (np.arange(12) >= 4) * 1.0


def make_model(be="numpy", compile="auto", loss="softmax_cross_entropy", **options):
    return nx.Model(
        [nx.Dense(4, 5), nx.ReLU(), nx.Dense(5, 3)],
        loss=loss, optimizer=nx.SGD(0.1), backend=be, compile=compile, **options,
    )  # fmt: skip


def weights_of(model):
    return [nx.to_numpy(array).copy() for array in model.parameters.values()]


@pytest.mark.parametrize("compile", ["auto", "off"])
def test_a_batch_without_weight_changes_nothing(backend_name, compile):
    """Not the parameters, nor the figures, with many steps at a time or with one."""
    be = backend_or_skip(backend_name, "float64")
    options = {"batch_size": 4, "shuffle": False, "epochs": 3}
    wanted = make_model(be, compile, metrics=["accuracy"])
    start = weights_of(wanted)
    history = wanted.fit(X[4:], Y[4:], **options)
    seen = []

    class Watch(nx.Callback):
        def on_batch_end(self, event):
            seen.append(weights_of(model))

    for callbacks in (None, Watch()):
        model = make_model(be, compile, metrics=["accuracy"])
        found = model.fit(X, Y, sample_weight=SOME, callbacks=callbacks, **options)
        for name in ("loss", "accuracy"):
            np.testing.assert_allclose(found[name], history[name], rtol=1e-12)
        for one, same in zip(weights_of(wanted), weights_of(model), strict=True):
            np.testing.assert_allclose(one, same, rtol=0, atol=1e-14)
    for one, same, other in zip(start, *seen[:2], strict=True):
        np.testing.assert_array_equal(one, same)
        assert (same != other).any()


CASES = [
    ({}, {"sample_weight": NONE}, "^sample_weight must be above 0 for a sample"),
    ({}, {"validation_data": (X, Y, NONE)}, "^validation_data sample_weight must be"),
    (
        {},
        {"sample_weight": (X[:, 0] == X[0, 0]) * 1.0, "validation_split": 0.5},
        "^held-out part of sample_weight must be",
    ),
    ({"class_weight": (0, 0, 0)}, {}, "^y must hold a label that counts"),
    ({"class_weight": {0: 0, 1: 0, 2: 0}}, {}, "^y must hold a label that counts"),
    (
        {"class_weight": (0, 1, 0)}, {"sample_weight": (Y != 1) * 1.0},
        "^sample_weight must be above 0 for a sample that counts in .*class_weight",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "options", "text"), CASES)
def test_nothing_to_learn_from_is_refused(backend_name, loss, options, text):
    be = backend_or_skip(backend_name, "float32")
    model = make_model(be, loss=nx.SoftmaxCrossEntropy(**loss))
    before = weights_of(model)
    with pytest.raises(nx.InputError, match=text):
        model.fit(X, Y, **options)
    assert model.steps_trained == 0
    for one, same in zip(before, weights_of(model), strict=True):
        np.testing.assert_array_equal(one, same)


def test_nothing_to_evaluate_is_refused():
    model = make_model()
    with pytest.raises(nx.InputError, match="^sample_weight must be above 0"):
        model.evaluate(X, Y, sample_weight=NONE)
    with pytest.raises(nx.InputError, match="^x must give a sample that counts"):
        model.evaluate([(X, Y, NONE)] * 2)
    found = model.evaluate([(X, Y, NONE), (X, Y, SOME)])
    assert found == pytest.approx(model.evaluate(X, Y, sample_weight=SOME))
    ignoring = make_model(loss=nx.SoftmaxCrossEntropy(ignore_index=-1))
    with pytest.raises(nx.InputError, match="^y must hold a label that counts"):
        ignoring.evaluate(X, np.full(12, -1))


def test_batches_of_an_epoch_without_weight():
    model = make_model()
    with pytest.raises(nx.InputError, match="^x must give a sample that counts"):
        model.fit([(X, Y, NONE)] * 2)
    with pytest.raises(nx.InputError, match="^validation_data must give a sample that"):
        model.fit(X, Y, validation_data=[(X, Y, NONE)] * 2)
    history = model.fit([(X, Y, NONE), (X, Y, SOME)], epochs=3)
    assert np.isfinite(history["loss"]).all()
