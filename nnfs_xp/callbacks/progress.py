"""The epochs as they end: one plain line for each, and a bar on a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

from nnfs_xp.callbacks.base import BatchEvent, Callback

_SECONDS_BETWEEN_READINGS = 0.2
# Entries of a record that describe the run, not the network.
_NOT_FIGURES = {"epoch", "seconds", "samples_per_second", "learning_rate"}
_VALIDATION = "validation_"
# Terminal columns below which the bar is short, and the lengths of a long and a short
# bar.
_WIDE, _LONG_BAR, _SHORT_BAR = 100, 24, 10
# Columns at the far right: a space, and the remaining time.
_REMAINING = 8


class PrintEpochs(Callback):
    """Print one line for each epoch, as ``Model.fit(verbose=True)`` does.

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

    on_every_rank = False

    def __init__(self, unit: str = "samples") -> None:
        self.unit = unit
        self.last = 0

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember how many epochs there will be."""
        self.last = model.epochs_trained + epochs

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Print the record."""
        terminal = _is_terminal(sys.stdout)
        width = shutil.get_terminal_size().columns if terminal else None
        self.show(epoch_line(record, self.last, unit=self.unit, width=width))

    def show(self, line: str) -> None:
        """Print a line at once, so that a pipe shows it while training runs."""
        print(line, flush=True)


class Progress(PrintEpochs):
    """Show a progress bar during each epoch, below one line for each epoch.

    Figures in brackets are those of the validation data. On a narrow terminal, the bar
    omits what does not fit: first the speed, then the figures.

    In a notebook, the bar is shown in the output of the cell. If standard output is
    neither a terminal nor a notebook, such as a pipe or a file, only the lines are
    printed, as by `PrintEpochs`. The loss and the metrics next to the bar are those of
    the epoch so far; they are read from the device a few times a second.

    Parameters
    ----------
    unit : str, default "samples"
        What a sample is called, such as ``"images"``.

    Examples
    --------
    >>> from nnfs_xp import SGD, Dense, Model, Progress, Softmax
    >>> model = Model(
    ...     [Dense(2, 2), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer=SGD(0.1),
    ... )
    >>> x, y = [[0, 1], [1, 0]], [0, 1]
    >>> history = model.fit(x, y, epochs=2, callbacks=Progress())  # doctest: +ELLIPSIS
    epoch 1/2  loss ...  accuracy ...  ... samples/s
    epoch 2/2  loss ...  accuracy ...  ... samples/s
    """

    # A bar moves several times a second.
    batch_interval = None

    def __init__(self, unit: str = "samples") -> None:
        super().__init__(unit)
        self._bar: Any = None
        self._shown: Any = None
        self._read_at = self._epoch_began = 0.0

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember how much there is to do."""
        super().on_fit_begin(model, epochs, batches)
        self._total, self._parts = epochs * batches, list[str]()
        self._first = model.epochs_trained + 1

    def on_epoch_begin(self, epoch: int) -> None:
        """Show the bar, if there is a terminal to show it on."""
        # Not earlier: another callback may still find that it cannot begin, and then
        # nothing would remove the bar.
        if self._bar is None and (_is_terminal(sys.stdout) or _is_notebook()):
            self._start_bar(epoch)
        self._epoch_began = time.perf_counter()

    def on_batch_end(self, event: BatchEvent) -> None:
        """Move the bar; read the figures a few times a second."""
        if self._bar is None:
            return
        now, moved = time.perf_counter(), False
        # Reading waits for the device, and would slow it down at every batch.
        if now - self._read_at >= _SECONDS_BETWEEN_READINGS:
            self._read_at = now
            speed = event.samples / (now - self._epoch_began)
            shown = f"{speed:,.0f} {self.unit}/s"
            self._parts = [*figure_texts(event.figures()), shown]
            moved = True
        before = f"epoch {event.epoch}/{event.epochs}"
        after = f"batch {event.batch}/{event.batches} "
        width = self._bar.console.width
        left = width - len(before) - _bar_width(width) - len(after) - 2 - _REMAINING
        after += "  ".join(_that_fit(self._parts, left))
        done = (event.epoch - self._first) * event.batches + event.batch
        self._bar.update(self._task, completed=done, before=before, after=after)
        if moved and self._shown is not None:
            self._shown.update(self._bar)

    def on_fit_end(self) -> None:
        """Remove the bar."""
        if self._shown is not None:
            # The output of a notebook can be cleared, but not removed.
            self._shown.update({"text/plain": ""}, raw=True)
            self._bar = self._shown = None
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def show(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar is None or self._shown is not None:
            super().show(line)
        else:
            self._bar.console.print(line, highlight=False, markup=False)

    def _start_bar(self, epoch: int) -> None:
        import rich
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("{task.fields[before]}"),
            progress.BarColumn(bar_width=_bar_width(rich.get_console().width)),
            progress.TextColumn("{task.fields[after]}", markup=False),
            progress.TimeRemainingColumn(),
            transient=True,
        )
        texts = {"before": f"epoch {epoch}/{self.last}", "after": ""}
        self._task = self._bar.add_task("", total=self._total, **texts)
        if _is_notebook():
            from IPython.display import display

            self._shown = display(self._bar, display_id=True)
        else:
            self._bar.start()
        self._read_at = time.perf_counter()


def _that_fit(parts: list[str], width: int) -> Iterator[str]:
    """Yield as many of the first parts as fit in a width."""
    for part in parts:
        width -= len(part)
        if width < 0:
            return
        yield part
        width -= 2


def _bar_width(width: int) -> int:
    return _SHORT_BAR if width < _WIDE else _LONG_BAR


def _is_notebook() -> bool:
    """Return whether this runs in a kernel of Jupyter, whose cells show outputs."""
    shell = sys.modules.get("IPython")
    running = None if shell is None else shell.get_ipython()
    return hasattr(running, "kernel")


def _is_terminal(stream: Any) -> bool:
    """Return whether a bar can move. A stream may be None, closed, or without this."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def epoch_line(
    record: dict[str, Any], last: int, unit: str = "samples", width: int | None = None
) -> str:
    """Return the record of an epoch as one line of text, or more if these must fit.

    A figure of the validation data follows that of the training in brackets.
    """
    speed = f"{record['samples_per_second']:,.0f} {unit}/s"
    lines = [f"epoch {record['epoch']}/{last}"]
    for part in [*figure_texts(record), speed]:
        if width is not None and len(lines[-1]) + 2 + len(part) > width:
            lines.append("")
        lines[-1] += f"  {part}"
    return "\n".join(lines)


def figure_texts(figures: dict[str, Any]) -> list[str]:
    """Return name and value of every figure that is a single number."""
    shown = {
        name: f"{value:.4f}"
        for name, value in figures.items()
        if isinstance(value, float) and name not in _NOT_FIGURES
    }
    texts = []
    for name, value in shown.items():
        if name.removeprefix(_VALIDATION) in shown.keys() - {name}:
            continue
        held_out = shown.get(_VALIDATION + name)
        bracket = "" if held_out is None else f" ({held_out})"
        texts.append(f"{name.replace('_', ' ')} {value}{bracket}")
    return texts
