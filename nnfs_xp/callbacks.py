"""Callbacks: what a training loop tells those who watch it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from nnfs_xp.errors import InputError


@dataclasses.dataclass(frozen=True)
class BatchEvent:
    """Where a training run stands after a batch.

    Attributes
    ----------
    epoch, epochs : int
        The current epoch, counted from 1, and the last one.
    batch, batches : int
        The current batch of the epoch, counted from 1, and the last one.
    samples : int
        Samples seen in this epoch.
    figures : callable
        Returns ``loss`` and ``accuracy`` of the epoch so far. It reads them
        back from the device and so waits for it: call it a few times a
        second, not at every batch.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    samples: int
    figures: Callable[[], dict[str, float]]


class Callback:
    """Base of all callbacks; every method does nothing until overridden.

    Examples
    --------
    >>> from nnfs_xp import Callback
    >>> class PrintLoss(Callback):
    ...     def on_epoch_end(self, record):
    ...         print(record["epoch"], record["loss"])
    """

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Be told that training starts."""

    def on_batch_end(self, event: BatchEvent) -> None:
        """Be told that a batch was learned."""

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Be given the record of an epoch, as it enters the history."""

    def on_fit_end(self) -> None:
        """Be told that training is over, also when it was interrupted."""


def check_callbacks(value: Any) -> list[Callback]:
    """Return callbacks as a list, from a sequence, a single one, or None."""
    if value is None:
        return []
    if isinstance(value, Callback):
        return [value]
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(item, Callback) for item in value
    ):
        raise InputError(f"callbacks must hold Callback objects only, got {value!r}")
    return list(value)


class PrintEpochs(Callback):
    """One plain line for each epoch."""

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember how many epochs there will be."""
        self.last = model.epochs_trained + epochs

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Print the record."""
        print(epoch_line(record, self.last), flush=True)


def epoch_line(record: dict[str, Any], last: int, unit: str = "samples") -> str:
    """Return the record of an epoch as one line of text."""
    parts = [f"epoch {record['epoch']}/{last}"]
    for prefix, label in (("", ""), ("validation_", "validation ")):
        if prefix + "loss" in record:
            parts.append(f"{label}loss {record[prefix + 'loss']:.4f}")
        if prefix + "accuracy" in record:
            parts.append(f"{label}accuracy {record[prefix + 'accuracy']:.4f}")
    parts.append(f"{record['samples_per_second']:,.0f} {unit}/s")
    return "  ".join(parts)
