"""Pictures of the layers and activations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import (
    FUNCTION,
    SLOPE,
    curves,
    matrices,
    numbers,
    panels,
)
from nnfs_xp.plots.style import BLUE, GREY, OKABE_ITO, set_labels, set_title, style_axes

X = np.linspace(-4.0, 4.0, 801)
SCORES = np.array([[2.0, 1.0, 0.1, -1.0]])


def curve_of(*variants: nx.Layer) -> Figure:
    """Return an elementwise layer's values and derivative, a panel a variant."""
    figure, axes = panels(len(variants), width=5.0 if len(variants) == 1 else 4.2)
    for ax, layer in zip(axes, variants, strict=True):
        y = layer.forward(X[None])[0]
        slope = layer.backward(np.ones((1, len(X))))[0]
        # A step is no steep line: leave a gap where the derivative jumps.
        slope = np.where(np.abs(np.gradient(slope)) > 0.05, np.nan, slope)
        lines = {"y": (y, FUNCTION), "dy/dx": (slope, SLOPE)}
        title = ", ".join(f"{k}={v!r}" for k, v in layer.config().items())
        labels = ("input x", "output y, slope dy/dx")
        curves(ax, title or repr(layer), X, lines, labels)
    return figure


def bars_and_jacobian(layer: nx.Layer) -> Figure:
    """Return outputs of four scores, and the derivative of each by each score."""
    figure, axes = panels(2, width=3.9)
    outputs = layer.forward(SCORES)[0]
    jacobian = np.stack([layer.backward(row[None])[0] for row in np.eye(4)])
    ax = axes[0]
    style_axes(ax, grid="y")
    places = np.arange(4)
    ax.bar(places - 0.2, SCORES[0], 0.38, color=OKABE_ITO[1], label="score z")
    ax.bar(places + 0.2, outputs, 0.38, color=BLUE, label="output y")
    ax.axhline(0.0, color=GREY, linewidth=0.7)
    ax.set_xticks(places)
    ax.legend(frameon=False, fontsize=8, loc="upper right")
    set_title(ax, f"{layer!r}")
    set_labels(ax, "class", "score, output")
    ax = axes[1]
    numbers(ax, "derivative of output j by score k", jacobian, np.abs(jacobian).max())
    ax.set_xticks(places)
    ax.set_yticks(places)
    ax.tick_params(labelsize=8, length=0)
    set_labels(ax, "k", "j")
    return figure


def dense() -> Figure:
    """Return a product with all its numbers."""
    layer = nx.Dense(2, 3, dtype="float64")
    layer.weights, layer.biases = [[1, -2, 3], [2, 1, -1]], [[1, 0, -1]]
    x = np.array([[1.0, 2.0], [-1.0, 0.5], [2.0, 0.0]])
    parts = {
        "X (3, 2)": x,
        "W (2, 3)": layer.weights,
        "b (1, 3)": layer.biases,
        "Y = X W + b (3, 3)": layer.forward(x),
    }
    return matrices(parts)


def dropout() -> Figure:
    """Return inputs, a mask and outputs."""
    layer = nx.Dropout(0.5, seed=3, dtype="float64")
    x = np.arange(1.0, 13.0).reshape(3, 4)
    y = layer.forward(x)
    return matrices({"inputs x": x, "mask m, rate 0.5": layer.binary_mask, "x m": y})


def reshaped(layer: nx.Layer, title: str) -> Figure:
    """Return a sample before and after."""
    x = np.arange(1.0, 7.0).reshape(1, *((2, 3) if title == "Flatten" else (6,)))
    y = layer.forward(x)
    before = f"one sample {x.shape[1:]}"
    return matrices({before: x[0], f"after: {y.shape[1:]}": y[0]})


def sequential() -> Figure:
    """Return what comes out of each layer of a block."""
    block = nx.Sequential([nx.Dense(2, 3, dtype="float64"), nx.ReLU()])
    dense = block.layers[0]
    dense.weights, dense.biases = [[1, -2, 3], [2, 1, -1]], [[1, 0, -1]]
    x = np.array([[1.0, 2.0], [-1.0, 0.5]])
    hidden = dense.forward(x)
    parts = {
        "inputs": x,
        "after Dense(2, 3)": hidden,
        "after ReLU(): output": block.forward(x),
    }
    return matrices(parts)


def elementwise(*makers: Callable[[], nx.Layer]) -> Callable[[], Figure]:
    """Return a function that makes the layers when it is called."""
    return lambda: curve_of(*(make() for make in makers))


def at64(unit: type, *arguments: object) -> Callable[[], nx.Layer]:
    """Return a function that makes a layer in float64."""
    return lambda: unit(*arguments, dtype="float64")


LAYERS = {
    "Dense": dense,
    "Dropout": dropout,
    "Flatten": lambda: reshaped(nx.Flatten(dtype="float64"), "Flatten"),
    "Reshape": lambda: reshaped(nx.Reshape((3, 2), dtype="float64"), "Reshape"),
    "Sequential": sequential,
    "ReLU": elementwise(at64(nx.ReLU)),
    "LeakyReLU": elementwise(at64(nx.LeakyReLU), at64(nx.LeakyReLU, 0.2)),
    "ELU": elementwise(at64(nx.ELU), at64(nx.ELU, 2.0)),
    "GELU": elementwise(at64(nx.GELU), at64(nx.GELU, "tanh")),
    "SiLU": elementwise(at64(nx.SiLU)),
    "Softplus": elementwise(at64(nx.Softplus)),
    "Sigmoid": elementwise(at64(nx.Sigmoid)),
    "Tanh": elementwise(at64(nx.Tanh)),
    "Linear": elementwise(at64(nx.Linear)),
    "Rescaling": elementwise(at64(lambda **where: nx.Rescaling(0.5, -1.0, **where))),
    "Softmax": lambda: bars_and_jacobian(nx.Softmax(dtype="float64")),
    "LogSoftmax": lambda: bars_and_jacobian(nx.LogSoftmax(dtype="float64")),
}
