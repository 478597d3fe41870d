"""How well each class is recognized, and which classes are confused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from nnfs_xp.plots import style
from nnfs_xp.plots.checks import check_predictions

# Numbers smaller than this many points cannot be read, and are omitted.
_SMALLEST_NUMBER = 5.0
_LARGEST_NUMBER = 10.0

# Height of a bar, of which each class has two, and the font size beside it.
_BAR = 0.36
_VALUE = style.TICK - 1


def confusion_matrix(
    y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """Return how often each class was predicted for each true class.

    A cell shows the number of examples, and its colour shows their share of the true
    class, so that classes of different sizes can be compared. Numbers are omitted if
    the cells are too small for them. The row of a class without examples is grey.

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
    margin = style.names_width(names)
    figure = style.new_figure(side + margin + 1.1, side + 0.7 * margin + 0.7)
    ax = figure.subplots()
    draw_confusion_matrix(ax, y_true, y_pred, names)
    # Only now is it known how much space the names take, and therefore how large the
    # figure must be for square cells.
    size = figure.get_size_inches() + side - style.size_in_inches(ax)
    figure.set_size_inches(*size)
    return figure


def draw_confusion_matrix(
    ax: Axes, y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> None:
    """Draw `confusion_matrix` into an axes, with a colour bar beside it.

    The figure is laid out once to measure the cells, so call this after everything else
    in the figure is in place.

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
    counts = _count_pairs(true, predicted, len(names))
    # Masked where a class has no examples.
    shares = np.ma.divide(counts, counts.sum(axis=1, keepdims=True))

    style.style_axes(ax, grid=None)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    image = ax.imshow(
        shares,
        cmap=style.SHARES,
        vmin=0.0,
        vmax=1.0,
        interpolation="nearest",
        origin="upper",
        # Constrained layout does not converge for axes with a fixed aspect.
        aspect="auto",
    )
    right = int(np.trace(counts))
    title = f"Confusion matrix: accuracy {style.percent(right / len(true))}"
    detail = f"({right:,} of {len(true):,})"
    style.set_title(ax, f"{title} {detail}")
    style.set_labels(ax, "predicted class", "true class")
    label, form = "share of the true class (%)", style.PercentTicks()
    bar = style.draw_color_bar([ax], image, label, aspect=36, format=form)
    bar.outline.set_visible(False)
    _label_classes(ax, names, 1.0)

    width, height = style.size_in_inches(ax)
    cell = min(width, height) / len(names)
    # The title may reach over the colour bar, but not over its numbers.
    if style.text_width(f"{title} {detail}", style.TITLE, "bold") > width + 0.15:
        style.set_title(ax, f"{title}\n{detail}")
    _label_classes(ax, names, cell)
    if cell > 0.15:
        edges = np.arange(1, len(names)) - 0.5
        ax.set_xticks(edges, minor=True)
        ax.set_yticks(edges, minor=True)
        ax.tick_params(which="minor", length=0)
        ax.grid(True, which="minor", color="white", linewidth=1.0, linestyle="-")
        ax.set_axisbelow(False)
    _draw_counts(ax, counts, shares, cell)


def class_scores(
    y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """Return recall and precision of each class as bars.

    Recall is the share of a class's examples that were found; precision is the share of
    the predictions of a class that were right. If there is nothing to divide by, a text
    replaces the bar. Numbers and texts are omitted if the bars are too thin for them.

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
        The figure.

    Raises
    ------
    InputError
        If the lengths differ, nothing was given, or a label has no name.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import class_scores
    >>> figure = class_scores(
    ...     np.array([0, 0, 1]), np.array([0, 1, 1]), ["cat", "dog"]
    ... )
    >>> [float(bar.get_width()) for bar in figure.axes[0].patches]
    [0.5, 1.0, 1.0, 0.5]
    """
    _, _, names = check_predictions(y_true, y_pred, class_names)
    figure = style.new_figure(5.6 + style.names_width(names), 1.4 + 0.42 * len(names))
    draw_class_scores(figure.subplots(), y_true, y_pred, names)
    return figure


def draw_class_scores(
    ax: Axes, y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> None:
    """Draw `class_scores` into an axes.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    y_true, y_pred, class_names
        As for `class_scores`.

    Raises
    ------
    InputError
        As for `class_scores`.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from nnfs_xp.plots import draw_class_scores
    >>> ax = Figure().subplots()
    >>> draw_class_scores(ax, np.array([0, 1]), np.array([0, 0]), ["cat", "dog"])
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['cat', 'dog']
    """
    true, predicted, names = check_predictions(y_true, y_pred, class_names)
    counts = _count_pairs(true, predicted, len(names))
    right = np.diagonal(counts)
    style.style_axes(ax, grid="x")
    places = np.arange(len(names))
    drawn = []
    look = dict[str, Any](height=_BAR, edgecolor="white", linewidth=0.6)
    for name, axis, offset, color, hatch, missing in (
        ("recall", 1, -_BAR / 2, style.BLUE, "", "no examples"),
        ("precision", 0, _BAR / 2, style.ORANGE, "////", "never predicted"),
    ):
        shares = np.ma.divide(right, counts.sum(axis=axis))
        texts = [missing if s is np.ma.masked else style.percent(s) for s in shares]
        look |= {"color": color, "hatch": hatch, "label": name}
        drawn.append((ax.barh(places + offset, shares.filled(0.0), **look), texts))
    ax.set(xlim=(0.0, 1.0), ylim=(len(names) - 0.4, -0.6))
    style.set_names(ax.yaxis, names, 1.0)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(style.PercentTicks())
    style.set_title(ax, "Recall and precision per class")
    style.set_labels(ax, "share (%)", "")
    style.set_legend_above(ax)

    slot = style.size_in_inches(ax)[1] / len(names)
    style.set_names(ax.yaxis, names, slot)
    if _BAR * slot * 72 >= _VALUE:
        for bars, texts in drawn:
            ax.bar_label(bars, texts, padding=3, size=_VALUE, color=style.GREY)


def _count_pairs(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return the number of examples of each (true, predicted) pair of classes."""
    pairs = np.bincount(true * classes + predicted, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def _label_classes(ax: Axes, names: list[str], cell: float) -> None:
    turned = style.names_width(names) > 0.9 * cell
    # At 45 degrees, the lines of two names are closer than their cells.
    inches = cell * math.sqrt(0.5) if turned else cell
    look: dict[str, Any] = {"rotation": 0, "ha": "center", "va": "top"}
    if turned:
        look = {"rotation": 45, "ha": "right", "va": "center"}
    # About the end of a turned name, which therefore stays below its own column.
    look["rotation_mode"] = "anchor" if turned else "default"
    style.set_names(ax.yaxis, names, inches)
    height = style.set_names(ax.xaxis, names, inches, **look)
    # The corner of a turned name must not reach up into the matrix.
    ax.tick_params(axis="x", pad=1 + 0.45 * height if turned else 4)


def _draw_counts(ax: Axes, counts: np.ndarray, shares: np.ndarray, cell: float) -> None:
    widest = style.text_width(f"{counts.max():,}", 1.0)
    size = min(_LARGEST_NUMBER, 0.8 * cell / widest, 0.6 * cell * 72)
    if size < _SMALLEST_NUMBER:
        return
    colors = style.SHARES(shares)
    for row, column in np.ndindex(counts.shape):
        number, color = f"{counts[row, column]:,}", readable_on(colors[row, column])
        ax.text(column, row, number, size=size, color=color, ha="center", va="center")


def readable_on(background: Sequence[float]) -> str:
    """Return the text colour, white or dark, that stands out more.

    The contrast is that of the Web Content Accessibility Guidelines, a ratio
    of relative luminances.
    """
    luminance = _luminance(background)
    on_white = 1.05 / (luminance + 0.05)
    on_dark = (luminance + 0.05) / (_luminance(to_rgb(style.INK)) + 0.05)
    return "white" if on_white > on_dark else style.INK


def _luminance(color: Sequence[float]) -> float:
    parts = np.array(color[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))
