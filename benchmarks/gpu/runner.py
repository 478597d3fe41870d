"""Run the sections one after the other, each with its share of the time."""

from __future__ import annotations

import dataclasses
import datetime
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gpu import plan, processes
from benchmarks.gpu.place import Place
from benchmarks.gpu.text import of_error

Tree = dict[str, Any]
# What a section came to.
OK, FAILED, STOPPED, SKIPPED = "ok", "failed", "stopped", "skipped"
EMULATION_IS_SLOWER = 10.0
Run = Callable[[str, Place, Path], Tree]


def run_sections(
    sections: Sequence[plan.Section],
    place: Place,
    left: Callable[[], float],
    scratch: Path,
    say: Callable[[str], None],
    run: Run | None = None,
) -> Iterator[tuple[str, Tree]]:
    """Run every section, and tell its outcome as soon as it is known.

    Parameters
    ----------
    sections : sequence of Section
        In the order in which to run them.
    place : Place
        Where; its seconds are set for each section.
    left : callable
        Returns the seconds that are left of the budget.
    scratch : Path
        A folder for files that are thrown away.
    say : callable
        Told of the progress.
    run : callable, optional
        Runs a section's module; by default in a process of its own.

    Yields
    ------
    str
        The key of the section.
    dict
        ``status``, ``reason``, ``seconds`` and ``data``.
    """
    run = run or in_a_process
    for index, section in enumerate(sections):
        slower = 1.0 if place.times_count else EMULATION_IS_SLOWER
        seconds = plan.seconds_for(section, sections[index + 1 :], left(), slower)
        if not seconds:
            found = outcome(SKIPPED, "no time was left for it")
        else:
            say(f"{section.key}: at most {seconds:.0f} s")
            began = time.monotonic()
            try:
                found = run(section.module, of_seconds(place, seconds), scratch)
            except Exception as error:
                found = outcome(FAILED, of_error(error))
            if place.times_count:
                found["seconds"] = time.monotonic() - began
        say(f"{section.key}: {in_a_line(found)}")
        yield section.key, found


def of_seconds(place: Place, seconds: float) -> Place:
    """Return the same place, for a section that begins now."""
    return dataclasses.replace(place, seconds=seconds, began=time.monotonic())


def in_a_process(module: str, place: Place, scratch: Path) -> Tree:
    """Run a section's module in a process of its own, and return its outcome."""
    name = module.rpartition(".")[2]
    answer, order, log = (scratch / f"{name}{end}" for end in (".json", ".in", ".log"))
    # The monotonic clock is that of the machine, so both processes read the same.
    told = {"module": module, "answer": str(answer), "place": dataclasses.asdict(place)}
    order.write_text(json.dumps(told), encoding="utf-8")
    command = [*processes.python(), "-m", "benchmarks.gpu.child", str(order)]
    # What the section has started itself must have been stopped by then.
    status = processes.run(
        command,
        place.seconds,
        log,
        processes.environment(scratch),
        grace=3 * processes.GRACE_SECONDS,
    )
    written = json.loads(answer.read_text("utf-8")) if answer.exists() else {}
    data = written.get("data")
    if status is None:
        return outcome(STOPPED, f"its {place.seconds:.0f} s were over", data)
    if not written.get("done"):
        words = processes.last_words(log)
        return outcome(FAILED, f"the process ended with status {status}: {words}", data)
    if "error" in written:
        return outcome(FAILED, written["error"], data)
    failures = (data or {}).get("failures", [])
    return outcome(FAILED if failures else OK, "; ".join(failures), data)


def outcome(status: str, reason: str = "", data: Any = None) -> Tree:
    """Return the tree of a section."""
    return {"status": status, "reason": reason, "data": data}


def in_a_line(found: Tree) -> str:
    """Return status and reason."""
    return (
        f"{found['status']}: {found['reason']}" if found["reason"] else found["status"]
    )


def new_report(
    sections: Sequence[plan.Section],
    place: Place,
    environment: Tree,
    budget: float,
    commit: str,
) -> Tree:
    """Return a report of which no section was reached."""
    return {
        "report": "nnfs_xp on a GPU",
        "kind": place.kind,
        "quick": place.quick,
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M}",
        "commit": commit,
        "budget_seconds": budget,
        "environment": environment,
        "sections": {s.key: outcome(SKIPPED, "not reached") for s in sections},
    }


def failed(report: Tree) -> bool:
    """Return whether any section failed, or was stopped."""
    bad = (FAILED, STOPPED)
    return any(found["status"] in bad for found in report["sections"].values())
