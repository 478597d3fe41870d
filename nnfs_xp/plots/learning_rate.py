"""The loss over a rising learning rate."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from nnfs_xp.plots import style
from nnfs_xp.plots.checks import check_is


def learning_rate_curve(found: Any) -> Figure:
    """Return a picture of a learning-rate range test.

    The loss of each step is grey, and its running mean blue. A dashed line marks the
    suggested rate.

    Parameters
    ----------
    found : LearningRateRange
        What `nnfs_xp.learning_rate_range` returns.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, with one axes.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, Softmax, learning_rate_range
    >>> from nnfs_xp.plots import learning_rate_curve
    >>> model = Model(
    ...     [Dense(2, 2), Softmax()], loss="categorical_crossentropy", optimizer="adam"
    ... )
    >>> found = learning_rate_range(model, [[0, 1], [1, 0]], [0, 1], steps=20)
    >>> [line.get_label() for line in learning_rate_curve(found).axes[0].lines][:2]
    ['loss of a step', 'running mean']
    """
    check_is("LearningRateRange", found, "found", "rates", "smoothed", "suggestion")
    figure = style.new_figure(6.4, 4.0)
    ax = figure.subplots()
    style.style_axes(ax)
    ax.plot(found.rates, found.losses, color=style.EDGE, lw=1.2, label="loss of a step")
    ax.plot(found.rates, found.smoothed, color=style.BLUE, lw=1.8, label="running mean")
    suggestion = f"suggested {found.suggestion:.2g}"
    ax.axvline(found.suggestion, color=style.VERMILLION, ls="--", label=suggestion)
    low, high = min(found.losses), max(found.smoothed[0], found.losses[0])
    # A loss that explodes would leave no room for the rest.
    ax.set_ylim(low - 0.1 * abs(high - low), high + 0.5 * abs(high - low))
    ax.set_xscale("log")
    style.set_title(ax, "Learning-rate range")
    style.set_legend_above(ax)
    style.set_labels(ax, "learning rate", "loss")
    return figure
