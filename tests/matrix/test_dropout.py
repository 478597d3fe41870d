"""Dropout: the same masks everywhere, and only in training."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnfs_xp as nx
from nnfs_xp.random import Stream
from tests.conftest import backend_or_skip
from tests.matrix.helpers import assert_agrees

_random = np.random.default_rng(8)
X = _random.standard_normal((50, 6))
Y = (X[:, 0] > 0).astype("int64")


def test_mask_scales_what_it_keeps(backend):
    layer = nx.Dropout(0.25, seed=5, backend=backend)
    x = backend.asarray(X, backend.dtype)
    y = layer.forward(x)
    mask = backend.to_numpy(layer.binary_mask)
    assert mask.dtype == backend.dtype_name
    kept = mask != 0
    np.testing.assert_allclose(mask[kept], 1 / 0.75, rtol=1e-6)
    assert_agrees(y, np.where(kept, X / 0.75, 0), backend)
    dy = backend.asarray(np.ones(X.shape), backend.dtype)
    assert_agrees(layer.backward(dy), np.where(kept, 1 / 0.75, 0), backend)


def test_masks_are_the_same_on_every_backend_bit_for_bit(backend):
    layer = nx.Dropout(0.3, seed=11, backend=backend)
    ones = backend.asarray(np.ones((17, 13)), backend.dtype)
    for step in range(3):
        kept = backend.to_numpy(layer.forward(ones)) != 0
        stream = Stream(11, "layer.noise", step)
        np.testing.assert_array_equal(kept, stream.bernoulli((17, 13), 0.7))


def test_masks_differ_from_step_to_step_and_from_layer_to_layer():
    ones = np.ones((40, 40))
    one, other = nx.Dropout(0.5, seed=1), nx.Dropout(0.5, seed=2)
    first, second, foreign = one.forward(ones), one.forward(ones), other.forward(ones)
    for a, b in ((first, second), (first, foreign)):
        assert 0.4 < np.mean((a != 0) == (b != 0)) < 0.6


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_shares_and_means(rate, dtype):
    layer = nx.Dropout(rate, seed=0, dtype=dtype)
    y = layer.forward(np.ones((400, 250)))
    assert y.dtype == dtype, "the book's float32 becomes float64"
    deviation = (rate * (1 - rate) / y.size) ** 0.5
    assert abs(np.mean(y == 0) - rate) <= 4 * deviation
    if rate < 1:
        assert abs(y.mean() - 1) <= 4 * deviation / (1 - rate) + 1e-6
    else:
        # The book divides 0 by 0.
        assert not layer.backward(np.ones((400, 250))).any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 50), st.floats(0, 1))
def test_bernoulli_is_monotone_in_its_probability(seed, count, probability):
    stream = Stream(seed, "test")
    kept = stream.bernoulli((count,), probability)
    assert kept.shape == (count,) and kept.dtype == bool
    assert np.all(stream.bernoulli((count,), 1.0))
    assert not np.any(stream.bernoulli((count,), 0.0))
    more = stream.bernoulli((count,), min(1.0, probability + 0.1))
    assert np.all(more >= kept)
    # Longer draws begin with the shorter ones.
    np.testing.assert_array_equal(
        stream.bernoulli((count + 3,), probability)[:count], kept
    )


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan, "half", True, None])
def test_rates_that_are_none(rate):
    with pytest.raises(nx.InputError, match="rate must be"):
        nx.Dropout(rate)


def test_nothing_is_dropped_outside_of_training(backend):
    layer = nx.Dropout(0.9, backend=backend)
    x = backend.asarray(X, backend.dtype)
    assert_agrees(layer.forward(x, training=False), X, backend)
    assert layer.binary_mask is None
    assert_agrees(layer.backward(x), X, backend)


def with_dropout(be, *, seed=0, **options):
    return nx.Model(
        [
            nx.Dense(6, 20), nx.ReLU(), nx.Dropout(0.4, **options),
            nx.Sequential([nx.Dense(20, 10), nx.ReLU(), nx.Dropout(0.2)]),
            nx.Dense(10, 2), nx.Softmax(),
        ],
        loss="categorical_crossentropy", optimizer="adam", backend=be, seed=seed,
    )  # fmt: skip


def test_trainings_with_dropout_agree(backend_name):
    be = backend_or_skip(backend_name, "float64")
    expected = with_dropout(nx.get_backend("numpy", dtype="float64"))
    model = with_dropout(be)
    losses = model.fit(X, Y, epochs=5, batch_size=16)["loss"]
    np.testing.assert_allclose(
        losses, expected.fit(X, Y, epochs=5, batch_size=16)["loss"], rtol=1e-9
    )
    # Prediction and evaluation are the same every time.
    one, other = (be.to_numpy(model.predict(X)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert model.evaluate(X, Y) == model.evaluate(X, Y, batch_size=None)


def test_a_resumed_training_has_the_masks_it_would_have_had(tmp_path, backend64):
    straight, halved = with_dropout(backend64), with_dropout(backend64)
    straight.fit(X, Y, epochs=4, batch_size=16)
    halved.fit(X, Y, epochs=2, batch_size=16)
    halved.save(tmp_path / "half")
    resumed = nx.Model.load(tmp_path / "half", backend=backend64)
    resumed.fit(X, Y, epochs=2, batch_size=16)
    assert resumed.steps_trained == straight.steps_trained == 16
    for name, value in straight.parameters.items():
        np.testing.assert_array_equal(
            backend64.to_numpy(resumed.parameters[name]), backend64.to_numpy(value)
        )


def test_seeds_of_masks():
    def loss(**options):
        return with_dropout("numpy", **options).fit(X, Y)["loss"]

    assert loss() == loss()
    assert loss(seed=1) != loss()


def test_a_seed_of_the_layers_own():
    """The masks alone are others; weights and batches are not."""
    one, other = with_dropout("numpy"), nx.Model(
        [
            nx.Dense(6, 20), nx.ReLU(), nx.Dropout(0.4, seed=7),
            nx.Sequential([nx.Dense(20, 10), nx.ReLU(), nx.Dropout(0.2)]),
            nx.Dense(10, 2), nx.Softmax(),
        ],
        loss="categorical_crossentropy", optimizer="adam", backend="numpy",
    )  # fmt: skip
    np.testing.assert_array_equal(one.layers[0].weights, other.layers[0].weights)
    assert one.fit(X, Y)["loss"] != other.fit(X, Y)["loss"]


def test_a_network_that_begins_with_dropout(backend64):
    model = nx.Model(
        [nx.Dropout(0.1), nx.Dense(6, 2), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.Adam(0.05), backend=backend64,
    )  # fmt: skip
    history = model.fit(X, Y, epochs=20)
    assert history["loss"][-1] < history["loss"][0]
