"""Results as Markdown tables for people, and as JSON with every block."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from benchmarks.contenders import OWN
from benchmarks.machine import QUIET
from benchmarks.sections import TITLES
from benchmarks.timing import Block, Timing

# What a fit of 60,000 rows of 784 float32 features may add to memory.
MOST_MIB = 100
COMMAND = "python -m benchmarks.run --all"


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
    sections : dict
        The keys of `timings` in each table.
    titles : dict
        What each key stands for.
    floors : dict
        The least microseconds of a step of each key, where known.
    memory : dict
        The MiB that ``fit`` adds on each backend.
    date : str
        When, in UTC.
    """

    machine: dict[str, Any]
    versions: dict[str, str]
    baseline: str
    protocol: dict[str, Any]
    timings: dict[str, dict[str, Timing]]
    left_out: dict[str, str]
    sections: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    titles: dict[str, str] = dataclasses.field(default_factory=dict)
    floors: dict[str, float] = dataclasses.field(default_factory=dict)
    memory: dict[str, float] = dataclasses.field(default_factory=dict)
    date: str = dataclasses.field(
        default_factory=lambda: f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M}"
    )

    def ratio(self, key: str, label: str) -> float | None:
        """Return a median over the baseline's, if that took part."""
        timings = self.timings[key]
        if self.baseline not in timings:
            return None
        return timings[label].quartiles[1] / timings[self.baseline].quartiles[1]

    def best_rival(self, key: str) -> str | None:
        """Return the label of the fastest contender that is not our own."""
        rivals = {k: t for k, t in self.timings[key].items() if not k.startswith(OWN)}
        if not rivals:
            return None
        return min(rivals, key=lambda label: rivals[label].quartiles[1])


PAGE_HEAD = f"""# Speed

This page compares the speed of nnfs_xp with that of other libraries. Smaller numbers
are better. The rows labelled "best rival" compare nnfs_xp with the fastest entry in the
column that is not nnfs_xp. The estimated minimum is the time that the matrix products
and memory transfers of a step would take on their own. `benchmarks/README.md` describes
the measurements in detail. The following command writes this page; on an idle machine,
it takes about an hour:

<!-- not run: runs other libraries -->
```console
$ {COMMAND} --out docs/results/speed.json --page docs/results/speed.md
```
"""


def to_page(results: Results | None) -> str:
    """Return the page of the documentation, of no results if there are none."""
    body = "**Not yet measured.**\n" if results is None else to_markdown(results)
    return f"{PAGE_HEAD}\n{body}"


def to_markdown(results: Results) -> str:
    """Return a table for each section, with a line above and notes below."""
    parts = [_head(results)]
    for section, keys in results.sections.items():
        parts += _section(results, section, keys)
    if results.memory:
        parts.append(_memory(results))
    parts += _busy_notes(results)
    parts += [
        f"Not measured: {label}: {why}" for label, why in results.left_out.items()
    ]
    return "\n\n".join(parts) + "\n"


def _section(results: Results, section: str, keys: list[str]) -> list[str]:
    """Return a table, ratios to the best rival and to the floor, and notes."""
    labels = list(dict.fromkeys(x for key in keys for x in results.timings[key]))
    rows = [
        [TITLES[section], *(f"{key}: {results.titles[key]}" for key in keys)],
        ["---", *["---:"] * len(keys)],
        *([label, *(_cell(results, key, label) for key in keys)] for label in labels),
    ]
    own = [label for label in labels if label.startswith(OWN)]
    if len(own) < len(labels):
        rows += [
            [f"{label} / best rival", *(_to_rival(results, key, label) for key in keys)]
            for label in own
        ]
    if any(key in results.floors for key in keys):
        rows.append(["estimated minimum", *(_floor(results, key) for key in keys)])
    unit = (
        "Each cell shows the time of one step in microseconds, as median [quartiles] "
        f"over {results.protocol['repeats']} blocks"
    )
    if results.baseline in labels:
        unit += f', and the ratio to the median of "{results.baseline}"'
    notes = [f"{unit}."]
    if "scikit-learn" in labels:
        notes.append(
            "scikit-learn also checks its input and encodes the labels in every step."
        )
    return ["\n".join("| " + " | ".join(row) + " |" for row in rows), *notes]


def _to_rival(results: Results, key: str, label: str) -> str:
    rival, timing = results.best_rival(key), results.timings[key].get(label)
    if rival is None or timing is None:
        return "-"
    ratio = timing.quartiles[1] / results.timings[key][rival].quartiles[1]
    return f"{ratio:.2f}x of {rival}"


def _floor(results: Results, key: str) -> str:
    floor = results.floors.get(key)
    if floor is None:
        return "-"
    own = [t for label, t in results.timings[key].items() if label.startswith(OWN)]
    if not own:
        return f"{floor:,.0f}"
    best = min(timing.quartiles[1] for timing in own)
    return f"{floor:,.0f} (nnfs_xp: {best / floor:.2f}x)"


def _memory(results: Results) -> str:
    added = ", ".join(f"{mib:.0f} MiB on {b}" for b, mib in results.memory.items())
    return (
        f"Training on 60,000 rows of 784 float32 features needs {added} "
        f"(goal: at most {MOST_MIB})."
    )


def to_json(results: Results) -> dict[str, Any]:
    """Return the same and every block, as JSON can hold it."""
    tree = dataclasses.asdict(results)
    tree["benchmark"] = "run"
    for key, timings in results.timings.items():
        rival = results.best_rival(key)
        workload: dict[str, Any] = {"contenders": {}, "best_rival": rival}
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


def from_json(tree: dict[str, Any]) -> Results:
    """Return the results that `to_json` made such a tree of."""
    timings = {
        key: {
            label: Timing(found["steps"], [Block(**b) for b in found["blocks"]])
            for label, found in workload["contenders"].items()
        }
        for key, workload in tree["timings"].items()
    }
    names = {field.name for field in dataclasses.fields(Results)} - {"timings"}
    return Results(timings=timings, **{name: tree[name] for name in names})


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
        f"{where}: kept {cores:.1f} cores busy, although limited to "
        f"{_count(threads, 'thread')}."
        for where, cores in busy.items()
        if cores > threads + 0.15
    ]
    if results.machine.get("busy", 0.0) > QUIET:
        notes.append(
            "Do not trust these times: before they were taken, other processes kept "
            f"{results.machine['busy']:.1f} cores busy."
        )
    if not busy:
        return notes
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
