"""Patterns that the neurons of a first layer look for in an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnfs_xp.backends import to_numpy
from nnfs_xp.errors import InputError
from nnfs_xp.plots import style
from nnfs_xp.plots.checks import check_grid, check_numbers

# Blue below 0, white at 0 and orange above: told apart with any kind of colour
# blindness, and both ends equally dark.
SIGNED = LinearSegmentedColormap.from_list(
    "signed",
    ["#053764", "#1c77b5", "#8eb8db", "#f7f7f7", "#f0b27a", "#c8650c", "#6b2f00"],
)
_CELL = 1.0


def first_layer_filters(
    weights: Any, image_shape: Sequence[int] | None, *, rows: int = 4, columns: int = 8
) -> Figure:
    """Return the weights of a first layer as images.

    Each small image is a column of the weights: a neuron responds to images that are
    bright where its weights are positive (orange), and dark where they are negative
    (blue). Neurons with the largest weights come first, and all share one colour scale.
    The number above an image is that of the neuron.

    Parameters
    ----------
    weights : array of shape (values, neurons)
        Such as ``model.layers[0].weights``, of any backend.
    image_shape : sequence of int
        ``(height, width)``, whose product is the number of values. None, the value of a
        data set without pictures, is rejected.
    rows, columns : int
        Maximum number of neurons to show, downwards and across.

    Returns
    -------
    matplotlib.figure.Figure
        One axes for each neuron, and one for the scale.

    Raises
    ------
    InputError
        If the weights are no matrix of finite numbers, or the image shape does
        not fit them.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp.plots import first_layer_filters
    >>> figure = first_layer_filters(np.eye(4), (2, 2))
    >>> [ax.get_title() for ax in figure.axes[:4]]
    ['0', '1', '2', '3']
    """
    matrix, shape = _check(weights, image_shape, rows, columns)
    # The largest first; equal ones keep their order.
    order = np.argsort(-np.linalg.norm(matrix, axis=0), kind="stable")
    shown = order[: rows * columns]
    largest = float(np.abs(matrix[:, shown]).max()) or 1.0
    scale = Normalize(-largest, largest)
    columns = min(columns, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = style.new_figure(
        max(_CELL * columns + 1, 4.2), (_CELL + 0.06) * rows + 0.6
    )
    axes = style.grid_of(figure, len(shown), columns)
    for ax, neuron in zip(axes, shown, strict=True):
        image = matrix[:, neuron].reshape(shape)
        ax.imshow(image, cmap=SIGNED, norm=scale, interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.set_title(str(neuron), size=style.TICK, color=style.INK, pad=3)
        ax.spines[:].set_color(style.EDGE)
    heading = f"First-layer weights: {len(shown)} of {matrix.shape[1]} neurons"
    style.set_heading(figure, heading)
    colors, ticks = ScalarMappable(scale, SIGNED), MaxNLocator(5, symmetric=True)
    where = {"location": "right", "aspect": 30, "fraction": 0.06}
    style.draw_color_bar(axes, colors, "weight", ticks=ticks, **where)
    return figure


def _check(
    weights: Any, image_shape: Sequence[int] | None, rows: int, columns: int
) -> tuple[np.ndarray, tuple[int, ...]]:
    matrix = np.asarray(to_numpy(weights))
    if matrix.ndim != 2 or matrix.size == 0:
        raise InputError(
            f"weights must have shape (values, neurons), got {matrix.shape}"
        )
    matrix = check_numbers("weights", matrix).astype(np.float64)
    given = () if image_shape is None else image_shape
    shape = tuple(int(length) for length in given)
    if len(shape) != 2 or min(shape) < 1 or math.prod(shape) != len(matrix):
        raise InputError(
            f"image_shape must be (height, width) with {len(matrix)} values, as "
            f"each neuron has weights, got {shape}"
        )
    check_grid(rows, columns)
    return matrix, shape
