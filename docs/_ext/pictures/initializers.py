"""Pictures of the initializers: what they draw, and what becomes of a signal."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import FUNCTION, SLOPE, panels
from nnfs_xp.plots.style import (
    BLUE,
    PercentTicks,
    set_labels,
    set_legend_above,
    set_title,
    style_axes,
)
from nnfs_xp.random import Stream

SHAPE = (200, 200)
DEPTH = 12


def drawn(initializer: nx.Initializer) -> Figure:
    """Return a histogram, and for matrices the spread of a signal layer by layer."""
    weights = initializer(Stream(0, "weights"), SHAPE)
    constant = isinstance(initializer, nx.Constant)
    figure, axes = panels(1 if constant else 2, width=4.2)
    ax = axes[0]
    style_axes(ax, grid="y")
    half = float(np.abs(weights).max()) * 1.1 or 1.0
    counts, edges = np.histogram(weights, bins=41, range=(-half, half))
    ax.stairs(counts / weights.size, edges, fill=True, color=BLUE)
    ax.yaxis.set_major_formatter(PercentTicks())
    set_title(ax, textwrap.fill(repr(initializer), 44))
    set_labels(ax, f"weight, of shape {SHAPE}", "share (%)")
    if not constant:
        _signal(axes[1], initializer)
    return figure


def _signal(ax, initializer: nx.Initializer) -> None:
    style_axes(ax)
    for name, activation, look in (
        ("linear", lambda x: x, FUNCTION),
        ("ReLU", lambda x: np.maximum(x, 0), SLOPE),
    ):
        x = np.random.default_rng(0).standard_normal((256, SHAPE[0]))
        spread = [np.sqrt(np.mean(x**2))]
        for layer in range(DEPTH):
            x = activation(x @ initializer(Stream(0, f"layer {layer}"), SHAPE))
            spread.append(np.sqrt(np.mean(x**2)))
        ax.plot(spread, label=name, marker="o", markersize=3.5, **look)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 1e-2), max(high, 1e1))
    set_title(ax, "Through layers")
    set_labels(ax, "layer", "root mean square of the signal")
    set_legend_above(ax)


def of_initializer(cases: list) -> Figure:
    """Return the picture of any initializer: that of its first case."""
    return drawn(cases[0][0]())
