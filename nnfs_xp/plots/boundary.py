"""Where a classifier of two features draws the line between its classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nnfs_xp.errors import InputError
from nnfs_xp.plots import style
from nnfs_xp.plots.checks import check_class_names, check_labels, check_numbers

Predict = Callable[[np.ndarray], np.ndarray]
# The places along both axes of a map.
Places = tuple[np.ndarray, np.ndarray]
# Points of two features, their labels, and the names of the classes.
Data = tuple[np.ndarray, np.ndarray, list[str]]

# Places along each axis of the map.
_STEPS = 240
_NAME_WIDTH = 1.4
# One more than there are colours, so classes that share a colour differ in the
# marker.
_MARKERS = "os^DvPX*"
# The strongest shade, light enough for the points of the same colour to show.
_DEEPEST = 0.6
_LEGEND_ROWS = 20


def decision_boundary(
    predict: Predict, x: np.ndarray, y: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """Return a map of the predicted class at each place, with the data on top.

    Each place has the colour of the class predicted there, deeper where the network is
    more confident. Misclassified points have a dark rim.

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
    ax: Axes, predict: Predict, x: np.ndarray, y: np.ndarray, class_names: Sequence[str]
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
    places = places_around(points)
    mesh = mesh_of(*places).astype(points.dtype)
    everywhere = probabilities(predict, mesh, len(names))
    at_points = probabilities(predict, points, len(names)).argmax(axis=1)
    picture = BoundaryMap(ax, places, (points, labels, names))
    picture.show(everywhere, at_points, "Decision boundary")


class BoundaryMap:
    """A map of the predicted class at each place, redrawn for each network.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    places : tuple of numpy.ndarray
        As `places_around` returns them.
    data : tuple
        As `check_points` returns it.
    """

    def __init__(self, ax: Axes, places: Places, data: Data) -> None:
        (horizontal, vertical), (*_, names) = places, data
        self.ax, self._places, self._data = ax, places, data
        self._shape = len(vertical), len(horizontal), len(names)
        # Artists that change from one network to the next, and must be redrawn.
        self._drawn: list[Artist] = []
        style.style_axes(ax, grid=None)
        extent = (horizontal[0], horizontal[-1], vertical[0], vertical[-1])
        look = dict[str, Any](origin="lower", aspect="auto", interpolation="bilinear")
        self._colors = ax.imshow(np.ones((1, 1, 3)), extent=extent, **look)
        style.set_labels(ax, "feature 1", "feature 2")
        _draw_legend(ax, names)
        _draw_color_bar(ax, len(names))

    def show(self, probabilities: np.ndarray, predicted: np.ndarray, name: str) -> None:
        """Show the probabilities of all places, and which points are wrong."""
        everywhere, wrong = (
            probabilities.reshape(self._shape),
            predicted != self._data[1],
        )
        self._colors.set_data(shades(everywhere))
        for artist in self._drawn:
            artist.remove()
        self._drawn = [*self._draw_borders(everywhere), *self._draw_points(wrong)]
        right = style.percent(float(np.mean(~wrong)))
        style.set_title(self.ax, f"{name}: {right} of {len(wrong):,} points right")

    def _draw_points(self, wrong: np.ndarray) -> Iterator[PathCollection]:
        """Draw the data, with a dark rim around the points that are wrong."""
        points, labels, names = self._data
        size = float(np.clip(9000 / len(points), 6, 30))
        for label in range(len(names)):
            color, marker = _look(label)
            x, y = points[labels == label].T
            marks = self.ax.scatter(x, y, size, color=color, marker=marker)
            misses = wrong[labels == label]
            marks.set_edgecolor([style.INK if miss else "white" for miss in misses])
            marks.set_linewidth([1.3 if miss else 0.5 for miss in misses])
            yield marks

    def _draw_borders(self, probabilities: np.ndarray) -> Iterator[ContourSet]:
        """Draw white lines where two classes are equally likely."""
        white = dict[str, Any](colors="white", linewidths=1.2)
        for label in range(probabilities.shape[-1]):
            others = np.delete(probabilities, label, axis=-1)
            # Zero exactly where this class and the best of the others are equally
            # likely, which makes the border a smooth line.
            lead = probabilities[..., label] - others.max(axis=-1, initial=-np.inf)
            if lead.min() < 0 < lead.max():
                yield self.ax.contour(*self._places, lead, [0.0], **white)


def map_figure(names: list[str]) -> Figure:
    """Return an empty figure with room for a map and a legend of these names."""
    return style.new_figure(6.3 + style.widest_line(_wrapped(names), style.TICK), 5.8)


def _wrapped(names: list[str]) -> list[str]:
    return [style.wrap(name, _NAME_WIDTH, style.TICK) for name in names]


def check_points(x: np.ndarray, y: np.ndarray, class_names: Sequence[str]) -> Data:
    """Return points of two features, their labels and the class names."""
    names = check_class_names(class_names)
    labels = check_labels("y", y, len(names))
    points = np.asarray(x)
    if points.shape != (len(labels), 2):
        raise InputError(
            f"x must have shape ({len(labels)}, 2), one row for each label, "
            f"got {points.shape}"
        )
    # A network may accept its own precision only, so floats stay as they are.
    return check_numbers("x", points), labels, names


def places_around(points: np.ndarray, steps: int = _STEPS) -> Places:
    """Return the places along both axes of a map, with a margin around the points."""

    def along(values: np.ndarray) -> np.ndarray:
        low, high = float(values.min()), float(values.max())
        margin = 0.08 * (high - low) or 1.0
        return np.linspace(low - margin, high + margin, steps)

    return along(points[:, 0]), along(points[:, 1])


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


def _look(label: int) -> tuple[str, str]:
    """Return colour and marker of a class."""
    colors = style.OKABE_ITO
    return colors[label % len(colors)], _MARKERS[label % len(_MARKERS)]


def shades(probabilities: np.ndarray) -> np.ndarray:
    """Return RGB values: the color of the likeliest class, mixed with white."""
    classes = probabilities.shape[-1]
    colors = np.array([to_rgb(_look(label)[0]) for label in range(classes)])
    least = _least(classes)
    strength = (probabilities.max(axis=-1, keepdims=True) - least) / (1 - least)
    strength = _DEEPEST * np.clip(strength, 0.0, 1.0)
    shades: np.ndarray = 1 - strength * (1 - colors[probabilities.argmax(axis=-1)])
    return shades


def _least(classes: int) -> float:
    """Return the lowest probability that the likeliest class can have."""
    return 1 / classes if classes > 1 else 0.0


def _draw_legend(ax: Axes, names: list[str]) -> None:
    """Draw colours, marks and names of the classes right of the axes."""
    looks = [(*_look(label), "white") for label in range(len(names))]
    handles = [
        Line2D([], [], ls="none", marker=marker, ms=7.5, mfc=color, mec=rim)
        for color, marker, rim in [*looks, ("white", "o", style.INK)]
    ]
    legend = ax.legend(
        handles,
        ["?"] * len(handles),
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        handletextpad=0.3,
        columnspacing=1.0,
        ncols=math.ceil(len(handles) / _LEGEND_ROWS),
        **style.LEGEND,
    )
    texts = [*_wrapped(names), "dark rim: wrong"]
    # Afterwards, because `legend` treats names that begin with an underscore or contain
    # dollar signs in a special way.
    for entry, text in zip(legend.get_texts(), texts, strict=True):
        entry.set(text=text, parse_math=False)


def _draw_color_bar(ax: Axes, classes: int) -> None:
    """Draw the meaning of the depth of colour below the axes."""
    deepest = 1 - _DEEPEST * (1 - np.array(to_rgb(style.INK)))
    shades = LinearSegmentedColormap.from_list("confidence", [np.ones(3), deepest])
    colors = ScalarMappable(Normalize(_least(classes), 1.0), shades)
    label, form = "confidence, as depth of colour (%)", style.PercentTicks()
    where = {"location": "bottom", "shrink": 0.6, "aspect": 32}
    style.draw_color_bar([ax], colors, label, format=form, **where)
