"""Batches of an epoch: every row once, in a new order, with a short last batch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import nnfs_xp as nx

CLASSES = 3
samples_ = st.integers(1, 40)
batch_sizes = st.none() | st.integers(1, 50)


class RecordInputs(nx.Layer):
    """Pass the inputs on, and note the first column of each batch."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def fwd(self, cx, x):
        self.batches.append([int(number) for number in cx.be.to_numpy(x[:, 0])])
        return x, None

    def bwd(self, cx, residuals, dy):
        return dy


class RecordLabels(nx.SoftmaxCrossEntropy):
    """Note the labels of each batch."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def fwd(self, be, y_pred, y_true):
        self.batches.append(be.to_numpy(y_true).tolist())
        return super().fwd(be, y_pred, y_true)


class RecordEvents(nx.Callback):
    """Note what a callback is told about batches."""

    def __init__(self):
        self.events = []

    def on_batch_end(self, event):
        self.events.append((event.epoch, event.batch, event.batches, event.samples))


def make(*, seed=0, backend="numpy", learning_rate=0.0):
    # A recording layer would see a compiled step only while it is traced.
    return nx.Model(
        [RecordInputs(), nx.Dense(1, CLASSES)],
        loss=RecordLabels(),
        optimizer=nx.SGD(learning_rate),
        backend=backend,
        dtype=None if isinstance(backend, nx.Backend) else "float64",
        seed=seed,
        compile="off",
    )


def numbered(samples):
    """Return rows that hold their own number, and labels that follow from it."""
    rows = np.arange(samples)
    return rows[:, None].astype("float64"), rows % CLASSES


def fit(model, samples, **arguments):
    """Train for some epochs, and return the rows of each batch of each."""
    x, y = numbered(samples)
    seen, events = model.layers[0].batches, RecordEvents()
    seen.clear()
    model.loss.batches.clear()
    model.fit(x, y, callbacks=[events], **arguments)
    for rows, labels in zip(seen, model.loss.batches, strict=True):
        assert labels == [row % CLASSES for row in rows], "rows and labels mixed up"
    epochs: dict[int, list[list[int]]] = {}
    for (epoch, *_), rows in zip(events.events, seen, strict=True):
        epochs.setdefault(epoch, []).append(rows)
    for epoch, batches in epochs.items():
        sizes = np.cumsum([len(rows) for rows in batches]).tolist()
        assert [event for event in events.events if event[0] == epoch] == [
            (epoch, batch, len(batches), total)
            for batch, total in enumerate(sizes, start=1)
        ]
    return list(epochs.values())


def order(batches):
    return [row for rows in batches for row in rows]


@settings(deadline=None)
@given(samples=samples_, batch_size=batch_sizes, shuffle=st.booleans())
@example(samples=1, batch_size=None, shuffle=True)
@example(samples=12, batch_size=4, shuffle=True)
@example(samples=13, batch_size=4, shuffle=True)
@example(samples=3, batch_size=50, shuffle=True)
def test_every_row_once_in_batches_of_one_size_and_a_short_last(
    samples, batch_size, shuffle
):
    epochs = fit(make(), samples, epochs=3, batch_size=batch_size, shuffle=shuffle)
    assert len(epochs) == 3
    size = min(batch_size or samples, samples)
    count = math.ceil(samples / size)
    for batches in epochs:
        assert [len(rows) for rows in batches] == [
            *[size] * (count - 1),
            samples - size * (count - 1),
        ]
        assert sorted(order(batches)) == list(range(samples))
        if not shuffle:
            assert order(batches) == list(range(samples))


@settings(deadline=None)
@given(
    samples=st.integers(20, 40),
    seed=st.integers(0, 2**64 - 2),
    batch_size=st.integers(1, 50),
    other_size=batch_sizes,
)
def test_the_order_depends_on_seed_and_epoch_alone(
    samples, seed, batch_size, other_size
):
    orders = [
        order(batches)
        for batches in fit(make(seed=seed), samples, epochs=4, batch_size=batch_size)
    ]
    # Two orders of 20 rows are the same once in 20! times.
    assert len(set(map(tuple, orders))) == 4
    assert list(range(samples)) not in orders
    again = fit(make(seed=seed), samples, epochs=4, batch_size=other_size)
    assert list(map(order, again)) == orders
    other = fit(make(seed=seed + 1), samples, epochs=1, batch_size=batch_size)
    assert order(other[0]) not in orders


@settings(deadline=None)
@given(first=st.integers(1, 3), second=st.integers(1, 3), batch_size=batch_sizes)
def test_epochs_are_counted_on_from_fit_to_fit(first, second, batch_size):
    straight = fit(make(), 20, epochs=first + second, batch_size=batch_size)
    model = make()
    parts = [
        *fit(model, 20, epochs=first, batch_size=batch_size),
        *fit(model, 20, epochs=second, batch_size=batch_size),
    ]
    assert parts == straight


@pytest.mark.parametrize("batch_size", [6, 23, 100, None])
def test_the_same_batches_on_every_backend(backend64, batch_size):
    expected = fit(make(), 23, epochs=2, batch_size=batch_size)
    found = fit(make(backend=backend64), 23, epochs=2, batch_size=batch_size)
    assert found == expected


@pytest.mark.parametrize("samples", [1, 5, 6, 7])
def test_a_short_last_batch_is_a_step_of_its_own(samples):
    """Its gradient is a mean over its own rows, not over a full batch."""
    model = make(learning_rate=0.1)
    dense = model.layers[1]
    weights, biases = np.array(dense.weights), np.array(dense.biases)
    fit(model, samples, batch_size=3, shuffle=False)
    x, y = numbered(samples)
    for start in range(0, samples, 3):
        rows = slice(start, start + 3)
        powers = np.exp(x[rows] @ weights + biases)
        shares = powers / powers.sum(axis=1, keepdims=True)
        dlogits = (shares - np.eye(CLASSES)[y[rows]]) / len(x[rows])
        weights -= 0.1 * x[rows].T @ dlogits
        biases -= 0.1 * dlogits.sum(axis=0, keepdims=True)
    np.testing.assert_allclose(dense.weights, weights, rtol=1e-12)
    np.testing.assert_allclose(dense.biases, biases, rtol=1e-12)


@settings(deadline=None)
@given(samples=samples_, batch_size=batch_sizes, other_size=batch_sizes)
def test_every_row_counts_the_same_in_the_figures(samples, batch_size, other_size):
    """The mean of a short batch's loss must not weigh as much as a full one's."""
    assume(batch_size != other_size)
    model = make()
    x, y = numbered(samples)
    record = model.fit(x, y, batch_size=batch_size).epochs[0]
    found = model.evaluate(x, y, batch_size=other_size)
    assert found["loss"] == pytest.approx(record["loss"], rel=1e-12)
    assert found["accuracy"] == record["accuracy"]


@settings(deadline=None)
@given(samples=samples_, batch_size=batch_sizes)
def test_predictions_come_in_order_whatever_the_batch(samples, batch_size):
    model = make()
    x, _ = numbered(samples)
    found = model.predict(x, batch_size=batch_size)
    assert found.shape == (samples, CLASSES)
    expected = np.concatenate([model.predict(row[None]) for row in x])
    np.testing.assert_allclose(found, expected, rtol=1e-12)
