"""One plain line for each epoch."""

from __future__ import annotations

from typing import Any

from nnfs_xp.callbacks.base import Callback

# What a record tells of the run, and not of the network.
_NOT_FIGURES = {"epoch", "seconds", "samples_per_second", "learning_rate"}


class PrintEpochs(Callback):
    """One plain line for each epoch, as ``Model.fit(verbose=True)`` prints it.

    Parameters
    ----------
    unit : str, default "samples"
        What a sample is called, such as ``"images"``.

    Examples
    --------
    >>> from nnfs_xp import PrintEpochs
    >>> watch = PrintEpochs(unit="images")
    >>> watch.last = 3
    >>> watch.on_epoch_end({"epoch": 1, "loss": 0.5, "samples_per_second": 2000.0})
    epoch 1/3  loss 0.5000  2,000 images/s
    """

    def __init__(self, unit: str = "samples") -> None:
        self.unit = unit
        self.last = 0

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember how many epochs there will be."""
        self.last = model.epochs_trained + epochs

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Print the record."""
        self.show(epoch_line(record, self.last, unit=self.unit))

    def show(self, line: str) -> None:
        """Print a line at once, so that a pipe shows it while training runs."""
        print(line, flush=True)


def epoch_line(record: dict[str, Any], last: int, unit: str = "samples") -> str:
    """Return the record of an epoch as one line of text."""
    figures = {k: value for k, value in record.items() if k not in _NOT_FIGURES}
    speed = f"{record['samples_per_second']:,.0f} {unit}/s"
    return "  ".join([f"epoch {record['epoch']}/{last}", *figure_texts(figures), speed])


def figure_texts(figures: dict[str, Any]) -> list[str]:
    """Return name and value of every figure that is a single number."""
    return [
        f"{name.replace('_', ' ')} {value:.4f}"
        for name, value in figures.items()
        if isinstance(value, float)
    ]
