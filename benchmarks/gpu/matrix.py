"""The project's own tests, with CuPy required."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.gpu import outcomes, processes
from benchmarks.gpu.place import EMULATED, Place
from benchmarks.gpu.text import without_folders

TESTS = ("tests", "--ignore=tests/benchmarks", "--ignore=tests/docs")
QUICK_TESTS = ("tests/test_backends.py",)
# Without it only a sample of the tests on a backend is run.
EVERY_TIER = "slow or not slow"
# Each process of the tests holds a context of its own on the device.
MOST_WORKERS = 8
# Kept for reading the outcomes after the tests were told to stop.
RESERVE_SECONDS = 8.0


def run(place: Place, save: Callable[[Any], None]) -> dict[str, Any]:
    """Return how many tests passed, and the names of those that did not."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        file, log = scratch / "outcomes", scratch / "log"
        more = {"NNFS_XP_REQUIRE": place.backend, outcomes.VARIABLE: str(file)}
        status = processes.run(
            command(place),
            max(1.0, place.left - RESERVE_SECONDS),
            log,
            processes.environment(scratch, **more),
        )
        data = counted(file)
        data["stopped"] = status is None
        # 0: all passed; 1: some failed, by name; more: pytest itself did not work.
        if status is not None and status > 1:
            words = processes.last_words(log)
            data["failures"].append(f"pytest ended with status {status}: {words}")
    data["command"] = shown(place)
    return data


def arguments(place: Place) -> list[str]:
    """Return the arguments of pytest that choose the tests."""
    tests = QUICK_TESTS if place.quick else TESTS
    return [*tests, "-m", EVERY_TIER, "-k", place.backend]


def command(place: Place) -> list[str]:
    """Return the command line."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks.gpu.outcomes"]
    words += ["-p", "no:cacheprovider", "--tb=short", *arguments(place)]
    if place.kind == EMULATED:
        words[1:1] = ["-W", "ignore::ResourceWarning"]
        words += ["-p", "cupy_on_cpu.plugin"]
    elif importlib.util.find_spec("xdist"):
        workers = min(MOST_WORKERS, os.cpu_count() or 1)
        words += ["-n", str(workers), "--dist", "worksteal"]
    return words


def shown(place: Place) -> str:
    """Return the command as somebody would type it."""
    words = [f'"{x}"' if " " in x else x for x in arguments(place)]
    return f"NNFS_XP_REQUIRE={place.backend} python -m pytest {' '.join(words)}"


def counted(file: Path) -> dict[str, Any]:
    """Return the counts of a file of outcomes."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    # The last line may be cut off.
    lines = [json.loads(x) for x in text.splitlines(keepends=True) if x.endswith("\n")]
    tests = [line for line in lines if "test" in line]
    counts = {
        outcome: sum(line["outcome"] == outcome for line in tests)
        for outcome in ("passed", "failed", "skipped")
    }
    selected = max(
        (line["selected"] for line in lines if "selected" in line), default=0
    )
    failures = [
        without_folders(f"{line['test']}: {line['why']}")
        for line in tests
        if line["outcome"] == "failed"
    ]
    if not tests:
        failures = ["no test ran at all"]
    return {"selected": selected, **counts, "failures": failures}


def show(data: dict[str, Any]) -> list[str]:
    """Return the counts, and the failures by name."""
    lines = [
        f"`{data['command']}`: {data['passed']} passed, {data['failed']} failed, "
        f"{data['skipped']} skipped, of {data['selected']} selected."
    ]
    if data["stopped"]:
        lines[0] += " Its time was over before all of them had run."
    return [*lines, *([""] if data["failures"] else []), *(
        f"- {failure}" for failure in data["failures"]
    )]  # fmt: skip
