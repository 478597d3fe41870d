"""The parts of a map of what is predicted where."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.contour import ContourSet
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from nnfs_xp.errors import InputError
from nnfs_xp.plots.style import (
    EDGE,
    INK,
    LABEL,
    OKABE_ITO,
    TICK,
    PercentTicks,
    wrap,
)

Predict = Callable[[np.ndarray], np.ndarray]

# Places along each axis of the map.
STEPS = 240
NAME_WIDTH = 1.4
_MARKERS = "os^DvPX*"
# The strongest shade, light enough for the points of the same colour to show.
_DEEPEST = 0.6
_LEGEND_ROWS = 20


def span(values: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Return the places along one axis of the map, with a margin."""
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, steps)


def mesh_of(horizontal: np.ndarray, vertical: np.ndarray) -> np.ndarray:
    """Return all places of the map, one a row, line by line."""
    return np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2)


def probabilities(predict: Predict, points: np.ndarray, classes: int) -> np.ndarray:
    """Return what is predicted for some points, checked, in float64."""
    values = np.asarray(predict(points))
    if values.shape != (len(points), classes):
        raise InputError(
            f"predict must return shape ({len(points)}, {classes}) for "
            f"{len(points)} points and {classes} class_names, got {values.shape}"
        )
    values = values.astype(np.float64)
    if not np.all(np.isfinite(values)):
        raise InputError("predict must return finite values, got NaN or infinity")
    return values


def _color(label: int) -> str:
    return OKABE_ITO[label % len(OKABE_ITO)]


def _marker(label: int) -> str:
    # There is one marker more than there are colours, so classes that share a
    # colour differ in the marker.
    return _MARKERS[label % len(_MARKERS)]


def shades(probabilities: np.ndarray) -> np.ndarray:
    """Return RGB values: the color of the likeliest class, mixed with white."""
    classes = probabilities.shape[-1]
    colors = np.array([to_rgb(_color(label)) for label in range(classes)])
    least = 1 / classes if classes > 1 else 0.0
    strength = (probabilities.max(axis=-1, keepdims=True) - least) / (1 - least)
    strength = _DEEPEST * np.clip(strength, 0.0, 1.0)
    shades: np.ndarray = 1 - strength * (1 - colors[probabilities.argmax(axis=-1)])
    return shades


def draw_map(
    ax: Axes, horizontal: np.ndarray, vertical: np.ndarray, colors: np.ndarray
) -> AxesImage:
    """Draw the colours of all places."""
    return ax.imshow(
        colors,
        extent=(horizontal[0], horizontal[-1], vertical[0], vertical[-1]),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
    )


def draw_borders(
    ax: Axes,
    horizontal: np.ndarray,
    vertical: np.ndarray,
    probabilities: np.ndarray,
) -> list[ContourSet]:
    """Draw white lines where two classes are equally likely."""
    drawn: list[ContourSet] = []
    for label in range(probabilities.shape[-1]):
        others = np.delete(probabilities, label, axis=-1)
        if not others.size:
            break
        # Zero exactly where this class and the best of the others are equally
        # likely, which makes a smooth line of the border.
        lead = probabilities[..., label] - others.max(axis=-1)
        if lead.min() < 0 < lead.max():
            lines = ax.contour(
                horizontal, vertical, lead, levels=[0.0], colors="white", linewidths=1.2
            )
            drawn.append(lines)
    return drawn


def draw_points(
    ax: Axes,
    points: np.ndarray,
    labels: np.ndarray,
    wrong: np.ndarray,
    names: list[str],
) -> list[PathCollection]:
    """Draw the data in the colours and marks of its classes."""
    size = float(np.clip(9000 / len(points), 6, 30))
    drawn = []
    for label in range(len(names)):
        mine = labels == label
        marks = ax.scatter(
            points[mine, 0],
            points[mine, 1],
            s=size,
            color=_color(label),
            marker=_marker(label),
        )
        mark_wrong(marks, wrong[mine])
        drawn.append(marks)
    return drawn


def mark_wrong(marks: PathCollection, wrong: np.ndarray) -> None:
    """Give those points of a class a dark rim that are predicted wrong."""
    marks.set_edgecolor([INK if miss else "white" for miss in wrong])
    marks.set_linewidth([1.3 if miss else 0.5 for miss in wrong])


def draw_legend(ax: Axes, names: list[str]) -> None:
    """Draw colours, marks and names of the classes right of the axes."""
    entries = [
        (_color(label), _marker(label), "white", wrap(name, NAME_WIDTH, TICK))
        for label, name in enumerate(names)
    ]
    entries.append(("white", "o", INK, "dark rim: wrong"))
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=marker,
            markersize=7.5,
            markerfacecolor=color,
            markeredgecolor=rim,
        )
        for color, marker, rim, _ in entries
    ]
    legend = ax.legend(
        handles,
        ["?"] * len(entries),
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        frameon=False,
        fontsize=TICK,
        labelcolor=INK,
        handletextpad=0.3,
        columnspacing=1.0,
        ncols=math.ceil(len(entries) / _LEGEND_ROWS),
    )
    # Afterwards, because names that begin with an underscore or hold dollar
    # signs mean something else to `legend`.
    for text, (*_, name) in zip(legend.get_texts(), entries, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def draw_color_bar(ax: Axes, classes: int) -> None:
    """Draw below the axes what depth of colour means."""
    deepest = 1 - _DEEPEST * (1 - np.array(to_rgb(INK)))
    shades = LinearSegmentedColormap.from_list(
        "confidence", np.stack([np.ones(3), deepest])
    )
    least = 1 / classes if classes > 1 else 0.0
    bar = ax.figure.colorbar(
        ScalarMappable(Normalize(least, 1.0), shades),
        ax=ax,
        location="bottom",
        shrink=0.6,
        aspect=32,
        pad=0.02,
    )
    bar.outline.set_edgecolor(EDGE)
    bar.ax.tick_params(labelsize=TICK, labelcolor=INK, color=EDGE, length=3)
    bar.ax.xaxis.set_major_formatter(PercentTicks())
    bar.set_label("confidence, as depth of colour (%)", size=LABEL, color=INK)
