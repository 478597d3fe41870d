"""What is compared: training steps and whole epochs, predictions, and growth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from benchmarks import contenders
from benchmarks.contenders import Entry
from benchmarks.workloads import WORKLOADS, Workload

TITLES = {
    "steps": "one training step",
    "fit": "one step of whole epochs",
    "predict": "one prediction",
    "growth": "one training step as something grows",
}
# The small ones, of which an epoch takes little time; W7 is an epoch anyway.
FITTED = ("W1", "W2", "W3")


@dataclasses.dataclass(frozen=True)
class Case:
    """A column of a table: a workload, and who takes part in it.

    Attributes
    ----------
    section : str
    workload : Workload
    entries : sequence of Entry
    trains : bool
        Whether steps change the network.
    """

    section: str
    workload: Workload
    entries: Sequence[Entry]
    trains: bool = True

    @property
    def key(self) -> str:
        """Name of the column in results."""
        return self.workload.key


def cases_of(sections: Sequence[str], workloads: Sequence[str]) -> list[Case]:
    """Return the cases of some sections; `workloads` chooses steps and epochs."""
    makers = {
        "steps": lambda: [step_case(WORKLOADS[key]) for key in workloads],
        "fit": lambda: [epoch_case(WORKLOADS[k]) for k in workloads if k in FITTED],
        "predict": predictions,
        "growth": growth,
    }
    return [
        case for name, make in makers.items() if name in sections for case in make()
    ]


def step_case(workload: Workload) -> Case:
    """Return who takes steps of a workload, or goes through its epochs."""
    entries = contenders.EPOCHS if workload.whole else contenders.ENTRIES
    return Case("steps", workload, [e for e in entries if e.takes(workload)])


def epoch_case(workload: Workload) -> Case:
    """Return who goes through whole epochs of a workload."""
    epochs = dataclasses.replace(workload, key=f"{workload.key} fit", whole=True)
    return Case("fit", epochs, contenders.EPOCHS)


def predictions() -> list[Case]:
    """Return predictions of few rows, where calls are what takes time, and of many."""
    return [
        Case(
            "predict",
            Workload(f"P{rows}", "fashion-mnist-mini", (784, 128, 128, 10), rows, 1),
            contenders.PREDICTS,
            trains=False,
        )
        for rows in (1, 32, 1024)
    ]


def growth() -> list[Case]:
    """Return a network that grows in width, in depth, and in its batches."""
    grown = {f"width {n}": ((256, n, n, 10), 128) for n in (64, 256, 1024)}
    grown |= {f"depth {n}": ((256, *[256] * n, 10), 128) for n in (1, 4, 16)}
    grown |= {f"batch {n}": ((256, 256, 256, 10), n) for n in (1, 16, 1024)}
    entries = [e for e in contenders.ENTRIES if not e.small_only]
    return [
        Case("growth", Workload(key, "random", sizes, rows, 5), entries)
        for key, (sizes, rows) in grown.items()
    ]
