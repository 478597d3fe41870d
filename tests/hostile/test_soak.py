"""Thousands of trainings take no more memory than the first few."""

import contextlib
import ctypes
import gc
import json
import os
import subprocess
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import nnfs_xp as nx
from tests.conftest import MATRIX, backend_or_skip

SOAK = os.environ.get("NNFS_XP_SOAK") == "1"
# Trainings of one model, and models that are made, trained and forgotten. A new model
# is compiled anew by JAX.
COUNTS = {"numpy": (1000, 1000), "jax": (300, 40)}
OTHERS = (300, 200)
# What allocators may keep: less than 1000 of the networks below have.
MEGABYTES = 12
X, Y = np.random.default_rng(0).standard_normal((37, 5)), np.arange(37) % 3


def make(be, n=64):
    return nx.Model(
        [
            nx.Dense(5, n, weight_regularizer=nx.L2(1e-4)), nx.BatchNorm(n), nx.ReLU(),
            nx.Dropout(0.1), nx.Dense(n, 3), nx.Softmax(),
        ],
        loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"],
        backend=be, seed=1,
    )  # fmt: skip


def use(model):
    model.fit(X, Y, batch_size=16, validation_split=0.2, callbacks=nx.EarlyStopping())
    model.evaluate(X, Y)
    model.predict(X)


def megabytes():
    """Return the memory of the process, less what the allocator keeps for later."""
    gc.collect()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def objects():
    gc.collect()
    return len(gc.get_objects())


def growth(function, times):
    """Return megabytes and objects that are added by the second half of many calls."""
    for _ in range(times // 2):
        function()
    before = megabytes(), objects()
    for _ in range(times // 2):
        function()
    return megabytes() - before[0], objects() - before[1]


def main(name, device, fits, models):
    """Print what trainings have added; the process is theirs alone."""
    be = nx.get_backend(name, device=device or None)
    model = make(be)
    of_fits = growth(lambda: use(model), int(fits))
    of_models = growth(lambda: use(make(be)), int(models))
    left = 0
    if name == "jax":
        import jax

        before = objects()
        jax.clear_caches()
        left = of_models[1] - (before - objects())
    print(json.dumps({"fits": of_fits, "models": of_models, "left": left}))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("name", MATRIX)
def test_memory_of_a_process_stays_flat(name):
    be = backend_or_skip(name, "float32")
    if sys.modules.get("cupy_on_cpu"):
        pytest.skip("a process of its own has no emulated device")
    fits, models = COUNTS.get(name, OTHERS)
    if SOAK:
        fits, models = 10 * fits, 10 * models
    program = (
        "import sys; from tests.hostile.test_soak import main; main(*sys.argv[1:])"
    )
    device = MATRIX[name][1] or ""
    done = subprocess.run(
        [sys.executable, "-c", program, be.name, device, str(fits), str(models)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["fits"][0] < MEGABYTES, found
    assert found["fits"][1] < 100, found
    # JAX itself keeps something of each program, see docs/backends.md.
    kept = 0.1 * models if name == "jax" else 0
    assert found["models"][0] < MEGABYTES + kept, found
    if name == "jax":
        assert found["left"] < 100, found
    else:
        assert found["models"][1] < 100, found


@pytest.mark.parametrize("new", [False, True])
def test_no_object_stays_behind(new):
    be = nx.get_backend("numpy")
    model = make(be)
    for _ in range(5):
        use(make(be) if new else model)
    before = objects()
    tracemalloc.start()
    try:
        use(make(be) if new else model)
        gc.collect()
        start = tracemalloc.get_traced_memory()[0]
        for _ in range(10):
            use(make(be) if new else model)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert objects() - before < 20
    # Less than the weights of two of the ten models, which have 4 kB each.
    assert grown < 8192


def test_a_model_is_freed_with_its_programs(backend_name):
    """Compiled steps, too, have no other owner than their model."""
    be = backend_or_skip(backend_name, "float32")
    model = make(be, n=8)
    use(model)
    parts = [model, model._ready.network, model._ready, model._trainer.executor]
    left = [weakref.ref(part) for part in parts]
    del model, parts
    gc.collect()
    assert [part() for part in left] == [None] * 4


@pytest.mark.backend("jax")
def test_jax_forgets_programs_with_their_models():
    import jax

    be = backend_or_skip("jax", "float32")

    def trained():
        model = make(be, n=8)
        model.fit(X, Y)
        return model

    def programs():
        gc.collect()
        return len(jax.devices()[0].client.live_executables())

    trained()
    before = programs()
    trained()
    assert programs() == before
    model = trained()
    assert programs() > before
    assert model.steps_trained == 1
