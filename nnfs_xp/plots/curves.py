"""Loss and accuracy over the epochs of a training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import MaxNLocator

from nnfs_xp.plots import style
from nnfs_xp.plots.checks import check_history

# With more epochs than this the markers would run into each other.
_MOST_MARKERS = 30
# Ticks are multiples of these, or of these times a power of ten.
_STEPS = (1, 2, 5, 10)


def learning_curves(history: Sequence[Mapping[str, float]]) -> Figure:
    """Return two panels, loss and accuracy over the epochs.

    Parameters
    ----------
    history : sequence of mappings
        One mapping per epoch, such as ``History.epochs``, with the keys
        ``epoch``, ``loss`` and ``accuracy`` (a share from 0 to 1), and
        optionally ``validation_loss`` and ``validation_accuracy``. Other keys
        are ignored, and an epoch without validation is left out of those
        lines.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with the loss on its first axes.

    Raises
    ------
    InputError
        If `history` is empty, an epoch lacks a key, or epochs do not rise.

    Examples
    --------
    >>> from nnfs_xp.plots import learning_curves
    >>> figure = learning_curves([{"epoch": 1, "loss": 0.5, "accuracy": 0.8}])
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['Loss', 'Accuracy']
    """
    figure = style.new_figure(9.6, 3.4)
    draw_learning_curves(figure, history)
    return figure


def draw_learning_curves(
    panel: FigureBase, history: Sequence[Mapping[str, float]]
) -> None:
    """Draw the two panels of `learning_curves` into a figure or subfigure.

    Parameters
    ----------
    panel : matplotlib.figure.Figure or matplotlib.figure.SubFigure
        Where to draw; two axes are added to it.
    history : sequence of mappings
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
    records = check_history(history)
    loss_ax, accuracy_ax = panel.subplots(1, 2)
    _draw_lines(loss_ax, records, "loss", lambda value: f"{value:.3g}")
    style.set_labels(loss_ax, "epoch", "loss (mean per example)")
    _draw_lines(accuracy_ax, records, "accuracy", style.percent)
    style.set_labels(accuracy_ax, "epoch", "accuracy (%)")
    accuracy_ax.yaxis.set_major_formatter(style.PercentTicks())
    # The margin around the lines must not suggest an accuracy beyond 100 %.
    low, high = accuracy_ax.get_ylim()
    accuracy_ax.set_ylim(max(low, 0.0), min(high, 1.0))


def _draw_lines(
    ax: Axes, records: list[dict[str, float]], key: str, form: Callable[[float], str]
) -> None:
    style.style_axes(ax)
    epochs = [record["epoch"] for record in records]
    for series, name, color, marker, dashes in (
        (key, "training", style.BLUE, "o", "-"),
        (f"validation_{key}", "validation", style.VERMILLION, "s", "--"),
    ):
        shown = [(r["epoch"], r[series]) for r in records if series in r]
        if not shown:
            continue
        x, y = zip(*shown, strict=True)
        label = f"{name} {form(y[-1])}"
        look = dashes + (marker if len(epochs) <= _MOST_MARKERS else "")
        # Not clipped: a line along 100 % would lose half of its width.
        ax.plot(x, y, look, color=color, lw=1.8, ms=4.5, label=label, clip_on=False)
    style.set_title(ax, key.capitalize())
    style.set_legend_above(ax)
    ax.margins(y=0.08)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=_STEPS))
    # Half an epoch around them: no tick for an epoch 0 that never was, and
    # room for a single one.
    ax.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    locator = MaxNLocator(10, steps=_STEPS, integer=True, min_n_ticks=1)
    ax.xaxis.set_major_locator(locator)
