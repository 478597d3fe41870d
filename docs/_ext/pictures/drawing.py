"""What the pictures of the units share."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnfs_xp.plots.filters import SIGNED
from nnfs_xp.plots.style import (
    BLUE,
    EDGE,
    GREY,
    INK,
    LABEL,
    TICK,
    VERMILLION,
    new_figure,
    set_labels,
    set_legend_above,
    set_title,
    style_axes,
)

# The function itself is blue and whole, its derivative vermillion and dashed.
FUNCTION = {"color": BLUE, "linestyle": "-", "linewidth": 2.0}
SLOPE = {"color": VERMILLION, "linestyle": "--", "linewidth": 2.0}


def panels(
    count: int, width: float = 3.7, height: float = 3.1
) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many axes beside each other."""
    figure = new_figure(width * count + 0.2, height)
    return figure, list(figure.subplots(1, count, squeeze=False).flat)


def curves(
    ax: Axes,
    title: str,
    x: np.ndarray,
    lines: dict[str, tuple[np.ndarray, dict]],
    labels: tuple[str, str],
) -> None:
    """Draw some lines over x, with axes through 0 and a legend."""
    style_axes(ax)
    ax.axhline(0.0, color=GREY, linewidth=0.7)
    if x[0] < 0 < x[-1]:
        ax.axvline(0.0, color=GREY, linewidth=0.7)
    for name, (y, look) in lines.items():
        ax.plot(x, y, label=name, **look)
    ax.set_xlim(x[0], x[-1])
    ax.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    set_title(ax, title)
    set_labels(ax, *labels)
    if len(lines) > 1:
        set_legend_above(ax)


def numbers(ax: Axes, title: str, matrix: np.ndarray, largest: float) -> None:
    """Draw a matrix as coloured cells with their values in them."""
    matrix = np.atleast_2d(matrix)
    ax.imshow(matrix, cmap=SIGNED, norm=Normalize(-largest, largest), aspect="equal")
    for (row, column), value in np.ndenumerate(matrix):
        dark = abs(value) > 0.55 * largest
        ax.text(
            column,
            row,
            f"{value:.2g}",
            ha="center",
            va="center",
            size=TICK,
            color="white" if dark else INK,
        )
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(EDGE)
    set_title(ax, title)


def scale_of_colours(
    figure: Figure, axes: list[Axes], largest: float, label: str
) -> None:
    """Draw what the colours of `numbers` mean."""
    bar = figure.colorbar(
        ScalarMappable(Normalize(-largest, largest), SIGNED), ax=axes, aspect=25
    )
    bar.outline.set_edgecolor(EDGE)
    bar.ax.tick_params(labelsize=TICK, labelcolor=INK, color=EDGE, length=3)
    bar.set_label(label, size=LABEL, color=INK)


def matrices(parts: dict[str, np.ndarray], label: str = "value") -> Figure:
    """Return a row of matrices with one scale of colours."""
    shapes = [np.atleast_2d(part).shape for part in parts.values()]
    # A column is as wide as its title, and no less than two cells.
    letters = [max(map(len, title.splitlines())) for title in parts]
    widths = [
        max(columns, 2.2, 0.17 * count)
        for (_, columns), count in zip(shapes, letters, strict=True)
    ]
    figure = new_figure(0.52 * sum(widths) + 0.4 * len(parts) + 1.2, 2.9)
    axes = list(figure.subplots(1, len(parts), width_ratios=widths, squeeze=False).flat)
    largest = max(float(np.abs(part).max()) for part in parts.values())
    for ax, (title, part) in zip(axes, parts.items(), strict=True):
        numbers(ax, title, part, largest)
    scale_of_colours(figure, axes, largest, label)
    return figure
