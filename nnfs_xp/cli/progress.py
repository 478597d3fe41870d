"""Live progress on a terminal, one plain line for each epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from nnfs_xp.callbacks import BatchEvent, Callback, epoch_line

_SECONDS_BETWEEN_READINGS = 0.2


def progress_for_here(unit: str) -> Callback:
    """Return the callback that suits standard output.

    Parameters
    ----------
    unit : str
        What a sample is called, such as ``"images"``.
    """
    return LiveProgress(unit) if sys.stdout.isatty() else PlainProgress(unit)


class PlainProgress(Callback):
    """One line for each epoch, for files and pipes."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.last = 0

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember how many epochs there will be."""
        self.last = model.epochs_trained + epochs

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Print the record of the epoch."""
        self.show(epoch_line(record, self.last, unit=self.unit))

    def show(self, line: str) -> None:
        """Print a line at once, so that a pipe shows it while training runs."""
        print(line, flush=True)


class LiveProgress(PlainProgress):
    """The same lines above a bar that moves within each epoch."""

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Show the bar."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().on_fit_begin(model, epochs, batches)
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=24),
            TextColumn("batch {task.fields[batch]}/{task.fields[batches]}"),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            transient=True,
        )
        self.task = self.bar.add_task(
            "train",
            total=epochs * batches,
            epoch=model.epochs_trained + 1,
            epochs=self.last,
            batch=0,
            batches=batches,
            figures="",
        )
        self.bar.start()
        self.read_at = self.epoch_began = time.perf_counter()

    def on_batch_end(self, event: BatchEvent) -> None:
        """Move the bar; read loss and accuracy a few times a second."""
        now = time.perf_counter()
        figures: dict[str, Any] = {}
        # Reading waits for the device, which would spoil its pace if it were
        # done at every batch.
        if now - self.read_at >= _SECONDS_BETWEEN_READINGS:
            self.read_at = now
            read = event.figures()
            speed = event.samples / (now - self.epoch_began)
            parts = [f"{name} {value:.4f}" for name, value in read.items()]
            figures["figures"] = "  ".join([*parts, f"{speed:,.0f} {self.unit}/s"])
        self.bar.update(
            self.task, advance=1, epoch=event.epoch, batch=event.batch, **figures
        )

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Print the record of the epoch above the bar."""
        super().on_epoch_end(record)
        self.epoch_began = time.perf_counter()

    def on_fit_end(self) -> None:
        """Take the bar away."""
        self.bar.stop()

    def show(self, line: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(line, highlight=False, markup=False)
