"""What the neurons of a first layer look for in an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from nnfs_xp.backends import to_numpy
from nnfs_xp.errors import DTypeError, InputError
from nnfs_xp.plots.style import (
    EDGE,
    INK,
    LABEL,
    TICK,
    TITLE,
    new_figure,
    wrap,
)

# Blue below 0, white at 0 and orange above: told apart with any kind of colour
# blindness, and both ends equally dark.
SIGNED = LinearSegmentedColormap.from_list(
    "signed",
    ["#053764", "#1c77b5", "#8eb8db", "#f7f7f7", "#f0b27a", "#c8650c", "#6b2f00"],
)
_CELL = 1.0


def first_layer_filters(
    weights: Any, image_shape: Sequence[int], *, rows: int = 4, columns: int = 8
) -> Figure:
    """Return the weights of a first layer as images.

    Every small image is a column of the weights: a neuron answers to what is
    bright where its weights are positive, orange, and dark where they are
    negative, blue. Those with the largest weights come first; all have one
    scale of colours. The number above an image is that of the neuron.

    Parameters
    ----------
    weights : array of shape (values, neurons)
        Such as ``model.layers[0].weights``, of any backend.
    image_shape : sequence of int
        ``(height, width)``, whose product is the number of values.
    rows, columns : int
        Most neurons to show, downwards and across.

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
    matrix, _ = _check(weights, image_shape, rows, columns)
    columns = min(columns, matrix.shape[1])
    rows = min(rows, math.ceil(matrix.shape[1] / columns))
    figure = new_figure(max(_CELL * columns + 1.0, 4.2), (_CELL + 0.06) * rows + 0.6)
    draw_first_layer_filters(figure, weights, image_shape, rows=rows, columns=columns)
    return figure


def draw_first_layer_filters(
    panel: Figure | SubFigure,
    weights: Any,
    image_shape: Sequence[int],
    *,
    rows: int = 4,
    columns: int = 8,
) -> None:
    """Draw `first_layer_filters` into a figure or subfigure.

    Parameters
    ----------
    panel : matplotlib.figure.Figure or matplotlib.figure.SubFigure
        Where to draw.
    weights, image_shape, rows, columns
        As for `first_layer_filters`.

    Raises
    ------
    InputError
        As for `first_layer_filters`.

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from nnfs_xp.plots import draw_first_layer_filters
    >>> figure = Figure()
    >>> draw_first_layer_filters(figure, np.eye(4), (2, 2), rows=1, columns=2)
    >>> len(figure.axes)  # two neurons and the scale
    3
    """
    matrix, shape = _check(weights, image_shape, rows, columns)
    # The largest first, equal ones in their order.
    order = np.argsort(-np.linalg.norm(matrix, axis=0), kind="stable")
    shown = order[: rows * columns]
    largest = float(np.abs(matrix[:, shown]).max()) or 1.0
    scale = Normalize(-largest, largest)
    columns = min(columns, len(shown))
    rows = math.ceil(len(shown) / columns)

    grid = panel.subplots(rows, columns, squeeze=False)
    for ax in grid.flat[len(shown) :]:
        ax.remove()
    used = list(grid.flat[: len(shown)])
    for ax, neuron in zip(used, shown, strict=True):
        ax.imshow(
            matrix[:, neuron].reshape(shape),
            cmap=SIGNED,
            norm=scale,
            interpolation="nearest",
        )
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_title(str(neuron), size=TICK, color=INK, pad=3)
        for spine in ax.spines.values():
            spine.set_color(EDGE)
    heading = f"First-layer weights: {len(shown)} of {matrix.shape[1]} neurons"
    width = panel.bbox.width / panel.figure.dpi
    panel.suptitle(
        wrap(heading, width - 0.2, TITLE, "bold"),
        x=0.01,
        ha="left",
        size=TITLE,
        weight="bold",
        color=INK,
    )
    bar = panel.colorbar(
        ScalarMappable(scale, SIGNED),
        ax=used,
        location="right",
        aspect=30,
        fraction=0.06,
        pad=0.02,
    )
    bar.outline.set_edgecolor(EDGE)
    bar.ax.tick_params(labelsize=TICK, labelcolor=INK, color=EDGE, length=3)
    bar.ax.yaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    bar.set_label("weight", size=LABEL, color=INK)


def _check(
    weights: Any, image_shape: Sequence[int], rows: int, columns: int
) -> tuple[np.ndarray, tuple[int, int]]:
    matrix = np.asarray(to_numpy(weights))
    if matrix.ndim != 2 or matrix.size == 0:
        raise InputError(
            f"weights must have shape (values, neurons), got {matrix.shape}"
        )
    if matrix.dtype.kind not in "fiu":
        raise DTypeError(f"weights must hold real numbers, got dtype {matrix.dtype}")
    matrix = matrix.astype(np.float64)
    if not np.all(np.isfinite(matrix)):
        raise InputError("weights must be finite, got NaN or infinity")
    shape = tuple(int(length) for length in image_shape)
    if len(shape) != 2 or min(shape) < 1 or math.prod(shape) != len(matrix):
        raise InputError(
            f"image_shape must be (height, width) with {len(matrix)} values, as "
            f"each neuron has weights, got {shape}"
        )
    for name, count in (("rows", rows), ("columns", columns)):
        if count < 1:
            raise InputError(f"{name} must be at least 1, got {count}")
    return matrix, (shape[0], shape[1])
