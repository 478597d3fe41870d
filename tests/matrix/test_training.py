"""Whole trainings: every backend takes the same path."""

import functools
import itertools

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.data import load_dataset
from nnfs_xp.random import Stream
from tests.conftest import MATRIX, backend_or_skip
from tests.matrix.helpers import batch_loss

STEPS = 200


class BatchLosses(nx.Callback):
    """Keeps the loss of every batch."""

    def __init__(self):
        self.losses = []

    def on_fit_begin(self, model, epochs, batches):
        self.model = model

    def on_batch_end(self, event):
        self.losses.append(batch_loss(self.model))


def books_network(be, compile="auto"):
    return nx.Model(
        [
            nx.Dense(784, 128),
            nx.ReLU(),
            nx.Dense(128, 128),
            nx.ReLU(),
            nx.Dense(128, 10),
            nx.Softmax(),
        ],
        loss="categorical_crossentropy",
        optimizer="adam",
        backend=be,
        compile=compile,
    )


@functools.cache
def loss_curve(name, compile):
    """Return the losses of 200 steps on images, and the trained parameters."""
    be = backend_or_skip(name, "float64")
    data = load_dataset("fashion-mnist-mini")
    rows = slice(0, 128 * 39 + 8)
    x, y = data.features("train", "float64")[rows], data.y_train[rows]
    model = books_network(be, compile)
    kept = BatchLosses()
    # 40 batches an epoch, the last one of 8 rows.
    model.fit(x, y, epochs=5, batch_size=128, callbacks=[kept])
    assert len(kept.losses) == STEPS
    parameters = {k: be.to_numpy(v) for k, v in model.parameters.items()}
    return np.array(kept.losses), parameters


@pytest.mark.slow
@pytest.mark.parametrize(
    "pair", list(itertools.combinations(MATRIX, 2)), ids=lambda pair: "~".join(pair)
)
def test_200_steps_of_the_books_network_agree(pair):
    (one, _), (other, _) = (loss_curve(name, "auto") for name in pair)
    assert one[-1] < 0.8 < 2.0 < one[0]
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.slow
def test_eager_equals_jit():
    eager, eager_parameters = loss_curve("jax", "off")
    compiled, compiled_parameters = loss_curve("jax", "require")
    np.testing.assert_allclose(eager, compiled, rtol=1e-9)
    for name, value in eager_parameters.items():
        np.testing.assert_allclose(compiled_parameters[name], value, atol=1e-9)


@pytest.mark.slow
def test_200_steps_follow_independent_pytorch(torch):
    losses, _ = loss_curve("numpy", "auto")
    data = load_dataset("fashion-mnist-mini")
    rows = slice(0, 128 * 39 + 8)
    x = torch.tensor(data.features("train", "float64")[rows])
    y = torch.tensor(data.y_train[rows].astype("int64"))
    model = books_network("numpy")
    net = torch.nn.Sequential(
        torch.nn.Linear(784, 128), torch.nn.ReLU(),
        torch.nn.Linear(128, 128), torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
    ).double()  # fmt: skip
    ours = nx.Model(model_layers(), backend="numpy", dtype="float64").parameters
    with torch.no_grad():
        for parameter, (name, value) in zip(
            net.parameters(), ours.items(), strict=True
        ):
            host = np.array(value)
            parameter.copy_(
                torch.tensor(host.T if name.endswith("weights") else host[0])
            )
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, eps=1e-7)
    expected = []
    for epoch in range(1, 6):
        order = Stream(model.seed, "batch order", epoch).permutation(len(y))
        for start in range(0, len(y), 128):
            batch = order[start : start + 128]
            loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            expected.append(loss.item())
    np.testing.assert_allclose(losses, expected, rtol=1e-9)


def model_layers():
    return [
        nx.Dense(784, 128), nx.ReLU(), nx.Dense(128, 128), nx.ReLU(),
        nx.Dense(128, 10), nx.Softmax(),
    ]  # fmt: skip


def small_model(be, **kwargs):
    return nx.Model(
        [nx.Dense(5, 8), nx.ReLU(), nx.Dense(8, 3), nx.Softmax()],
        loss="categorical_crossentropy",
        optimizer=nx.Adam(0.01),
        backend=be,
        **kwargs,
    )


@functools.cache
def small_data():
    random = np.random.default_rng(8)
    x = random.standard_normal((70, 5))
    return x, (x[:, 0] > 0) + (x[:, 1] > 0.5).astype("int64")


def test_initial_weights_are_bit_identical(backend):
    found = small_model(backend, seed=17).parameters
    expected = small_model(nx.get_backend("numpy", dtype=backend.dtype_name), seed=17)
    for name, value in expected.parameters.items():
        np.testing.assert_array_equal(backend.to_numpy(found[name]), value)


def test_batches_are_bit_identical(backend64):
    """What each step is given, seen by a loss that only remembers it."""
    _, y = small_data()
    # Every feature of a row is its number, so a batch tells its order.
    numbered = np.repeat(np.arange(70.0)[:, None], 5, axis=1)
    seen = []

    class Watching(nx.Dense):
        def fwd(self, cx, x):
            seen.append(cx.be.to_numpy(x)[:, 0].astype(int))
            return super().fwd(cx, x)

    model = nx.Model(
        [Watching(5, 3), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.SGD(0.0),
        backend=backend64, seed=4, compile="off",
    )  # fmt: skip
    model.fit(numbered, y, epochs=2, batch_size=32)
    expected = []
    for epoch in (1, 2):
        order = Stream(4, "batch order", epoch).permutation(70)
        expected += [order[:32], order[32:64], order[64:]]
    assert len(seen) == 6
    for found, rows in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(found, rows)
    assert sorted(np.concatenate(expected[:3])) == list(range(70))
    assert not np.array_equal(expected[0], expected[3])


@pytest.mark.parametrize("kind", ["one_hot", "soft"])
def test_training_on_rows_of_targets(backend, kind):
    x, y = small_data()
    rows = np.eye(3)[y] if kind == "one_hot" else 0.9 * np.eye(3)[y] + 0.1 / 3
    model = small_model(backend)
    history = model.fit(x, rows, epochs=30, batch_size=16)
    assert history["loss"][-1] < history["loss"][0]
    assert model.evaluate(x, rows)["accuracy"] > 0.8
    if kind == "one_hot":
        other = small_model(backend)
        from_labels = other.fit(x, y, epochs=30, batch_size=16)["loss"]
        rtol = 1e-12 if backend.dtype_name == "float64" else 1e-4
        np.testing.assert_allclose(from_labels, history["loss"], rtol=rtol)


def test_figures_are_exact_over_uneven_batches(backend64):
    x, y = small_data()
    model = small_model(backend64)
    probabilities = backend64.to_numpy(model.predict(x))
    expected_loss = -np.log(probabilities[np.arange(70), y]).mean()
    expected_accuracy = (probabilities.argmax(axis=1) == y).mean()
    for batch_size in (1, 7, 32, 70, 1000):
        figures = model.evaluate(x, y, batch_size=batch_size)
        assert figures["loss"] == pytest.approx(expected_loss, rel=1e-12)
        assert figures["accuracy"] == expected_accuracy
        found = backend64.to_numpy(model.predict(x, batch_size=batch_size))
        np.testing.assert_allclose(found, probabilities, rtol=1e-12)


@pytest.mark.parametrize("kind", ["uint8", "int64", "bool", "float16", "float32"])
def test_features_are_cast_to_the_models_dtype(backend, kind):
    x, y = small_data()
    values = np.clip(np.abs(x) * 3, 0, 200).astype(kind)
    model, other = small_model(backend), small_model(backend)
    history = model.fit(values, y, epochs=2, batch_size=32)
    expected = other.fit(values.astype(backend.dtype_name), y, epochs=2, batch_size=32)
    assert history["loss"] == expected["loss"]
    own = backend.asarray(values)
    assert model.predict(own).dtype == backend.dtype
    for layer in (nx.Dense(5, 2, backend=backend), nx.ReLU(backend=backend)):
        assert layer.forward(own).dtype == backend.dtype


@pytest.mark.backend("jax")
def test_jit_equals_eager_on_every_batch_shape(dtype):
    be = backend_or_skip("jax", dtype)
    x, y = small_data()
    curves = []
    for compile in ("off", "require"):
        model = small_model(be, compile=compile)
        kept = BatchLosses()
        model.fit(x, y, epochs=3, batch_size=32, callbacks=[kept])
        curves.append(kept.losses)
    rtol = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(curves[0], curves[1], rtol=rtol)


@pytest.mark.backend("jax")
def test_jit_compiles_once_for_each_batch_shape():
    be = backend_or_skip("jax", "float32")
    x, y = small_data()
    model = small_model(be)
    model.fit(x, y, epochs=4, batch_size=32)
    model.learning_rate = 0.5
    model.fit(x, y, epochs=2, batch_size=32)
    assert model._trainer.executor._train_many._cache_size() == 2


def test_arrays_from_before_a_fit_survive_it(backend):
    """Also where a compiled step reuses the memory of its inputs."""
    x, y = small_data()
    model = small_model(backend)
    before = model.layers[0].weights
    model.fit(x, y, epochs=1)
    kept = model.layers[0].weights
    model.fit(x, y, epochs=1)
    for array in (before, kept):
        assert np.all(np.isfinite(backend.to_numpy(array)))


def test_layers_show_the_weights_of_the_model(backend):
    x, y = small_data()
    model = small_model(backend)
    model.fit(x, y, epochs=1)
    host = backend.to_numpy(model.layers[0].weights)
    np.testing.assert_array_equal(host, backend.to_numpy(model.parameters["0.weights"]))
    model.layers[0].weights = np.zeros((5, 8)).tolist()
    model.layers[2].biases = backend.asarray(np.array([[0.0, 1.0, 0.0]]), backend.dtype)
    predicted = backend.to_numpy(model.predict(x)).argmax(axis=1)
    assert set(predicted) == {1}
