"""What a training step costs, in calls and in memory. No clock is read."""

import tracemalloc
from collections import Counter

import numpy as np

import nnfs_xp as nx
from nnfs_xp.engine.step import Batch
from tests.conftest import backend_or_skip

ROWS = 128
# Bytes of one of the hidden layers.
HIDDEN = 4 * ROWS * 128


def network(be, **options):
    return nx.Model(
        [
            nx.Dense(784, 128), nx.ReLU(), nx.Dense(128, 128), nx.ReLU(),
            nx.Dense(128, 10), nx.Softmax(),
        ],
        loss="categorical_crossentropy", optimizer=nx.Adam(), metrics=None,
        backend=be, seed=0, **options,
    )  # fmt: skip


def data(be, batches):
    random = np.random.default_rng(0)
    x = random.standard_normal((batches * ROWS, 784))
    return be.asarray(x, be.dtype), be.asarray(random.integers(0, 10, len(x)), "int32")


def calls_of_torch(be, batches):
    """Return how often a fit calls each of ATen's functions."""
    from torch.utils._python_dispatch import TorchDispatchMode

    model, (x, y) = network(be), data(be, batches)
    model.fit(x, y, batch_size=ROWS)
    called = Counter()

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            called[function.overloadpacket.__name__] += 1
            return function(*args, **(kwargs or {}))

    with Counting():
        model.fit(x, y, batch_size=ROWS)
    return called


def test_calls_of_a_step_on_pytorch():
    be = backend_or_skip("torch", "float32")
    few, many = (calls_of_torch(be, batches) for batches in (2, 5))
    step = {
        name: (many[name] - few[name]) / 3 for name in many if many[name] != few[name]
    }
    # Forward, the gradient of the weights, and back through two of three layers.
    assert step["addmm"] == 3
    assert step["mm"] == 5
    assert step["_fused_adam_"] == 1
    # One for each layer, one over the classes, and one over the losses.
    assert step["sum"] == 3 + 2
    assert step["_log_softmax"] == 1
    assert step.get("where", 0) <= 1
    # Views cost little.
    views = sum(step.get(name, 0) for name in ("permute", "t", "slice", "unsqueeze"))
    assert sum(step.values()) - views <= 40


def test_memory_of_a_step_on_numpy():
    """What is made in a step is let go in it, and is a small multiple of its arrays."""
    be = backend_or_skip("numpy", "float32")
    model, (x, y) = network(be), data(be, 1)
    model.fit(x, y)
    executor, tree = model._trainer.executor, model._ready.tree

    def take(steps):
        for step in range(steps):
            executor.train(tree, Batch(x, y), step)

    take(3)
    tracemalloc.start()
    try:
        take(1)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        take(5)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 5_000
    # Of Adam one temporary array of all parameters, and else of each hidden layer its
    # output, its gradient and a mask.
    parameters = 4 * sum(v.size for v in map(be.to_numpy, model.parameters.values()))
    assert peak - before < 1.1 * parameters + 6 * HIDDEN
