"""How well each class is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnfs_xp.plots.checks import check_predictions
from nnfs_xp.plots.confusion import count_pairs, shares_of
from nnfs_xp.plots.names import break_names, fit_names, names_width
from nnfs_xp.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    TICK,
    PercentTicks,
    new_figure,
    percent,
    set_labels,
    set_legend_above,
    set_title,
    size_in_inches,
    style_axes,
)

_BAR = 0.36
_VALUE = TICK - 1


def class_scores(
    y_true: np.ndarray, y_pred: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """Return recall and precision of each class as bars.

    Recall is the share of a class's examples that were found; precision is
    the share of the predictions of a class that were right. Where there is
    nothing to divide by, words stand in for the bar. Numbers and words are left
    out when the bars are too thin for them.

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
    figure = new_figure(5.6 + names_width(names), 1.4 + 0.42 * len(names))
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
    counts = count_pairs(true, predicted, len(names))
    right = np.diagonal(counts)
    recall = shares_of(right, counts.sum(axis=1))
    precision = shares_of(right, counts.sum(axis=0))

    style_axes(ax, grid="x")
    places = np.arange(len(names))
    for name, offset, shares, color, hatch in (
        ("recall", -_BAR / 2, recall, BLUE, ""),
        ("precision", _BAR / 2, precision, ORANGE, "////"),
    ):
        ax.barh(
            places + offset,
            np.nan_to_num(shares),
            height=_BAR,
            color=color,
            edgecolor="white",
            hatch=hatch,
            linewidth=0.6,
            label=name,
        )
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(len(names) - 0.4, -0.6)
    _label_classes(ax, names, 1.0)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_formatter(PercentTicks())
    set_title(ax, "Recall and precision per class")
    set_labels(ax, "share (%)", "")
    set_legend_above(ax)

    slot = size_in_inches(ax)[1] / len(names)
    _label_classes(ax, names, slot)
    if _BAR * slot * 72 >= _VALUE:
        _write_values(ax, places - _BAR / 2, recall, "no examples")
        _write_values(ax, places + _BAR / 2, precision, "never predicted")


def _label_classes(ax: Axes, names: list[str], slot: float) -> None:
    size, every = fit_names(names, slot)
    ax.set_yticks(
        range(0, len(names), every),
        break_names(names)[::every],
        size=size,
        parse_math=False,
        linespacing=1.1,
    )


def _write_values(
    ax: Axes, places: np.ndarray, shares: np.ndarray, missing: str
) -> None:
    for place, share in zip(places, shares, strict=True):
        known = np.isfinite(share)
        ax.annotate(
            percent(share) if known else missing,
            (share if known else 0.0, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            size=_VALUE,
            color=GREY,
        )
