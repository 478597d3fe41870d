"""What a training step asks of the device: launches, graphs, copies, waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.contenders import own_entries
from benchmarks.contenders.base import Contender
from benchmarks.gpu import counters
from benchmarks.gpu.place import EMULATED, GPU, Place
from benchmarks.workloads import WORKLOADS, make_problem

# A multiple of the steps that one CUDA graph may hold.
STEPS = 24


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return counts per step for each way of taking it."""
    counter = {GPU: counters.profiled, EMULATED: counters.emulated}.get(place.kind)
    if counter is None:
        return {"how": "", "why": "there is no device to count on", "rows": []}
    if place.kind == GPU:
        reason = counters.why_not_profiled()
        if reason:
            return {"how": "", "why": reason, "rows": []}
    how = {GPU: "by torch.profiler", EMULATED: "by the emulated device"}[place.kind]
    data: dict[str, Any] = {"how": how, "why": "", "rows": []}
    for key in ["W2"] if place.quick else list(WORKLOADS):
        problem = make_problem(WORKLOADS[key])
        for entry in own_entries(place.backend):
            contender = entry.make(problem, place.device)
            found = per_step(contender, counter)
            row = {"workload": key, "label": entry.label, **found}
            data["rows"].append({**row, "note": contender.note})
            save(data)
    return data


def per_step(
    contender: Contender, counter: Callable[[Callable[[], None]], dict[str, int]]
) -> dict[str, float]:
    """Return counts per step.

    They are the difference between many steps and half as many: what happens once,
    such as the wait at the end, is in both.
    """
    steps = contender.whole * -(-STEPS // contender.whole)

    def take(count: int) -> None:
        contender.take(count)
        contender.synchronize()

    with contender.context():
        contender.reset()
        # Compiles and captures, which is no part of a step.
        take(2 * steps)
        less = counter(lambda: take(steps))
        more = counter(lambda: take(2 * steps))
    return {name: (more[name] - less[name]) / steps for name in counters.NAMES}


def show(data: dict[str, Any]) -> list[str]:
    """Return the table of counts."""
    if data["why"]:
        return [f"Not measured: {data['why']}."]
    names = " | ".join(counters.NAMES)
    lines = [
        f"Counted {data['how']}, per step. Kernels and matrix products inside of a "
        "graph are launched by its one launch. `Model.fit` has in it what it does once "
        "an epoch.",
        "",
        f"| | | {names} | |",
        f"| --- | --- | {'---: | ' * len(counters.NAMES)}--- |",
    ]
    for row in data["rows"]:
        cells = " | ".join(f"{row[name]:.4g}" for name in counters.NAMES)
        lines.append(
            f"| {row['workload']} | {row['label']} | {cells} | {row['note']} |"
        )
    return lines
