"""The lines that the book's training loop prints."""

from __future__ import annotations

from typing import Any

from nnfs_xp.callbacks import BatchEvent, Callback


class PrintSteps(Callback):
    """Prints steps, epochs and validation in the book's form.

    Parameters
    ----------
    every : int or None
        Print every this many steps, and the last step of an epoch; None prints no
        steps.
    """

    on_every_rank = False

    def __init__(self, every: int | None) -> None:
        self.every = every
        # If no steps are printed, the interval does not matter.
        self.batch_interval = every

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember the model, whose learning rate is printed."""
        self.model = model

    def on_epoch_begin(self, epoch: int) -> None:
        """Print the number of the epoch."""
        print(f"epoch: {epoch}")

    def on_batch_end(self, event: BatchEvent) -> None:
        """Print a step, counted from 0, if it is its turn."""
        step = event.batch - 1
        if self.every is None:
            return
        if step % self.every == 0 or event.batch == event.batches:
            figures = self._figures(event.batch_figures())
            print(f"step: {step}, {figures}, lr: {event.learning_rate}")

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Print the epoch and its validation."""
        rate = record["learning_rate"]
        print(f"training, {self._figures(record)}, lr: {rate}")
        if "validation_loss" in record:
            print(validation_line(self.model, record, "validation_"), flush=True)

    def _figures(self, figures: dict[str, Any]) -> str:
        data_loss = figures.get("data_loss", figures["loss"])
        penalty = figures.get("regularization_loss", 0.0)
        return (
            f"{_accuracy(self.model, figures)}loss: {figures['loss']:.3f} "
            f"(data_loss: {data_loss:.3f}, reg_loss: {penalty:.3f})"
        )


def validation_line(model: Any, figures: dict[str, Any], prefix: str = "") -> str:
    """Return what the book prints of a validation."""
    accuracy = _accuracy(model, figures, prefix)
    return f"validation, {accuracy}loss: {figures[prefix + 'loss']:.3f}"


def _accuracy(model: Any, figures: dict[str, Any], prefix: str = "") -> str:
    """Return the first metric that is a number, as the book's accuracy."""
    for metric in model.metrics:
        value = figures[prefix + metric.name]
        if isinstance(value, (int, float)):
            return f"acc: {value:.3f}, "
    return ""
