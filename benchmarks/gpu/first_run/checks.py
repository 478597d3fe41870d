"""What only a GPU can tell: whether the answers are right there, one by one.

Each check stands alone, and one that fails does not keep the others from running.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp as nx
from benchmarks.gpu.place import REHEARSAL, Place
from benchmarks.gpu.text import in_a_cell, of_error

# Whether it is as it should be, and what was seen.
Seen = tuple[bool, str]
DTYPES = ("float32", "float64")


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return what was seen in each check, and whether it was as it should be."""
    data: dict[str, Any] = {"why": "", "checks": [], "failures": []}
    if place.kind == REHEARSAL:
        return {**data, "why": "there is no device to ask"}
    for check in CHECKS:
        what = (check.__doc__ or "").partition("\n")[0].rstrip(".")
        try:
            passed, seen = check(place)
        except Exception as error:
            passed, seen = False, of_error(error)
        data["checks"].append({"what": what, "seen": seen, "passed": bool(passed)})
        if not passed:
            data["failures"].append(f"{what}: {seen}")
        save(data)
    return data


def points(rows: int, features: int = 784) -> tuple[np.ndarray, np.ndarray]:
    """Return random samples and labels."""
    random = np.random.default_rng(20251128)
    x = random.standard_normal((rows, features)).astype("float32")
    return x, random.integers(0, 10, rows)


def network(backend: Any, sizes: tuple[int, ...] = (784, 128, 128, 10), **more: Any):
    """Return a network with dropout and a schedule, so that each step is another."""
    layers: list[Any] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nx.Dense(inputs, outputs), nx.ReLU()]
    layers[-1] = nx.Softmax()
    layers.insert(2, nx.Dropout(0.2))
    options = {
        "optimizer": nx.Adam(nx.CosineDecay(0.002, 200)),
        "loss": "categorical_crossentropy",
        "seed": 3,
    }
    return nx.Model(layers, backend=backend, **{**options, **more})


def weights(model: nx.Model) -> np.ndarray:
    """Return all parameters on the host, in one array."""
    return np.concatenate([nx.to_numpy(p).ravel() for p in model.parameters.values()])


def trained(backend: Any, rows: int, **more: Any) -> np.ndarray:
    """Return the parameters after some epochs, whose last batch is short."""
    model = network(backend, **more)
    model.fit(*points(rows), batch_size=16, epochs=3)
    return weights(model)


def products_can_be_captured(place: Place) -> Seen:
    """NVIDIA's bindings of cuBLAS work, so steps become graphs."""
    reason = nx.get_backend("cupy").why_no_capture()
    return not reason, reason or "they do"


def graphs_are_exact(place: Place) -> Seen:
    """A captured step has the bits of the step without a graph, each time."""
    equal, off = [], []
    for dtype in DTYPES:
        be = nx.get_backend("cupy", dtype=dtype)
        eager = trained(be, 149, compile="off")
        for _ in range(1 if place.quick else 4):
            captured = trained(be, 149, compile="require")
            equal.append(bool(np.array_equal(captured, eager)))
            off.append(float(np.max(np.abs(captured - eager))))
    return all(equal), f"{sum(equal)} of {len(equal)}, off by at most {max(off):.1e}"


def three_kernels_agree(place: Place) -> Seen:
    """The step in three kernels learns what NumPy learns, and repeats its bits."""
    found, notes = [], []
    for backend in ("cupy", "cupy", "numpy"):
        model = nx.Model(
            [nx.Dense(784, 128), nx.ReLU(), nx.Dense(128, 128), nx.ReLU(),
             nx.Dense(128, 10), nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", backend=backend, seed=3,
        )  # fmt: skip
        model.fit(*points(149), batch_size=16, epochs=3)
        found.append(weights(model))
        notes.append(model.executor_note)
    off = float(np.max(np.abs(found[0] - found[2])))
    repeats = np.array_equal(found[0], found[1])
    seen = f"off by {off:.1e}, {'the same' if repeats else 'NOT the same'} bits twice"
    passed = repeats and off <= 4 * np.finfo("float32").eps ** 0.5
    return passed, f"{seen}; {notes[0]}"


def rounded_products_are_exact(place: Place) -> Seen:
    """Steps with rounded products are captured with the same bits."""
    equal = {}
    for precision in ("tf32", "bfloat16", "float16"):
        be = nx.get_backend("cupy", matmul_precision=precision)
        found = [trained(be, 149, compile=mode) for mode in ("off", "require")]
        equal[precision] = bool(np.array_equal(*found))
    return all(equal.values()), ", ".join(f"{k}: {v}" for k, v in equal.items())


def numbers_arrive_in_order(place: Place) -> Seen:
    """A number written for one step is not seen by the step before."""
    import cupy

    be = nx.get_backend("cupy")
    with be.context():
        slots, count = {"number": be.zeros(())}, 300 if place.quick else 20_000
        found = be.zeros((count,))
        # Keeps the device busy, so that the copies queue up behind it.
        busy = cupy.ones((64 if place.quick else 4096,) * 2, "float32")
        _ = busy @ busy
        for number in range(count):
            be.write_number(slots, "number", number * 0.5)
            found[number] = slots["number"]
        wrong = int((found.get() != np.arange(count) * 0.5).sum())
    return not wrong, f"{wrong} of {count} wrong"


def float32_is_float32(place: Place) -> Seen:
    """Products of float32 are not rounded to TF32."""
    be, random, most = nx.get_backend("cupy"), np.random.default_rng(1), 0.0
    for m, k, n in ((64, 128, 10), (128, 784, 128), (512, 1024, 1024)):
        shapes = (m, k), (k, n)
        a, b = (random.standard_normal(s).astype("float32") for s in shapes)
        exact = a.astype("float64") @ b
        found = nx.to_numpy(be.matmul(be.asarray(a), be.asarray(b)))
        most = max(most, np.linalg.norm(found - exact) / np.linalg.norm(exact))
    # TF32 keeps ten bits: about 3e-4.
    return most < 5e-6, f"relative error {most:.1e}"


def small_numbers(place: Place) -> Seen:
    """Kernels take numbers below 1.2e-38 for 0; what products do is said here."""
    be = nx.get_backend("cupy")
    with be.context():
        tiny, one = (
            be.asarray(array.astype("float32"))
            for array in (np.full((32, 32), 2.0**-140), np.eye(32))
        )
        found = {"kernel": nx.ReLU().forward(tiny), "product": be.matmul(tiny, one)}
    seen = [
        f"{'kept' if nx.to_numpy(array).any() else '0'} ({name})"
        for name, array in found.items()
    ]
    return True, ", ".join(seen)


def streamed_is_resident(place: Place) -> Seen:
    """Data that is streamed is learned as data on the device is."""
    found = []
    rows = points(2000)
    # A chunk of two batches, of samples in float32 and labels.
    for limit in [2**30, *[2 * 100 * 3200] * (1 if place.quick else 5)]:
        model = network("cupy")
        model.fit(*rows, batch_size=50, epochs=2, device_data_limit=limit)
        found.append(weights(model))
    equal = [bool(np.array_equal(found[0], one)) for one in found[1:]]
    return all(equal), f"{sum(equal)} of {len(equal)}"


def two_threads(place: Place) -> Seen:
    """Two models in two threads learn what each learns alone."""
    seeds, together = (1, 2), {}
    alone = {seed: trained("cupy", 300, seed=seed) for seed in seeds}

    def work(seed: int) -> None:
        together[seed] = trained("cupy", 300, seed=seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal = [
        seed in together and bool(np.array_equal(alone[seed], together[seed]))
        for seed in seeds
    ]
    return all(equal), f"{sum(equal)} of 2"


def little_memory(place: Place) -> Seen:
    """Under a limit on memory a model learns the same, or says that it is too low."""
    import cupy

    x, y = points(2048 + 1500, 64)
    pool, seen, passed = cupy.get_default_memory_pool(), [], True

    def model() -> nx.Model:
        return network("cupy", (64, 256, 256, 10), optimizer="sgd", metrics=None)

    first = model()
    first.fit(x, y, batch_size=2048, epochs=3)
    expected = weights(first)
    for megabytes in (20, 16, 14, 12, 10):
        limited = model()
        pool.free_all_blocks()
        room = x.nbytes + y.size * 4 + megabytes * 10**6
        pool.set_limit(size=pool.used_bytes() + room)
        try:
            limited.fit(x, y, batch_size=2048, epochs=3)
            equal = bool(np.array_equal(weights(limited), expected))
            passed, word = passed and equal, "the same" if equal else "ANOTHER"
        except nx.DeviceMemoryError:
            word = "DeviceMemoryError"
        finally:
            pool.set_limit(size=0)
        seen.append(f"{megabytes} MB: {word}")
    return passed, ", ".join(seen)


# The last may leave the device unusable for this process.
CHECKS: tuple[Callable[[Place], Seen], ...] = (
    products_can_be_captured,
    graphs_are_exact,
    three_kernels_agree,
    rounded_products_are_exact,
    numbers_arrive_in_order,
    float32_is_float32,
    small_numbers,
    streamed_is_resident,
    two_threads,
    little_memory,
)


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of checks."""
    if data["why"]:
        return [f"Not asked: {data['why']}."]
    lines = ["| | | seen |", "| --- | --- | --- |"]
    for check in data["checks"]:
        word = "as expected" if check["passed"] else "**not as expected**"
        lines.append(f"| {check['what']} | {word} | {in_a_cell(check['seen'])} |")
    return lines
