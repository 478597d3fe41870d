"""Where a classifier of two features draws the line between its classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.plots.boundary_parts import (
    NAME_WIDTH,
    Predict,
    draw_borders,
    draw_color_bar,
    draw_legend,
    draw_map,
    draw_points,
    mesh_of,
    probabilities,
    shades,
    span,
)
from nnfs_xp.plots.checks import check_class_names, check_labels
from nnfs_xp.plots.style import (
    TICK,
    new_figure,
    percent,
    set_labels,
    set_title,
    style_axes,
    widest_line,
    wrap,
)


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
    figure = map_figure(names)
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

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from nnfs_xp.plots import draw_decision_boundary
    >>> ax = Figure().subplots()
    >>> draw_decision_boundary(
    ...     ax, lambda x: np.stack([x[:, 0] < 0, x[:, 0] >= 0], axis=1),
    ...     np.array([[-1.0, 0.0], [1.0, 1.0]]), np.array([0, 1]), ["left", "right"],
    ... )
    >>> ax.get_xlabel()
    'feature 1'
    """
    points, labels, names = check_points(x, y, class_names)
    horizontal, vertical = (span(points[:, feature]) for feature in (0, 1))
    mesh = mesh_of(horizontal, vertical).astype(points.dtype)
    everywhere = probabilities(predict, mesh, len(names))
    everywhere = everywhere.reshape(len(vertical), len(horizontal), len(names))
    at_points = probabilities(predict, points, len(names)).argmax(axis=1)

    style_axes(ax, grid=None)
    draw_map(ax, horizontal, vertical, shades(everywhere))
    draw_borders(ax, horizontal, vertical, everywhere)
    draw_points(ax, points, labels, labels != at_points, names)

    right = percent(float(np.mean(labels == at_points)))
    set_title(ax, f"Decision boundary: {right} of {len(labels):,} points right")
    set_labels(ax, "feature 1", "feature 2")
    draw_legend(ax, names)
    draw_color_bar(ax, len(names))


def map_figure(names: list[str]) -> Figure:
    """Return an empty figure with room for a map and a legend of these names."""
    labels = widest_line([wrap(name, NAME_WIDTH, TICK) for name in names], TICK)
    return new_figure(6.3 + labels, 5.8)


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
