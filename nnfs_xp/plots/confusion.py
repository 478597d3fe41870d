"""Which classes are taken for which."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nnfs_xp.plots.checks import check_predictions
from nnfs_xp.plots.names import break_names, fit_names, names_width
from nnfs_xp.plots.style import (
    EDGE,
    INK,
    LABEL,
    SHARES,
    TICK,
    TITLE,
    PercentTicks,
    new_figure,
    percent,
    set_labels,
    set_title,
    size_in_inches,
    style_axes,
    text_width,
)

# Numbers smaller than this many points cannot be read, and are left out.
_SMALLEST_NUMBER = 5.0
_LARGEST_NUMBER = 10.0


def confusion_matrix(
    y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """Return how often each class was predicted for each true class.

    A cell shows the number of examples, and its colour their share of the
    true class, so that classes of different sizes compare. Numbers are left
    out when the cells are too small for them. The row of a class without
    examples is grey.

    Parameters
    ----------
    y_true : numpy.ndarray of shape (n,)
        True labels, integers from 0.
    y_pred : numpy.ndarray of shape (n,)
        Predicted labels.
    class_names : sequence of str
        One name per class.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; its title states the accuracy.

    Raises
    ------
    InputError
        If the lengths differ, nothing was given, or a label has no name.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import confusion_matrix
    >>> figure = confusion_matrix(
    ...     np.array([0, 0, 1]), np.array([0, 1, 1]), ["cat", "dog"]
    ... )
    >>> figure.axes[0].get_title(loc="left")
    'Confusion matrix: accuracy 66.7 % (2 of 3)'
    """
    _, _, names = check_predictions(y_true, y_pred, class_names)
    side = min(max(4.2, 0.5 * len(names)), 10.0)
    margin = names_width(names)
    figure = new_figure(side + margin + 1.1, side + 0.7 * margin + 0.7)
    ax = figure.subplots()
    draw_confusion_matrix(ax, y_true, y_pred, names)
    # Only now is it known how much of the figure the names take, and so how
    # large it must be for square cells.
    width, height = size_in_inches(ax)
    whole = figure.get_size_inches()
    figure.set_size_inches(whole[0] + side - width, whole[1] + side - height)
    return figure


def draw_confusion_matrix(
    ax: Axes, y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> None:
    """Draw `confusion_matrix` into an axes, with a colour bar beside it.

    The figure is laid out once to learn how large the cells are. So call it
    after everything else in the figure is in place.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    y_true, y_pred, class_names
        As for `confusion_matrix`.

    Raises
    ------
    InputError
        As for `confusion_matrix`.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from nnfs_xp.plots import draw_confusion_matrix
    >>> ax = Figure().subplots()
    >>> draw_confusion_matrix(ax, np.array([0, 1]), np.array([0, 0]), ["cat", "dog"])
    >>> ax.get_title(loc="left")
    'Confusion matrix: accuracy 50.0 % (1 of 2)'
    """
    true, predicted, names = check_predictions(y_true, y_pred, class_names)
    counts = count_pairs(true, predicted, len(names))
    shares = shares_of(counts, counts.sum(axis=1, keepdims=True))

    style_axes(ax, grid=None)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0)
    image = ax.imshow(
        np.ma.masked_invalid(shares),
        cmap=SHARES,
        vmin=0.0,
        vmax=1.0,
        interpolation="nearest",
        origin="upper",
        # Constrained layout does not settle on axes of a fixed aspect.
        aspect="auto",
    )
    right = int(np.trace(counts))
    title = f"Confusion matrix: accuracy {percent(right / len(true))}"
    detail = f"({right:,} of {len(true):,})"
    set_title(ax, f"{title} {detail}")
    set_labels(ax, "predicted class", "true class")
    _draw_color_bar(ax, image)
    _label_classes(ax, names, 1.0)

    width, height = size_in_inches(ax)
    cell = min(width, height) / len(names)
    # The title may reach over the colour bar, but not over its numbers.
    if text_width(f"{title} {detail}", TITLE, "bold") > width + 0.15:
        set_title(ax, f"{title}\n{detail}")
    _label_classes(ax, names, cell)
    if cell > 0.15:
        _separate_cells(ax, len(names))
    _draw_numbers(ax, counts, shares, cell)


def count_pairs(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return the number of examples of each (true, predicted) pair of classes."""
    pairs = np.bincount(true * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def shares_of(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return `part` / `whole`, and NaN where there is nothing to share."""
    shares = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def _label_classes(ax: Axes, names: list[str], cell: float) -> None:
    turned = names_width(names) > 0.9 * cell
    # At 45 degrees the lines of two names are closer than their cells.
    size, every = fit_names(names, cell * math.sqrt(0.5) if turned else cell)
    places = range(0, len(names), every)
    labels = break_names(names)[::every]
    ax.set_yticks(places, labels, size=size, parse_math=False, linespacing=1.1)
    ax.set_xticks(
        places,
        labels,
        size=size,
        rotation=45 if turned else 0,
        ha="right" if turned else "center",
        va="center" if turned else "top",
        # About the end of the name, which so stays below its own column.
        rotation_mode="anchor" if turned else "default",
        parse_math=False,
        linespacing=1.1,
    )
    # The corner of a turned name must not reach up into the matrix.
    lines = max(label.count("\n") + 1 for label in labels)
    ax.tick_params(axis="x", pad=1 + 0.45 * size * lines if turned else 4)


def _draw_color_bar(ax: Axes, image: ScalarMappable) -> None:
    bar = ax.figure.colorbar(image, ax=ax, aspect=36, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=TICK, labelcolor=INK, color=EDGE, length=3)
    bar.ax.yaxis.set_major_formatter(PercentTicks())
    bar.set_label("share of the true class (%)", size=LABEL, color=INK)


def _separate_cells(ax: Axes, classes: int) -> None:
    edges = np.arange(1, classes) - 0.5
    ax.set_xticks(edges, minor=True)
    ax.set_yticks(edges, minor=True)
    ax.tick_params(which="minor", length=0)
    ax.grid(True, which="minor", color="white", linewidth=1.0, linestyle="-")
    ax.set_axisbelow(False)


def _draw_numbers(
    ax: Axes, counts: np.ndarray, shares: np.ndarray, cell: float
) -> None:
    widest = f"{counts.max():,}"
    size = min(_LARGEST_NUMBER, 0.8 * cell / text_width(widest, 1.0))
    size = min(size, 0.6 * cell * 72)
    if size < _SMALLEST_NUMBER:
        return
    colors = SHARES(np.ma.masked_invalid(shares))
    for row, column in np.ndindex(counts.shape):
        ax.text(
            column,
            row,
            f"{counts[row, column]:,}",
            size=size,
            color=readable_on(colors[row, column]),
            ha="center",
            va="center",
        )


def readable_on(background: Sequence[float]) -> str:
    """Return the text colour, white or dark, that stands out more.

    The contrast is that of the Web Content Accessibility Guidelines, a ratio
    of relative luminances.
    """
    luminance = _luminance(background)
    on_white = 1.05 / (luminance + 0.05)
    on_dark = (luminance + 0.05) / (_luminance(to_rgb(INK)) + 0.05)
    return "white" if on_white > on_dark else INK


def _luminance(color: Sequence[float]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in color[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
