"""Times that decide what to change next: of graphs, of Adam, of streaming."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp as nx
from benchmarks.contenders.nnfs import NnfsXp
from benchmarks.gpu.place import REHEARSAL, Place
from benchmarks.gpu.text import in_a_cell, of_error
from benchmarks.workloads import GPU_WORKLOADS, make_problem
from nnfs_xp.kernels import kernel_mode, set_kernel_mode

Row = tuple[str, dict[str, float]]


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return rows of numbers; of a device that is emulated only their names."""
    data: dict[str, Any] = {"why": "", "rows": [], "failures": []}
    if place.kind == REHEARSAL:
        return {**data, "why": "there is no device to time"}
    for measure in (graphs, branches, adam_grids, streaming):
        try:
            for name, numbers in measure(place):
                shown = numbers if place.times_count else dict.fromkeys(numbers)
                data["rows"].append({"what": name, "numbers": shown})
                save(data)
        except Exception as error:
            data["failures"].append(f"{measure.__name__}: {of_error(error)}")
    return data


def device_us(work: Callable[[], Any], calls: int) -> float:
    """Return microseconds of a call on the device, of many that follow each other."""
    import cupy

    work()
    begin, end = cupy.cuda.Event(), cupy.cuda.Event()
    begin.record()
    for _ in range(calls):
        work()
    end.record()
    end.synchronize()
    return cupy.cuda.get_elapsed_time(begin, end) * 1e3 / calls


def host_us(work: Callable[[], Any], calls: int) -> float:
    """Return microseconds of a call on the host, which waits for nothing."""
    import cupy

    work()
    cupy.cuda.get_current_stream().synchronize()
    began = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - began) / calls * 1e6


def graphs(place: Place) -> list[Row]:
    """Time a step, the launch of its graph, and the step without a graph."""
    calls, rows = 5 if place.quick else 300, []
    for key in ["W1", "W2"] if place.quick else list(GPU_WORKLOADS):
        problem, found = make_problem(GPU_WORKLOADS[key]), {}
        for compile in ("auto", "off"):
            contender = NnfsXp(problem, place.device, place.backend, compile)
            with contender.context():
                contender.reset()

                def take(contender: NnfsXp = contender) -> None:
                    contender.take(8)

                # Eight, as so many may be one launch.
                name = "graph" if compile == "auto" else "eager"
                found[f"{name}, device us a step"] = device_us(take, calls) / 8
                found[f"{name}, host us a step"] = host_us(take, calls) / 8
        rows.append((f"step of {key}", found))
    return rows


def branches(place: Place) -> list[Row]:
    """Time a step whose graph has two branches, and one whose graph has one."""
    calls, rows, before = 5 if place.quick else 300, [], kernel_mode()
    # Both are too small or too large for the step in three kernels.
    for key in ["W1"] if place.quick else ["W1", "W4"]:
        problem, found = make_problem(GPU_WORKLOADS[key]), {}
        for name, mode in {"two branches": "auto", "one branch": "no_fork"}.items():
            set_kernel_mode(mode)
            try:
                contender = NnfsXp(problem, place.device, place.backend, "auto")
                with contender.context():
                    contender.reset()

                    def take(contender: NnfsXp = contender) -> None:
                        contender.take(8)

                    found[f"{name}, device us a step"] = device_us(take, calls) / 8
            finally:
                set_kernel_mode(before)
        rows.append((f"graph of {key}", found))
    return rows


def adam_grids(place: Place) -> list[Row]:
    """Time Adam on grids of several sizes; which is best, and is it the one used?"""
    import cupy

    from nnfs_xp.kernels.cupy import module

    be = nx.get_backend("cupy")
    count, calls = (2**12, 2) if place.quick else (2**26, 20)
    kernel, found = module.kernel("float32", "adam"), {}
    with be.context():
        w, dw, m, v = (be.full((count,), 0.01) for _ in range(4))
        step, rate = cupy.ones((), "int32"), be.full((), 1e-3)
        betas = 0.9, math.log(0.9), 0.999, math.log(0.999), 1e-7
        arguments = (count, w, dw, m, v, step, rate, *betas)
        per_block = cupy.cuda.Device().attributes["MultiProcessorCount"]
        for blocks in (4, 6, 8, 12, 16, 32):
            grid = (max(1, min(blocks * per_block, count // 256)),)
            us = device_us(lambda g=grid: kernel(g, (256,), arguments), calls)
            found[f"{blocks} blocks each, GB a second"] = 28 * count / us / 1e3
        copy = {"to": be.zeros((count,))}
        us = device_us(lambda: be.assign(copy, "to", w), calls)
        found["copy, GB a second"] = 8 * count / us / 1e3
    return [("Adam", found)]


def streaming(place: Place) -> list[Row]:
    """Time epochs of data on the device, and of data that is streamed."""
    rows, found = 2000 if place.quick else 200_000, {}
    x = np.random.default_rng(0).integers(0, 256, (rows, 784)).astype("uint8")
    y = np.arange(rows) % 10
    for name, limit in {"resident": 2**34, "4 MB": 2**23, "64 MB": 2**27}.items():
        model = nx.Model(
            [nx.Rescaling(1 / 255), nx.Dense(784, 128), nx.ReLU(), nx.Dense(128, 10),
             nx.Softmax()],
            loss="categorical_crossentropy", optimizer="adam", backend="cupy",
            metrics=None,
        )  # fmt: skip
        history = model.fit(x, y, batch_size=128, epochs=3, device_data_limit=limit)
        found[f"{name}, s an epoch"] = min(history["seconds"])
    return [("an epoch", found)]


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of numbers."""
    if data["why"]:
        return [f"Not measured: {data['why']}."]
    lines = ["| | | |", "| --- | --- | ---: |"]
    for row in data["rows"]:
        for name, number in row["numbers"].items():
            shown = "not measured" if number is None else f"{number:,.3g}"
            lines.append(f"| {row['what']} | {in_a_cell(name)} | {shown} |")
    return lines
