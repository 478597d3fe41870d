"""Pictures of the constraints: where columns of two weights are moved."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import panels
from nnfs_xp.plots.style import (
    BLUE,
    GREY,
    VERMILLION,
    set_labels,
    set_legend_above,
    set_title,
    style_axes,
)

NUMPY = nx.get_backend("numpy", dtype="float64")


def of_constraint(cases: list) -> Figure:
    """Return the picture of any constraint: what its first case does to vectors."""
    unit = cases[0][0]()
    before = np.random.default_rng(4).normal(size=(2, 24)) * 2.0
    given = before.T if getattr(unit, "of", "") == "rows" else before
    after = unit.project(NUMPY, given)
    after = after.T if given is not before else after
    figure, (ax,) = panels(1, width=5.0, height=5.0)
    style_axes(ax)
    for start, end in zip(before.T, after.T, strict=True):
        ax.plot(*zip(start, end, strict=True), color=GREY, linewidth=0.8)
    look = {"linestyle": "", "markersize": 4}
    ax.plot(*before, marker="o", color=VERMILLION, label="after the step", **look)
    ax.plot(*after, marker="s", color=BLUE, label="in its place", **look)
    ax.set_aspect("equal")
    set_title(ax, type(unit).__name__)
    set_labels(ax, "weight 1", "weight 2")
    set_legend_above(ax)
    return figure
