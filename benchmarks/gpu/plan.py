"""The sections, in the order in which they run, and how time is given to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

BUDGET_SECONDS = 460.0


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    key : str
        Its name on the command line and in the JSON file.
    title : str
        Its heading.
    module : str
        Where its ``run`` and ``show`` are.
    least, most : float
        Seconds below which it is not worth starting, and at which it is stopped.
    """

    key: str
    title: str
    module: str
    least: float
    most: float


# What cannot be had elsewhere comes first; the tests take what is left. Libraries are
# loaded and kernels compiled before, so that no other section pays for it.
SECTIONS = (
    Section("startup", "Start-up", "benchmarks.gpu.startup", 10, 60),
    Section("checks", "Right on the device", "benchmarks.gpu.first_run.checks", 20, 90),
    Section("parity", "Parity with NumPy", "benchmarks.gpu.parity", 10, 60),
    Section("steps", "One training step", "benchmarks.gpu.steps", 30, 230),
    Section("limits", "Share of the limits", "benchmarks.gpu.limits", 10, 40),
    Section("timings", "What to tune", "benchmarks.gpu.first_run.timings", 10, 60),
    Section("counts", "What a step asks for", "benchmarks.gpu.counts", 10, 40),
    Section("memory", "Memory", "benchmarks.gpu.memory", 10, 40),
    Section("matrix", "The tests with CuPy", "benchmarks.gpu.matrix", 30, 240),
    Section("notebooks", "Notebooks", "benchmarks.gpu.notebooks", 5, 120),
)


def seconds_for(
    section: Section, later: Sequence[Section], left: float, slower: float = 1.0
) -> float:
    """Return the seconds that a section may take; 0 if it has to be skipped.

    Parameters
    ----------
    section : Section
        The next one.
    later : sequence of Section
        Those after it, of which each keeps the least that it needs.
    left : float
        Seconds left of the whole budget.
    slower : float
        How many times as long a section may take, where times mean nothing.
    """
    free = left - sum(other.least for other in later)
    # Rather the sections after it go without than this one, which comes first.
    allowed = min(slower * section.most, max(free, min(left, section.least)))
    return allowed if allowed >= section.least else 0.0
