"""One training step beside PyTorch and JAX on the same device."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks import agreement, machine, timing
from benchmarks.contenders import (
    BASELINE,
    JAX_JIT,
    RIVALS,
    TORCH_COMPILE,
    Entry,
    own_entries,
)
from benchmarks.contenders.base import Contender
from benchmarks.gpu.place import Place
from benchmarks.gpu.text import in_a_cell, of_error
from benchmarks.workloads import GPU_WORKLOADS, Problem, make_problem

REPEATS, QUICK_REPEATS = 15, 3
# On a GPU launches take so even a time that shorter blocks than a CPU's will do.
BLOCK_SECONDS, QUICK_SECONDS = 0.01, 0.001
# The rivals to whom ratios are shown, by the head of their column.
COLUMNS = {
    "eager": (BASELINE,),
    "torch.compile": TORCH_COMPILE,
    "jax.jit": (JAX_JIT,),
}


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return a row for each contender on each workload."""
    machine.set_threads(1)
    machine.use_full_float32()
    keys = ["W1", "W2"] if place.quick else list(GPU_WORKLOADS)
    repeats = QUICK_REPEATS if place.quick else REPEATS
    data: dict[str, Any] = {"repeats": repeats, "workloads": {}, "failures": []}
    longest = 0.0
    for key in keys:
        began, title = time.monotonic(), GPU_WORKLOADS[key].title
        if place.left < longest:
            data["workloads"][key] = {"title": title, "skipped": "no time was left"}
            continue
        rows = rows_of(make_problem(GPU_WORKLOADS[key]), place, repeats)
        data["workloads"][key] = {"title": title, "rows": rows}
        data["failures"] += [
            f"{label} on {key}: {row['reason']}"
            for label, row in rows.items()
            if row["reason"] and row["own"]
        ]
        longest = max(longest, time.monotonic() - began)
        save(data)
    return data


def rows_of(problem: Problem, place: Place, repeats: int) -> dict[str, Any]:
    """Check and time every contender on one workload."""
    forget_compiled_steps()
    rows: dict[str, Any] = {}
    contenders: dict[str, Contender] = {}
    curves: dict[str, np.ndarray] = {}
    own = own_entries(place.backend)
    for entry in (*own, *RIVALS):
        device = place.device if entry in own else place.rivals_device
        rows[entry.label] = {"own": entry in own, "reason": "", "note": ""}
        try:
            contenders[entry.label], curves[entry.label] = made(entry, problem, device)
        except Exception as error:
            rows[entry.label]["reason"] = of_error(error)
    median = agreement.median_of(curves)
    for label, curve in curves.items():
        rows[label]["deviation"] = float(np.max(np.abs(curve / median - 1)))
        complaint = agreement.disagreement(curve, median, "the median of all")
        if complaint:
            rows[label]["reason"] = complaint
            del contenders[label]
    if contenders:
        for label, timed in times_of(contenders, place, repeats).items():
            rows[label].update(timed)
    return rows


def made(entry: Entry, problem: Problem, device: str) -> tuple[Contender, np.ndarray]:
    """Return a contender, and its first losses; by then it is compiled."""
    reason = entry.why_not(device)
    if reason:
        raise RuntimeError(reason)
    contender = entry.make(problem, device)
    return contender, agreement.loss_curve(contender, problem.workload.checked_steps)


def times_of(
    contenders: dict[str, Contender], place: Place, repeats: int
) -> dict[str, Any]:
    """Return the time of a step in each block, where times mean anything."""
    timings = timing.time_contenders(
        contenders,
        repeats,
        QUICK_SECONDS if place.quick else BLOCK_SECONDS,
        QUICK_SECONDS if place.quick else timing.WARM_UP_SECONDS,
    )
    found: dict[str, Any] = {}
    for label, timed in timings.items():
        found[label] = {"note": contenders[label].note}
        if place.times_count:
            lower, median, upper = timed.quartiles
            found[label] |= {
                "median_us": median,
                "quartiles_us": [lower, upper],
                "steps": timed.steps,
                "blocks_us": timed.microseconds,
            }
    return found


def forget_compiled_steps() -> None:
    """Drop the compiled steps of the workload before, and the limit on their number."""
    if "torch" in sys.modules:
        import torch

        torch.compiler.reset()


def fastest(rows: dict[str, Any], labels: Sequence[str]) -> float | None:
    """Return the least of the medians of some contenders, if any was timed."""
    found = [rows[x]["median_us"] for x in labels if "median_us" in rows.get(x, {})]
    return min(found, default=None)


def ratio(rows: dict[str, Any], label: str, rivals: Sequence[str]) -> float | None:
    """Return a median over that of the fastest of some rivals."""
    own, theirs = fastest(rows, [label]), fastest(rows, rivals)
    return None if own is None or theirs is None else own / theirs


def show(data: dict[str, Any]) -> list[str]:
    """Return a table for each workload."""
    lines = [
        "Microseconds for one step: forward, loss, backward, Adam, in float32 without "
        f"TF32; median [quartiles] of {data['repeats']} interleaved blocks. All have "
        "the same weights and batches, which are on the device, and their losses of "
        f"{agreement.CHECKED_STEPS} steps ({GPU_WORKLOADS['W4'].checked_steps} on W4) "
        f"agree to {agreement.RELATIVE_TOLERANCE:.0e} before any is timed. "
        "`Model.fit` also shuffles, gathers the batches and reads the loss of each "
        "epoch. Then the ratio to each rival; for torch.compile to the faster of the "
        "two.",
    ]
    for key, workload in data["workloads"].items():
        lines += ["", f"### {key}: {workload['title']}", ""]
        if "skipped" in workload:
            lines.append(f"Not measured: {workload['skipped']}.")
        else:
            lines += table(workload["rows"])
    return lines


def table(rows: dict[str, Any]) -> list[str]:
    """Return the rows of one workload."""
    heads = " | ".join(f"to {name}" for name in COLUMNS)
    lines = [
        f"| | us a step | {heads} | losses off by | |",
        f"| --- | ---: | {'---: | ' * len(COLUMNS)}---: | --- |",
    ]
    for label, row in rows.items():
        cells = ["not measured", *("-" for _ in COLUMNS)]
        if "median_us" in row:
            lower, upper = row["quartiles_us"]
            cells[0] = f"{row['median_us']:,.1f} [{lower:,.1f}, {upper:,.1f}]"
            found = [ratio(rows, label, rivals) for rivals in COLUMNS.values()]
            cells[1:] = ["-" if r is None else f"{r:.2f}" for r in found]
        off = f"{row['deviation']:.0e}" if "deviation" in row else "-"
        said = in_a_cell(row["reason"] or row["note"])
        lines.append(f"| {label} | {' | '.join(cells)} | {off} | {said} |")
    return lines
