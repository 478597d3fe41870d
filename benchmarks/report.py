"""Results as a Markdown table for people, and as JSON with every block."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from benchmarks.timing import Timing
from benchmarks.workloads import WORKLOADS


@dataclasses.dataclass(frozen=True)
class Results:
    """Everything a run found out.

    Attributes
    ----------
    machine, versions : dict
        What `benchmarks.machine` says.
    baseline : str
        The contender whose time counts as 1.
    protocol : dict
        How it was measured.
    timings : dict
        For each workload's key, the `Timing` of each contender's label.
    left_out : dict
        Why contenders could not run.
    date : str
        When, in UTC.
    """

    machine: dict[str, Any]
    versions: dict[str, str]
    baseline: str
    protocol: dict[str, Any]
    timings: dict[str, dict[str, Timing]]
    left_out: dict[str, str]
    date: str = dataclasses.field(
        default_factory=lambda: f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M}"
    )

    def ratio(self, key: str, label: str) -> float | None:
        """Return a median over the baseline's, if that took part."""
        timings = self.timings[key]
        if self.baseline not in timings:
            return None
        return timings[label].quartiles[1] / timings[self.baseline].quartiles[1]


def to_markdown(results: Results) -> str:
    """Return the table, with a line above and notes below."""
    keys = list(results.timings)
    labels = list(dict.fromkeys(x for key in keys for x in results.timings[key]))
    titles = [f"{key}: {WORKLOADS[key].title}" for key in keys]
    rows = [
        ["one training step", *titles],
        ["---", *["---:"] * len(keys)],
        *([label, *(_cell(results, key, label) for key in keys)] for label in labels),
    ]
    unit = (
        "Microseconds for one step: median [quartiles] over "
        f"{results.protocol['repeats']} blocks"
    )
    if results.baseline in labels:
        unit += f'; then the ratio of medians to "{results.baseline}"'
    notes = [f"{unit}."]
    if any("scikit-learn" in label for label in labels):
        notes.append(
            "scikit-learn also checks its input and encodes its labels at every step."
        )
    notes += _busy_notes(results)
    notes += [f"Left out: {label}: {why}" for label, why in results.left_out.items()]
    lines = [_head(results), "", *("| " + " | ".join(row) + " |" for row in rows), ""]
    return "\n".join([*lines, "\n\n".join(notes), ""])


def to_json(results: Results) -> dict[str, Any]:
    """Return the same and every block, as JSON can hold it."""
    tree = dataclasses.asdict(results)
    tree["benchmark"] = "training_step"
    for key, timings in results.timings.items():
        workload: dict[str, Any] = {"title": WORKLOADS[key].title, "contenders": {}}
        for label, timing in timings.items():
            lower, median, upper = timing.quartiles
            workload["contenders"][label] = {
                "median_us": median,
                "quartiles_us": [lower, upper],
                "ratio": results.ratio(key, label),
                "busy_cores": timing.busy_cores,
                **dataclasses.asdict(timing),
            }
        tree["timings"][key] = workload
    return tree


def _head(results: Results) -> str:
    machine = results.machine
    device = machine.get("gpu", "CPU")
    versions = ", ".join(
        f"{name} {number}" for name, number in results.versions.items()
    )
    return (
        f"{machine['processor']}, {_count(machine['cores'], 'core')}, "
        f"{_count(machine['threads'], 'thread')}, {machine['system']}; "
        f"device: {device}; {versions}; {results.date} UTC"
    )


def _busy_notes(results: Results) -> list[str]:
    """Say who used more cores than it was given threads, and who got less.

    A thread on a CPU computes all the time, unless another process has its
    core. Waiting for a GPU tells nothing.
    """
    if results.machine["device"] != "cpu":
        return []
    threads = results.machine["threads"]
    busy = {
        f"{label} on {key}": timing.busy_cores
        for key, timings in results.timings.items()
        for label, timing in timings.items()
    }
    notes = [
        f"{where}: {cores:.1f} cores busy, although given {_count(threads, 'thread')}."
        for where, cores in busy.items()
        if cores > threads + 0.15
    ]
    least = min(busy, key=busy.__getitem__)
    if busy[least] < 0.9:
        notes.append(
            "Do not trust these times: the machine had other work to do. "
            f"{least} got only {busy[least]:.2f} of a core."
        )
    return notes


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _cell(results: Results, key: str, label: str) -> str:
    timing = results.timings[key].get(label)
    if timing is None:
        return "-"
    lower, median, upper = timing.quartiles
    text = f"{median:,.0f} [{lower:,.0f}, {upper:,.0f}]"
    ratio = results.ratio(key, label)
    return text if ratio is None else f"{text} {ratio:.2f}x"
