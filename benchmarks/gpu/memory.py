"""Device memory: too little of it, several models in it, and giving it back."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import nnfs_xp
from benchmarks.gpu.place import REHEARSAL, Place
from benchmarks.gpu.text import in_a_cell, of_error
from benchmarks.workloads import (
    GPU_WORKLOADS,
    WORKLOADS,
    Problem,
    make_problem,
    nnfs_model,
)

MIB = 2**20
STEPS = 5


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return what was seen in each check, and whether it was as it should be."""
    data: dict[str, Any] = {"why": "", "checks": [], "failures": []}
    if place.kind == REHEARSAL:
        return {**data, "why": "there is no device memory to look at"}
    for check in (too_large_a_batch, several_models, moved_away):
        passed, what, seen = check(place)
        data["checks"].append({"what": what, "seen": seen, "passed": passed})
        if not passed:
            data["failures"].append(f"{what}: {seen}")
        save(data)
    return data


def new_model(problem: Problem, place: Place) -> nnfs_xp.Model:
    """Return the workload's model on the device."""
    return nnfs_model(problem.workload, place.backend, place.device)


def losses(model: nnfs_xp.Model, problem: Problem) -> list[float]:
    """Return the losses of the next steps."""
    batches = (problem.batches * STEPS)[:STEPS]
    return [
        model.fit(x, y, batch_size=None, shuffle=False)["loss"][-1] for x, y in batches
    ]


def too_large_a_batch(place: Place) -> tuple[bool, str, str]:
    """Fit a batch that is too large, under a limit on the pool of memory."""
    import cupy

    what = "a batch that is too large for the memory"
    problem = make_problem(WORKLOADS["W2"])
    model = new_model(problem, place)
    before = losses(model, problem)[-1]
    rows = 200_000
    x, y = np.zeros((rows, 64), "float32"), np.zeros(rows, "int64")
    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    # Enough for the data, and too little for what a step on all of it keeps.
    pool.set_limit(size=pool.total_bytes() + 4 * x.nbytes)
    try:
        model.fit(x, y, batch_size=None)
    except Exception as error:
        raised: Exception | None = error.with_traceback(None)
    else:
        raised = None
    finally:
        pool.set_limit(size=0)
    if raised is None:
        return False, what, "no error at all"
    seen = of_error(raised)
    after = losses(model, problem)[-1]
    usable = math.isfinite(after) and after < before
    seen += "; afterwards the model " + ("learns on" if usable else "does not learn")
    return isinstance(raised, MemoryError) and usable, what, seen


def several_models(place: Place) -> tuple[bool, str, str]:
    """Train two models in turns, and compare them with two that were alone."""
    problems = [make_problem(WORKLOADS[key]) for key in ("W1", "W2")]
    alone = [losses(new_model(problem, place), problem) for problem in problems]
    models = [new_model(problem, place) for problem in problems]
    turns: list[list[float]] = [[], []]
    for step in range(STEPS):
        for model, problem, kept in zip(models, problems, turns, strict=True):
            x, y = problem.batches[step % len(problem.batches)]
            history = model.fit(x, y, batch_size=None, shuffle=False)
            kept.append(history["loss"][-1])
    off = np.max(np.abs(np.array(turns) / np.array(alone) - 1))
    what = "two models trained in turns, beside each of them alone"
    return bool(off < 1e-6), what, f"losses of {STEPS} steps differ by {off:.1e}"


def moved_away(place: Place) -> tuple[bool, str, str]:
    """Move a trained model to the host, and look at what stays on the device."""
    problem = make_problem(GPU_WORKLOADS["W2" if place.quick else "W4"])
    # The first model leaves what the process keeps anyway: kernels, workspaces.
    losses(new_model(problem, place), problem)
    before = held()
    model = new_model(problem, place)
    losses(model, problem)
    trained = held()
    model.to("numpy")
    after = held()
    what = 'model.to("numpy") gives back the memory of the device'
    seen = (
        f"{before / MIB:.1f} MiB in use before the model, {trained / MIB:.1f} with it, "
        f"{after / MIB:.1f} after"
    )
    return trained > before and after - before <= (trained - before) / 10, what, seen


def held() -> int:
    """Return the bytes that CuPy holds on the device, in whichever pool."""
    import cupy

    gc.collect()
    cupy.cuda.Device().synchronize()
    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    free, total = cupy.cuda.runtime.memGetInfo()
    return total - free


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of checks."""
    if data["why"]:
        return [f"Not measured: {data['why']}."]
    lines = ["| | | seen |", "| --- | --- | --- |"]
    for check in data["checks"]:
        word = "as expected" if check["passed"] else "**not as expected**"
        lines.append(f"| {check['what']} | {word} | {in_a_cell(check['seen'])} |")
    return lines
