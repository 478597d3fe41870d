"""The second branch of a captured step: the same bits in any order of the branches."""

import numpy as np
import pytest

import nnfs_xp as nx
from nnfs_xp import kernels
from tests.engine.language_models import gpt
from tests.executors.models import Steps, points, varied_network
from tests.executors.trainings import assert_same_bits


def dense_layers(be, **options):
    return varied_network(be, **options), points(37)


def language_model(be, **options):
    model = nx.Model(
        [gpt(11, 6, 8, 2, 1)],
        loss="softmax_cross_entropy", optimizer="adamw", backend=be, seed=1, **options,
    )  # fmt: skip
    ids = np.random.default_rng(0).integers(0, 11, (37, 7))
    return model, (ids[:, :-1], ids[:, 1:])


def rounded_products(be, **options):
    """Operands of products are arrays of their own, which only a step refers to."""
    rounding = nx.get_backend("cupy", matmul_precision="bfloat16")
    return dense_layers(rounding, **options)


NETWORKS = {
    "dense layers": dense_layers,
    "a language model": language_model,
    "rounded products": rounded_products,
}


@pytest.fixture
def not_captured(monkeypatch, emulator):
    """Steps with a second branch that are not captured.

    The emulated device runs the nodes of a graph in the order of the capture, but the
    work of two streams in any that events allow.
    """
    from nnfs_xp.engine.executors.cuda_graph import CudaGraphExecutor

    class Steps:
        def __init__(self, executor, states, rows):
            self.step, self.states, self.rows = executor._step, states, rows

        def launch(self):
            for state in self.states:
                self.step(state, self.rows)

        def debug_dot_str(self):
            return ""

    def captured(self, states, rows, pool):
        return Steps(self, states, rows), ""

    monkeypatch.setattr(CudaGraphExecutor, "_captured", captured)
    yield
    emulator.set_async(False)


def trained(make, be, compile, epochs):
    model, (x, y) = make(be, compile=compile)
    steps = Steps()
    # Batches of 16, 16 and 5 rows.
    model.fit(x, y, epochs=epochs, batch_size=16, callbacks=steps)
    assert len(steps.figures) == 3 * epochs
    return model, steps.figures


@pytest.mark.parametrize("name", NETWORKS)
def test_captured_steps_have_the_bits_of_one_branch(cupy, name):
    epochs = 5 if name == "a language model" else 17
    branches, found = trained(NETWORKS[name], cupy, "require", epochs)
    one, expected = trained(NETWORKS[name], cupy, "off", epochs)
    assert found == expected
    assert_same_bits(branches, one)


# Work that is done when something waits for it, and work that is done at any time.
ORDERS = {"as late as possible": True, "at random": 0.3, "seldom earlier": 0.05}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", NETWORKS)
def test_branches_may_interleave(cupy32, emulator, not_captured, name, order):
    one, expected = trained(NETWORKS[name], cupy32, "off", epochs=5)
    emulator.set_async(ORDERS[order])
    branches, found = trained(NETWORKS[name], cupy32, "require", epochs=5)
    emulator.set_async(False)
    assert found == expected
    assert_same_bits(branches, one)


def test_where_branches_begin_and_are_joined(cupy32, monkeypatch):
    from nnfs_xp.engine.executors import cuda_fork, cuda_graph

    seen = []

    class Watched(cuda_fork.Fork):
        def beside(self, *operands):
            if self._stream is not None:
                seen.append("fork")
            return super().beside(*operands)

        def join(self):
            if self._kept:
                seen.append("join")
            super().join()

    monkeypatch.setattr(cuda_graph, "Fork", Watched)
    model, (x, y) = dense_layers(cupy32, compile="require")
    model.fit(x[:16], y[:16], batch_size=16)
    # The weights of the last layer and of the one before. Nothing is left to compute
    # beside those of the first.
    step = ["fork", "fork", "join"]
    assert seen == step * (len(seen) // 3)
    assert seen
    seen.clear()
    monkeypatch.setattr(kernels.registry, "_mode", "no_fork")
    model.fit(x[:16], y[:16], batch_size=16)
    assert seen == []


class OwnLinear(nx.Layer):
    def fwd(self, cx, x):
        return x * 1.0, None

    def bwd(self, cx, residuals, dy):
        return dy * 1.0


def test_layers_of_ones_own_have_one_branch(cupy32):
    """What they do to an array that they were given is not known."""
    model = nx.Model(
        [nx.Dense(5, 8), OwnLinear(), nx.Dense(8, 3), nx.Softmax()],
        loss="categorical_crossentropy", optimizer=nx.SGD(0.1), backend=cupy32,
        compile="require",
    )  # fmt: skip
    model.fit(*points(32), batch_size=16)
    assert model._trainer.executor.fork is None


def test_a_step_that_fails_keeps_nothing(cupy32):
    import cupy

    from nnfs_xp.engine.executors import cuda_fork

    stream = cupy.cuda.Stream(non_blocking=True)
    fork = cuda_fork.Fork()
    fork.begin(stream)
    x = cupy32.full((4,), 1.0)
    with fork.beside(x):
        y = x + 1
    assert cupy.cuda.get_current_stream() != stream
    assert fork._kept
    fork.end()
    assert not fork._kept
    with fork.beside(x):
        assert cupy.cuda.get_current_stream() != stream
    stream.synchronize()
    np.testing.assert_array_equal(y.get(), 2.0)
