"""Loss and metrics over the epochs of a training run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from nnfs_xp.errors import InputError
from nnfs_xp.history import History
from nnfs_xp.plots import style

Records = History | Sequence[Mapping[str, Any]]
# The values of each figure, and their epochs.
Series = dict[str, list[tuple[float, float]]]

_VALIDATION = "validation_"
# Entries of a record that are not drawn: times and the like, and the two parts of the
# loss.
_NOT_DRAWN = {
    "epoch", "time", "seconds", "samples_per_second", "learning_rate",
    "data_loss", "regularization_loss",
}  # fmt: skip
_COLUMNS = 2
_WIDTH, _HEIGHT = 4.8, 3.4
# A title wider than this many inches would meet the legend.
_TITLE_WIDTH = 1.1
# With more epochs than this the markers would run into each other.
_MOST_MARKERS = 30
# Ticks are multiples of these, or of these times a power of ten.
_STEPS = (1, 2, 5, 10)


def learning_curves(history: Records) -> Figure:
    """Return a panel for the loss and for each metric, over the epochs.

    Parameters
    ----------
    history : History or sequence of mappings
        What ``fit`` returns, or one mapping per epoch, such as the lines of a
        `nnfs_xp.JSONLog`. The key ``epoch`` is needed; ``loss`` and every other number
        is drawn, ``validation_loss`` and the like in the same panel. Figures whose
        names end in ``accuracy`` are shares from 0 to 1, written in percent. NaN and
        None, which stands for NaN in a JSON file, make a gap; a figure that an epoch
        lacks is omitted there. Times, the learning rate, the parts of the loss, and
        entries that are not numbers are not drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with the loss on its first axes.

    Raises
    ------
    InputError
        If `history` is empty or has nothing to draw, an epoch or a loss is not a
        number, or epochs do not rise.

    Examples
    --------
    >>> from nnfs_xp.plots import learning_curves
    >>> figure = learning_curves([{"epoch": 1, "loss": 0.5, "accuracy": 0.8}])
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['Loss', 'Accuracy']
    """
    rows, columns = curve_grid(history)
    figure = style.new_figure(_WIDTH * columns, _HEIGHT * rows)
    draw_learning_curves(figure, history)
    return figure


def draw_learning_curves(panel: FigureBase, history: Records) -> None:
    """Draw the panels of `learning_curves` into a figure or subfigure.

    Parameters
    ----------
    panel : matplotlib.figure.Figure or matplotlib.figure.SubFigure
        Where to draw; an axes for each panel is added to it, two in a row.
    history : History or sequence of mappings
        As for `learning_curves`.

    Raises
    ------
    InputError
        As for `learning_curves`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from nnfs_xp.plots import draw_learning_curves
    >>> figure = Figure()
    >>> draw_learning_curves(figure, [{"epoch": 1, "loss": 0.5, "accuracy": 0.8}])
    >>> len(figure.axes)
    2
    """
    series = _series(history)
    names = _panels(series)
    axes = style.grid_of(panel, len(names), min(len(names), _COLUMNS))
    for ax, name in zip(axes, names, strict=True):
        _draw_lines(ax, series, name)


def curve_grid(history: Records) -> tuple[int, int]:
    """Return in how many rows and columns `learning_curves` draws its panels."""
    panels = len(_panels(_series(history)))
    return math.ceil(panels / _COLUMNS), min(panels, _COLUMNS)


def _draw_lines(ax: Axes, series: Series, name: str) -> None:
    style.style_axes(ax)
    is_share = name.endswith("accuracy")
    epochs = [epoch for epoch, _ in series["epoch"]]
    for key, kind, color, marker, dashes in (
        (name, "training", style.BLUE, "o", "-"),
        (_VALIDATION + name, "validation", style.VERMILLION, "s", "--"),
    ):
        if key not in series:
            continue
        x, y = zip(*series[key], strict=True)
        label = f"{kind} {style.percent(y[-1]) if is_share else f'{y[-1]:.3g}'}"
        look = dashes + (marker if len(epochs) <= _MOST_MARKERS else "")
        # Not clipped: a line along 100 % would lose half of its width.
        ax.plot(x, y, look, color=color, lw=1.8, ms=4.5, label=label, clip_on=False)
    words = name.replace("_", " ")
    title = words[:1].upper() + words[1:]
    style.set_title(ax, style.wrap(title, _TITLE_WIDTH, style.TITLE, "bold"))
    style.set_legend_above(ax)
    ax.margins(y=0.08)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=_STEPS))
    if is_share:
        ax.yaxis.set_major_formatter(style.PercentTicks())
        # The margin around the lines must not suggest an accuracy beyond 100 %.
        low, high = ax.get_ylim()
        ax.set_ylim(max(low, 0.0), min(high, 1.0))
    unit = {"loss": " (mean per example)"}.get(name, " (%)" if is_share else "")
    style.set_labels(ax, "epoch", words + unit)
    # Half an epoch on either side: no tick for an epoch 0 that does not exist, and room
    # for a single epoch.
    ax.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    locator = MaxNLocator(10, steps=_STEPS, integer=True, min_n_ticks=1)
    ax.xaxis.set_major_locator(locator)


def _panels(series: Series) -> list[str]:
    """Return the names of what is drawn, the loss first."""
    names = dict.fromkeys(name.removeprefix(_VALIDATION) for name in series)
    return sorted((n for n in names if n not in _NOT_DRAWN), key=lambda n: n != "loss")


def _series(history: Records) -> Series:
    """Return the numbers of all epochs by their names, checked."""
    records = history.epochs if isinstance(history, History) else history
    if isinstance(records, str) or not isinstance(records, Sequence):
        raise InputError(
            "history must be a sequence of mappings, such as the epochs of a "
            f"History, got a {type(records).__name__}"
        )
    if not records:
        raise InputError("history must have at least one epoch, got none")
    series: Series = {}
    for number, record in enumerate(records):
        name = f"history[{number}]"
        if not isinstance(record, Mapping) or "epoch" not in record:
            raise InputError(f"{name} must be a mapping with an epoch, got {record!r}")
        numbers = dict(_numbers(name, record))
        epoch = numbers["epoch"]
        if not math.isfinite(epoch):
            raise InputError(f"{name}['epoch'] must be finite, got {epoch}")
        before = series["epoch"][-1][0] if series else -math.inf
        if not before < epoch:
            raise InputError(
                f"history must have rising epochs, got {epoch:g} after {before:g} "
                f"at {name}"
            )
        for key, value in numbers.items():
            series.setdefault(key, []).append((epoch, value))
    if not _panels(series):
        found = ", ".join(series)
        raise InputError(f"history must have a loss or a metric, got only {found}")
    return series


def _numbers(name: str, record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the entries of a record that are numbers, with NaN for None."""
    for key, value in record.items():
        try:
            yield str(key), math.nan if value is None else float(value)
        except (TypeError, ValueError):
            if key in ("epoch", "loss"):
                message = f"{name}['{key}'] must be a number, got {value!r}"
                raise InputError(message) from None
