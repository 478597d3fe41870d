"""What a step needs of memory, and what happens where there is too little."""

import numpy as np
import pytest

import nnfs_xp as nx
from tests.executors.models import books_network, images, points, varied_network


def test_estimate_from_shapes():
    model = books_network("numpy")
    parameters = 4 * (784 * 128 + 128 + 128 * 128 + 128 + 128 * 10 + 10)
    estimate = model.memory_estimate(batch_size=100)
    assert estimate.parameters == estimate.gradients == parameters
    assert estimate.optimizer == 2 * parameters
    assert estimate.batch == 100 * 4 * (784 + 10)
    assert estimate.total == 4 * parameters + estimate.batch + estimate.activations
    twice = model.memory_estimate(batch_size=200)
    assert twice.activations == 2 * estimate.activations
    assert twice.fixed == estimate.fixed
    fits = estimate.largest_batch(twice.total)
    assert fits == 200
    assert estimate.largest_batch(estimate.fixed - 1) == 0
    assert "a step of 100 samples" in str(estimate)


def test_estimate_is_printed_with_the_summary():
    lines = []
    books_network("numpy").summary(lines.append, batch_size=64)
    assert "a step of 64 samples" in lines[0]


def test_estimate_needs_to_know_the_samples():
    model = nx.Model([nx.ReLU()])
    with pytest.raises(nx.InputError, match="sample_shape is needed"):
        model.memory_estimate()
    assert model.memory_estimate(1, sample_shape=(3,)).parameters == 0
    with pytest.raises(nx.InputError, match=r"sample_shape must be \(784,\)"):
        nx.Model([nx.Dense(784, 1)]).memory_estimate(1, sample_shape=(3,))
    with pytest.raises(nx.InputError, match="batch_size must be"):
        nx.Model([nx.Dense(784, 1)]).memory_estimate(0)


def pool_of(be):
    cupy = pytest.importorskip("cupy")
    with be.context():
        return cupy.get_default_memory_pool()


def test_estimate_is_near_what_a_step_takes(cupy32):
    """Compared with the memory of the eager step's own pool."""
    import cupy

    model = books_network(cupy32, compile="off")
    x, y = images(2048)
    model.fit(x, y, batch_size=2048)
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        model = books_network(cupy32, compile="off")
        model.fit(x, y, batch_size=2048)
        used = pool.total_bytes() - x.nbytes
    estimate = model.memory_estimate(batch_size=2048).total
    assert 0.5 * used < estimate < 2 * used


@pytest.mark.parametrize("compile", ["off", "auto"])
def test_out_of_memory_names_the_batch_that_would_fit(cupy32, compile):
    x, y = images(20000)
    model = books_network(cupy32, compile=compile)
    model.fit(x[:128], y[:128])
    pool = pool_of(cupy32)
    pool.free_all_blocks()
    before = nx.to_numpy(model.layers[1].weights)
    pool.set_limit(size=pool.used_bytes() + x.nbytes + 2**22)
    try:
        with pytest.raises(
            nx.DeviceMemoryError,
            match=r"cupy on cuda:0.* is out of memory with batch_size=20000: a step "
            r"of 20000 samples: .* free, enough for a batch_size of about \d+",
        ):
            model.fit(x, y, batch_size=20000)
    finally:
        pool.set_limit(size=0)
    # Nothing was learned, and the model is as good as before.
    np.testing.assert_array_equal(nx.to_numpy(model.layers[1].weights), before)
    model.fit(x[:128], y[:128])


def test_moving_to_the_host_frees_the_device(cupy32):
    import gc

    pool = pool_of(cupy32)
    gc.collect()
    pool.free_all_blocks()
    before = pool.used_bytes()
    x, y = images(512)
    model = books_network(cupy32)
    model.fit(x, y, epochs=2)
    assert pool.used_bytes() > before
    model.to("numpy")
    gc.collect()
    assert pool.used_bytes() <= before
    model.evaluate(x, y)


@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
def test_hosts_have_no_limit(name):
    be = nx.get_backend(name) if name == "numpy" else _or_skip(name)
    assert be.free_memory() is None
    x, y = points(32)
    varied_network(be).fit(x, y)


def _or_skip(name):
    from tests.conftest import backend_or_skip

    return backend_or_skip(name, "float32")
