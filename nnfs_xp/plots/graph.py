"""Pictures of a computation, with the flow of values and of gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from nnfs_xp.errors import InputError
from nnfs_xp.plots import style

# Inches from one column, and from one row, to the next.
_ACROSS, _DOWN = 1.75, 0.95
# Height of an arrow's arc relative to its length, if there are two arrows.
_BEND = 0.06
# Points between an arrow and its label.
_GAP = 3.0

Edge = tuple[str, str, str, str]


def computation_graph(
    places: Mapping[str, tuple[float, float]],
    edges: Sequence[Edge],
    title: str = "Computation graph",
) -> Figure:
    """Return a picture of a computation, forward and backward.

    Each step is a box. Blue arrows lead forward, from the inputs to the loss; dashed
    red arrows carry the gradients back.

    Parameters
    ----------
    places : mapping of str to (column, row)
        The text of each box, and its place. Columns count from the left, rows from the
        top. Text between dollar signs is mathematics, and a newline begins a new line.
    edges : sequence of (source, target, forward, backward)
        The texts of two boxes, the label of the arrow from the first to the second, and
        the label of the arrow back. An arrow back is drawn only if it has a label.
    title : str, default "Computation graph"
        Title of the picture.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; its size follows from the columns and rows.

    Raises
    ------
    InputError
        If there is no box, or an edge names a box that has no place.

    Examples
    --------
    >>> from nnfs_xp.plots import computation_graph
    >>> figure = computation_graph(
    ...     {"$x$": (0, 0), "$x^2$": (1, 0)}, [("$x$", "$x^2$", "3", "$2x = 6$")]
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    ['$x$', '$x^2$', '3', '$2x = 6$']
    """
    if not places:
        raise InputError("places must name at least one box, got none")
    for source, target, *_ in edges:
        for name in (source, target):
            if name not in places:
                raise InputError(f"edges must join boxes of places, got {name!r}")
    columns, rows = (1 + max(numbers) for numbers in zip(*places.values(), strict=True))
    figure = style.new_figure(0.3 + _ACROSS * columns, 0.6 + _DOWN * rows)
    ax = figure.subplots()
    ax.set_axis_off()
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    style.set_title(ax, title)
    frame = {"boxstyle": "round,pad=0.45", "fc": "white", "ec": style.EDGE}
    look = dict[str, Any](ha="center", va="center", size=style.LABEL, color=style.INK)
    boxes = {
        name: ax.text(*at, name, bbox=frame, **look) for name, at in places.items()
    }
    for source, target, forward, backward in edges:
        start, end = boxes[source], boxes[target]
        # Both arcs bend to the left of their own direction, so they separate.
        bend = _BEND if backward else 0.0
        _draw_arrow(ax, start, end, forward, bend, style.BLUE)
        if backward:
            _draw_arrow(ax, end, start, backward, bend, style.VERMILLION)
    return figure


def _draw_arrow(
    ax: Axes, start: Text, end: Text, text: str, bend: float, color: str
) -> None:
    """Draw an arrow between the edges of two boxes, with a label at its middle."""
    forward = color == style.BLUE
    tail, tip = np.array(start.get_position()), np.array(end.get_position())
    arrow = {
        "arrowstyle": "-|>",
        "color": color,
        "linestyle": "-" if forward else (0, (4, 2)),
        "connectionstyle": f"arc3,rad={-2 * bend}",
        "patchA": start.get_bbox_patch(),
        "patchB": end.get_bbox_patch(),
        "shrinkA": 2,
        "shrinkB": 2,
    }
    ax.annotate("", end.get_position(), start.get_position(), arrowprops=arrow)
    across, up = (tip - tail) * (_ACROSS, -_DOWN) * 72
    length = float(np.hypot(across, up)) or 1.0
    left = np.array([-up, across]) / length
    # The left side of a rising arrow is its upper left.
    ax.annotate(
        text,
        (tail + tip) / 2,
        tuple(left * (bend * length + _GAP)),
        textcoords="offset points",
        ha="center" if abs(left[0]) < 0.3 else ("right" if left[0] < 0 else "left"),
        va="bottom" if left[1] > 0 else "top",
        size=style.TICK,
        color=color if forward else style.WRONG_TEXT,
    )
