"""Data that does not fit on the device is streamed, and nothing else changes."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.executors.models import Steps, images, points, varied_network


@pytest.mark.parametrize("compile", ["off", "auto"])
@pytest.mark.parametrize("batches", [1, 2, 3, 20])
@pytest.mark.parametrize("shuffle", [True, False])
def test_streamed_training_is_the_same(backend, compile, batches, shuffle):
    x, y = points(9 * 16 + 5)
    x = x.astype(backend.dtype_name)
    weights = np.linspace(0.5, 1.5, len(x)).astype(backend.dtype_name)
    itemsize = 4 if backend.dtype_name == "float32" else 8
    # A row has five features, a label, and a weight.
    limit = 2 * batches * 16 * (6 * itemsize + 4)
    found = []
    for device_data_limit in (limit, 2**30):
        model, steps = varied_network(backend, compile=compile), Steps()
        model.fit(
            x, y, epochs=3, batch_size=16, shuffle=shuffle, sample_weight=weights,
            callbacks=steps, device_data_limit=device_data_limit,
        )  # fmt: skip
        found.append(steps.figures)
    assert found[0] == found[1]


def test_nobody_has_to_wait_for_it(cupy32):
    """Many stretches under way, and not one figure read until the end."""
    x, y = images(2000)
    weights = []
    for limit in (2 * 100 * 800, 2**30):
        model = nx.Model(
            [nx.Rescaling(1 / 255), nx.Dense(784, 10), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="sgd", backend=cupy32,
        )  # fmt: skip
        model.fit(x, y, batch_size=50, device_data_limit=limit)
        weights.append(nx.to_numpy(model.layers[1].weights))
    np.testing.assert_array_equal(*weights)


def test_streamed_bytes_stay_bytes(counted, cupy32):
    """Images travel as bytes, and nothing is read back for it."""
    x, y = images(1000)
    model = nx.Model(
        [nx.Rescaling(1 / 255), nx.Dense(784, 10), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="sgd", backend=cupy32,
    )  # fmt: skip
    with counted() as counts:
        model.fit(x, y, epochs=2, batch_size=100, device_data_limit=400 * 800)
    rows = 2 * 1000 * (784 + 4)
    assert rows <= counts["h2d_bytes"] < 1.2 * rows
    assert counts["d2h"] == 2


def test_a_limit_too_small_for_two_batches(backend):
    if backend.name != "cupy":
        pytest.skip("others move every batch by itself")
    model = varied_network(backend)
    x, y = points(64)
    with pytest.raises(nx.InputError, match="device_data_limit must hold two batches"):
        model.fit(x, y, batch_size=32, device_data_limit=100)
    assert model.steps_trained == 0


@pytest.mark.parametrize("limit", [0, -1, 1.5, "much", True])
def test_bad_limits(limit):
    model = varied_network("numpy")
    x, y = points(64)
    with pytest.raises(nx.InputError, match="device_data_limit must be"):
        model.fit(x, y, device_data_limit=limit)
