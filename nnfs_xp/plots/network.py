"""The units of a network and the shapes that pass between them."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.figure import Figure

from nnfs_xp.layers import Layer, Parallel, Residual, Sequential
from nnfs_xp.layers.nesting import MoreAxes
from nnfs_xp.layers.parallel import is_several
from nnfs_xp.plots.checks import check_is
from nnfs_xp.plots.graph import Edge, computation_graph

# Columns and rows of `computation_graph` from one box to the next.
_ACROSS, _DOWN = 1.15, 0.9

# The box that a value comes from, and the shape of a sample of it.
Head = tuple[str, Any]


def plot_model(model: Any) -> Figure:
    """Return a picture of a network: its units, parameters and shapes.

    Data flows from the top to the bottom. A box is a unit, with its place in the model
    and its number of parameters; an arrow is labelled with the shape of a sample. The
    branches of `nnfs_xp.Parallel` stand beside each other, and so do a
    `nnfs_xp.Residual` and its shortcut. A user-defined block is one box.

    Parameters
    ----------
    model : Model
        Any; its units and shapes are read, and nothing is computed.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; its size follows from the network.

    Raises
    ------
    InputError
        If the model has no layers yet.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU
    >>> from nnfs_xp.plots import plot_model
    >>> figure = plot_model(Model([Dense(2, 16), ReLU()]))
    >>> for text in figure.axes[0].texts:
    ...     print(text.get_text().replace(chr(10), ", "))
    input
    0 Dense, 48 parameters
    1 ReLU
    <BLANKLINE>
    2
    <BLANKLINE>
    16
    """
    check_is("Model", model, "model", "finalize", "layers", "loss")
    model.finalize()
    sizes = {name: math.prod(array.shape) for name, array in model.parameters.items()}
    picture = _Picture(sizes)
    root = Sequential(model.layers)
    picture.places["input"] = 0.0, 0.0
    heads, row, _ = picture.add(root, "", [("input", root.input_shape())], 0.0, 1)
    if model.loss is not None:
        picture.box(f"loss\n{type(model.loss).__name__}", heads, 0.0, row)
    title = f"{sum(sizes.values()):,} parameters"
    return computation_graph(picture.places, picture.edges, title)


class _Picture:
    """Boxes and arrows, added from the top to the bottom."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.places: dict[str, tuple[float, float]] = {}
        self.edges: list[Edge] = []

    def add(
        self, unit: Layer, path: str, heads: list[Head], column: float, row: int
    ) -> tuple[list[Head], int, float]:
        """Add a unit below others; return its ends, the next row and its width."""
        if isinstance(unit, Sequential):
            widths = []
            for name, child in unit.children.items():
                heads, row, width = self.add(
                    child, _joined(path, name), heads, column, row
                )
                widths.append(width)
            return heads, row, max(widths)
        if isinstance(unit, Parallel):
            return self._add_branches(unit, path, heads, column, row)
        if isinstance(unit, Residual):
            inside = self.add(unit.inner, _joined(path, "inner"), heads, column, row)
            ends, below, width = inside
            shortcut = self.box(f"{path} shortcut", heads, column + width, row)
            sum_of_both = [*ends, (shortcut, heads[0][1])]
            name = self.box(f"{path} Residual\nsum", sum_of_both, column, below)
            shape = _output_shape(unit, heads[0][1])
            return [(name, shape)], below + 1, width + _ACROSS
        own = (n for name, n in self.sizes.items() if name.startswith(f"{path}."))
        count = sum(own)
        text = f"{path} {type(unit).__name__}"
        text += f"\n{count:,} parameters" if count else ""
        name = self.box(text, heads, column, row)
        shapes = [shape for _, shape in heads]
        before = tuple(shapes) if len(shapes) > 1 else shapes[0]
        return [(name, _output_shape(unit, before))], row + 1, _ACROSS

    def _add_branches(
        self, unit: Parallel, path: str, heads: list[Head], column: float, row: int
    ) -> tuple[list[Head], int, float]:
        several = len(heads) > 1
        (source, shape), *_ = heads
        if is_several(shape):
            heads, several = [(source, each) for each in shape], True
        ends: list[Head] = []
        rows, width = [], 0.0
        for number, branch in enumerate(unit.branches):
            own = [heads[number]] if several else heads
            end, below, wide = self.add(
                branch, _joined(path, str(number)), own, column + width, row
            )
            ends += end
            rows.append(below)
            width += wide
        return ends, max(rows), width

    def box(self, text: str, heads: list[Head], column: float, row: int) -> str:
        """Add a box with arrows from others; return its text, which names it."""
        self.places[text] = column, _DOWN * row
        self.edges += [(source, text, _words(shape), "") for source, shape in heads]
        return text


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _output_shape(unit: Layer, shape: Any) -> Any:
    """Return the known part of a shape, if only the last lengths are known before."""
    try:
        return unit.output_shape(shape)
    except MoreAxes:
        return unit.output_shape(None)


def _words(shape: Any) -> str:
    return "" if shape is None else " x ".join(map(str, shape)) or "1"
