"""How much of the device's own speed a large network and its optimizer reach.

The limits are measured here too: a data sheet tells what no program gets.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nnfs_xp
from benchmarks.contenders.nnfs import NnfsXp
from benchmarks.gpu.place import REHEARSAL, Place
from benchmarks.workloads import Problem, Workload, random_problem

REPEATS = 7
WIDE = Workload("4096", "random", (4096, 4096, 4096, 10), 4096)
QUICK_WIDE = Workload("64", "random", (64, 64, 64, 10), 64)
# Elements of the arrays that are copied and updated: 256 MiB each in float32.
ELEMENTS, QUICK_ELEMENTS = 2**26, 2**12


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return each rate, and the share of its limit."""
    be = nnfs_xp.get_backend(place.backend, device=place.device)
    wide = QUICK_WIDE if place.quick else WIDE
    elements = QUICK_ELEMENTS if place.quick else ELEMENTS
    data: dict[str, Any] = {"times_count": place.times_count, "rows": []}

    def enter(what: str, seconds: float, amount: float, unit: str, limit: str) -> None:
        rate = amount / seconds
        row: dict[str, Any] = {"what": what, "unit": unit, "limit": limit}
        if place.times_count:
            row |= {"seconds": seconds, "rate": rate}
        data["rows"].append(row)
        save(data)

    with be.context():
        size = wide.sizes[0]
        for what, seconds in gemm_seconds(be, size, place).items():
            enter(what, seconds, 2.0 * size**3, "flop/s", "")
        seconds = copy_seconds(be, elements)
        # Every byte is read once and written once.
        enter("copy on the device", seconds, 8.0 * elements, "byte/s", "")
        seconds = step_seconds(random_problem(wide), place)
        title = "-".join(map(str, wide.sizes))
        name = f"training step, {title}, batch {wide.batch_size}"
        enter(name, seconds, step_flops(wide), "flop/s", "GEMM")
        seconds = adam_seconds(be, elements)
        # Reads parameters, gradients and two moments; writes all but the gradients.
        enter("Adam", seconds, 7 * 4.0 * elements, "byte/s", "copy")
    data["share_of_gemm"] = share(data["rows"], "GEMM", "matmul")
    data["share_of_copy"] = share(data["rows"], "copy", "copy on the device")
    return data


def share(rows: Sequence[dict[str, Any]], limit: str, limits: str) -> float | None:
    """Return the rate of the row with a limit over the best rate of the limits."""
    own = [row["rate"] for row in rows if row["limit"] == limit and "rate" in row]
    best = [r["rate"] for r in rows if limits in r["what"] and "rate" in r]
    return own[0] / max(best) if own and best else None


def seconds_of(work: Callable[[], Any], synchronize: Callable[[], None]) -> float:
    """Return the median time of a call, over blocks of several."""
    work()
    synchronize()
    began = time.perf_counter()
    work()
    synchronize()
    # Waiting takes some microseconds, of which a call gets its part.
    calls = max(1, min(50, int(0.05 / (time.perf_counter() - began))))
    blocks = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        for _ in range(calls):
            work()
        synchronize()
        blocks.append((time.perf_counter() - began) / calls)
    return statistics.median(blocks)


def gemm_seconds(be: nnfs_xp.Backend, size: int, place: Place) -> dict[str, float]:
    """Return the time of a square matrix product, ours and the library's own.

    Of random numbers, as a device slows down where many bits change.
    """
    random = np.random.default_rng(20251128)
    a, b = (be.asarray(random.random((size, size), "float32")) for _ in range(2))
    found = {
        f"be.matmul of {size} x {size}": seconds_of(
            lambda: be.matmul(a, b), be.synchronize
        )
    }
    if place.kind != REHEARSAL:
        import cupy

        found[f"cupy.matmul of {size} x {size}"] = seconds_of(
            lambda: cupy.matmul(a, b), be.synchronize
        )
    return found


def copy_seconds(be: nnfs_xp.Backend, elements: int) -> float:
    """Return the time of a copy between two arrays that exist already."""
    slots, source = {"to": be.zeros((elements,))}, be.full((elements,), 1.0)
    return seconds_of(lambda: be.assign(slots, "to", source), be.synchronize)


def adam_seconds(be: nnfs_xp.Backend, elements: int) -> float:
    """Return the time of Adam on one flat array of parameters."""
    adam = nnfs_xp.Adam()
    parameters = {"all": be.full((elements,), 0.5)}
    gradients = {"all": be.full((elements,), 0.01)}
    state = adam.init(be, parameters)
    return seconds_of(
        lambda: adam.update(be, parameters, gradients, state), be.synchronize
    )


def step_seconds(problem: Problem, place: Place) -> float:
    """Return the time of a training step as `Model.fit` takes it."""
    contender = NnfsXp(problem, place.device, place.backend)
    with contender.context():
        contender.reset()
        return seconds_of(lambda: contender.take(1), contender.synchronize)


def step_flops(workload: Workload) -> float:
    """Return the floating-point operations of the matrix products of a step.

    Each layer has one product forward, one for the gradient of its weights and one
    for that of its inputs, which the first layer does not need.
    """
    products = [2.0 * a * b for a, b in itertools.pairwise(workload.sizes)]
    assert workload.batch_size is not None
    return workload.batch_size * (3 * sum(products) - products[0])


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of rates and shares."""
    if not data["times_count"]:
        names = "; ".join(row["what"] for row in data["rows"])
        return [f"Ran without an error: {names}. Not measured: the device is emulated."]
    lines = [
        f"float32 without TF32; medians of {REPEATS} blocks. Of the training step only "
        "the matrix products are counted, and none for the gradient of the data. A "
        "copy moves each byte twice, Adam moves seven numbers for each parameter.",
        "",
        "| | milliseconds | rate | share of the limit |",
        "| --- | ---: | ---: | ---: |",
    ]
    shares = {"GEMM": data.get("share_of_gemm"), "copy": data.get("share_of_copy")}
    for row in data["rows"]:
        scale, unit = {"flop/s": (1e12, "TFLOP/s"), "byte/s": (1e9, "GB/s")}[
            row["unit"]
        ]
        of_limit = shares.get(row["limit"])
        said = (
            "-" if of_limit is None else f"{100 * of_limit:.1f} % of the {row['limit']}"
        )
        lines.append(
            f"| {row['what']} | {1e3 * row['seconds']:.3f} "
            f"| {row['rate'] / scale:,.2f} {unit} | {said} |"
        )
    return lines
