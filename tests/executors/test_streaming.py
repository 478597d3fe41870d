"""Data that does not fit on the device is streamed, and nothing else changes."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp.backends.transfers import Transfers
from tests.executors.models import Steps, images, points, varied_network


def bytes_network(be):
    return nx.Model(
        [nx.Rescaling(1 / 255), nx.Dense(784, 10), nx.Softmax()],
        loss="categorical_crossentropy", optimizer="sgd", backend=be,
    )  # fmt: skip


@pytest.fixture
def pinned(monkeypatch):
    """The sizes of all pinned memory that is asked for."""
    import cupy

    sizes, allocate = [], cupy.cuda.PinnedMemory

    def noted(size, *flags):
        sizes.append(size)
        return allocate(size, *flags)

    monkeypatch.setattr(cupy.cuda, "PinnedMemory", noted)
    # What CuPy takes for its own copies comes from here.
    pool = cupy.cuda.PinnedMemoryPool(
        lambda size: cupy.cuda.PinnedMemoryPointer(noted(size), 0)
    )
    cupy.cuda.set_pinned_memory_allocator(pool.malloc)
    yield sizes
    cupy.cuda.set_pinned_memory_allocator(cupy.get_default_pinned_memory_pool().malloc)


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
        model = bytes_network(cupy32)
        model.fit(x, y, batch_size=50, device_data_limit=limit)
        weights.append(nx.to_numpy(model.layers[1].weights))
    np.testing.assert_array_equal(*weights)


def test_streamed_bytes_stay_bytes(counted, cupy32):
    """Images travel as bytes, and nothing is read back for it."""
    x, y = images(1000)
    model = bytes_network(cupy32)
    with counted() as counts:
        model.fit(x, y, epochs=2, batch_size=100, device_data_limit=400 * 800)
    rows = 2 * 1000 * (784 + 4)
    assert rows <= counts["h2d_bytes"] < 1.2 * rows
    assert counts["d2h"] == 2


@pytest.mark.parametrize("piece_rows", [7, 100, 250, 10**6])
def test_pinned_memory_is_bounded_and_taken_once(
    monkeypatch, pinned, cupy32, piece_rows
):
    """Pieces of less than a batch, of one, of some, and of all the limit allows."""
    x, y = images(2000)
    row = 784 + 4
    monkeypatch.setattr(Transfers, "piece_bytes", piece_rows * row)
    found = []
    for limit in (2 * 400 * row, 2**30):
        model = bytes_network(cupy32)
        before = len(pinned)
        losses = model.fit(x, y, epochs=3, batch_size=100, device_data_limit=limit)
        found.append((losses["loss"], nx.to_numpy(model.layers[1].weights).tolist()))
        streamed = limit < 2**30
        most = 2 * (min(piece_rows, 400 if streamed else 2000) * row + 64)
        # CuPy's own copies of labels and orders, which are smaller, are left out.
        large = [size for size in pinned[before:] if size > 2**14]
        assert len(large) <= 1
        assert max(pinned[before:]) <= max(most, 2**14)
    assert found[0] == found[1]


def test_rows_are_gathered_into_the_pinned_memory_and_nowhere_else(monkeypatch, cupy32):
    """A chunk of 100 batches takes the host less memory than one of its copies."""
    import tracemalloc

    x, y = images(4000)
    row = 784 + 4
    monkeypatch.setattr(Transfers, "piece_bytes", 2000 * row)
    model = bytes_network(cupy32)
    model.fit(x[:40], y[:40], batch_size=20)
    tracemalloc.start()
    try:
        model.fit(x, y, batch_size=20, device_data_limit=2 * 2000 * row)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2000 * row / 2


def test_the_next_chunk_is_under_way_before_the_steps_on_this_one_end(
    monkeypatch, cupy32
):
    """Sent once each, after steps are queued and before they are waited for."""
    from nnfs_xp.backends.double_buffer import DoubleBuffer
    from nnfs_xp.engine.device_batches import StreamedBatches

    said = []
    load, use, train = DoubleBuffer.load, DoubleBuffer.use, StreamedBatches.train

    def noted_load(self, half, sources, numbers):
        said.append(f"load {half}")
        load(self, half, sources, numbers)

    def noted_use(self, half):
        said.append(f"use {half}")
        use(self, half)

    def noted_train(self, batches, steps):
        train(self, batches, steps)
        said.append("return")

    monkeypatch.setattr(DoubleBuffer, "load", noted_load)
    monkeypatch.setattr(DoubleBuffer, "use", noted_use)
    monkeypatch.setattr(StreamedBatches, "train", noted_train)
    x, y = images(250)
    # Chunks of 100 rows, in batches of as many.
    bytes_network(cupy32).fit(x, y, batch_size=100, device_data_limit=2 * 100 * 788)
    assert said == [
        "load 0", "use 0", "load 1", "return", "use 1", "load 0", "return",
        "use 0", "return",
    ]  # fmt: skip


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_large_array_goes_to_the_device_in_pieces(monkeypatch, pinned, cupy32, order):
    monkeypatch.setattr(Transfers, "piece_bytes", 10_000)
    host = np.random.default_rng(0).random((123, 45)).astype("float32", order=order)
    found = cupy32.asarray(host)
    kept, host[...] = host.copy(), 0
    np.testing.assert_array_equal(found.get(), kept)
    assert pinned == [2 * (10_000 // 64 * 64)] or max(pinned) <= 2 * (10_000 + 64)


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
