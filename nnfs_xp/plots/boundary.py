"""Where a classifier of two features draws the line between its classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.plots.checks import check_class_names, check_labels
from nnfs_xp.plots.style import (
    EDGE,
    INK,
    LABEL,
    OKABE_ITO,
    TICK,
    PercentTicks,
    new_figure,
    percent,
    set_labels,
    set_title,
    style_axes,
    widest_line,
    wrap,
)

Predict = Callable[[np.ndarray], np.ndarray]

_STEPS = 240
_MARKERS = "os^DvPX*"
# The strongest shade, light enough for the points of the same colour to show.
_DEEPEST = 0.6
_NAME_WIDTH = 1.4
_LEGEND_ROWS = 20


def decision_boundary(
    predict: Predict,
    x: np.ndarray,
    y: np.ndarray,
    class_names: Sequence[str],
) -> Figure:
    """Return a map of what is predicted where, with the data on top.

    Each place has the colour of the class that is predicted there, the deeper
    the more confident. Points that are predicted wrong have a dark rim.

    Parameters
    ----------
    predict : callable
        Takes an array of shape (m, 2) and returns the probabilities of the
        classes, an array of shape (m, k).
    x : numpy.ndarray of shape (n, 2)
        The data, of two features.
    y : numpy.ndarray of shape (n,)
        True labels, integers from 0.
    class_names : sequence of str
        The k names of the classes.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.

    Raises
    ------
    InputError
        If `x` does not have two features, lengths differ, a label has no
        name, or `predict` returns anything but k finite numbers per point.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import decision_boundary
    >>> def left_or_right(x):
    ...     right = 1 / (1 + np.exp(-x[:, 0]))
    ...     return np.stack([1 - right, right], axis=1)
    >>> figure = decision_boundary(
    ...     left_or_right, np.array([[-1.0, 0.0], [1.0, 1.0]]), np.array([0, 1]),
    ...     ["left", "right"],
    ... )
    >>> figure.axes[0].get_title(loc="left")
    'Decision boundary: 100.0 % of 2 points right'
    """
    _, _, names = check_points(x, y, class_names)
    labels = widest_line([wrap(name, _NAME_WIDTH, TICK) for name in names], TICK)
    figure = new_figure(6.3 + labels, 5.8)
    draw_decision_boundary(figure.subplots(), predict, x, y, names)
    return figure


def draw_decision_boundary(
    ax: Axes,
    predict: Predict,
    x: np.ndarray,
    y: np.ndarray,
    class_names: Sequence[str],
) -> None:
    """Draw `decision_boundary` into an axes, with its legend to the right.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    predict, x, y, class_names
        As for `decision_boundary`.

    Raises
    ------
    InputError
        As for `decision_boundary`.
    """
    points, labels, names = check_points(x, y, class_names)
    horizontal, vertical = (_span(points[:, feature]) for feature in (0, 1))
    mesh = np.stack(np.meshgrid(horizontal, vertical), axis=-1).reshape(-1, 2)
    everywhere = _probabilities(predict, mesh.astype(points.dtype), len(names))
    everywhere = everywhere.reshape(len(vertical), len(horizontal), len(names))
    at_points = _probabilities(predict, points, len(names)).argmax(axis=1)

    style_axes(ax, grid=None)
    ax.imshow(
        _shades(everywhere),
        extent=(horizontal[0], horizontal[-1], vertical[0], vertical[-1]),
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
    )
    _draw_borders(ax, horizontal, vertical, everywhere)
    _draw_points(ax, points, labels, labels != at_points, names)

    right = percent(float(np.mean(labels == at_points)))
    set_title(ax, f"Decision boundary: {right} of {len(labels):,} points right")
    set_labels(ax, "feature 1", "feature 2")
    _draw_legend(ax, names)
    _draw_color_bar(ax, len(names))


def check_points(
    x: np.ndarray, y: np.ndarray, class_names: Sequence[str], y_name: str = "y"
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return points of two features, their labels and the class names."""
    names = check_class_names(class_names)
    labels = check_labels(y_name, y, len(names))
    points = np.asarray(x)
    if points.shape != (len(labels), 2):
        raise InputError(
            f"x must have shape ({len(labels)}, 2), one row for each label of "
            f"{y_name}, got {points.shape}"
        )
    if points.dtype.kind not in "fiu":
        raise DTypeError(f"x must hold real numbers, got dtype {points.dtype}")
    # A network may accept its own precision only, so floats stay as they are.
    if points.dtype.kind != "f":
        points = points.astype(np.float64)
    if not np.all(np.isfinite(points)):
        raise InputError("x must be finite, got NaN or infinity")
    return points, labels, names


def _span(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, _STEPS)


def _probabilities(predict: Predict, points: np.ndarray, classes: int) -> np.ndarray:
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


def _shades(probabilities: np.ndarray) -> np.ndarray:
    """Return RGB values: the color of the likeliest class, mixed with white."""
    classes = probabilities.shape[-1]
    colors = np.array([to_rgb(_color(label)) for label in range(classes)])
    least = 1 / classes if classes > 1 else 0.0
    strength = (probabilities.max(axis=-1, keepdims=True) - least) / (1 - least)
    strength = _DEEPEST * np.clip(strength, 0.0, 1.0)
    shades: np.ndarray = 1 - strength * (1 - colors[probabilities.argmax(axis=-1)])
    return shades


def _draw_borders(
    ax: Axes,
    horizontal: np.ndarray,
    vertical: np.ndarray,
    probabilities: np.ndarray,
) -> None:
    for label in range(probabilities.shape[-1]):
        others = np.delete(probabilities, label, axis=-1)
        if not others.size:
            return
        # Zero exactly where this class and the best of the others are equally
        # likely, which makes a smooth line of the border.
        lead = probabilities[..., label] - others.max(axis=-1)
        if lead.min() < 0 < lead.max():
            ax.contour(
                horizontal, vertical, lead, levels=[0.0], colors="white", linewidths=1.2
            )


def _draw_points(
    ax: Axes,
    points: np.ndarray,
    labels: np.ndarray,
    wrong: np.ndarray,
    names: list[str],
) -> None:
    size = float(np.clip(9000 / len(points), 6, 30))
    for label in range(len(names)):
        mine = labels == label
        ax.scatter(
            points[mine, 0],
            points[mine, 1],
            s=size,
            color=_color(label),
            marker=_marker(label),
            edgecolors=[INK if miss else "white" for miss in wrong[mine]],
            linewidths=[1.3 if miss else 0.5 for miss in wrong[mine]],
        )


def _draw_legend(ax: Axes, names: list[str]) -> None:
    entries = [
        (_color(label), _marker(label), "white", wrap(name, _NAME_WIDTH, TICK))
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


def _draw_color_bar(ax: Axes, classes: int) -> None:
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
