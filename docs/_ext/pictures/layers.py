"""Pictures of the layers and activations."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.augmentation import AUGMENTATION
from _ext.pictures.drawing import (
    FUNCTION,
    SLOPE,
    curves,
    matrices,
    numbers,
    panels,
)
from _ext.shapes import bound, inputs_of
from _ext.unit_lists import is_activation
from nnfs_xp.plots.style import BLUE, GREY, OKABE_ITO, set_labels, set_title, style_axes

X = np.linspace(-4.0, 4.0, 801)
SCORES = np.array([[2.0, 1.0, 0.1, -1.0]])
# Rows and columns of an array that are shown.
MOST = 5


def curve_of(*variants: nx.Layer) -> Figure:
    """Return an elementwise layer's values and derivative, a panel a variant."""
    figure, axes = panels(len(variants), width=5.0 if len(variants) == 1 else 4.2)
    for ax, layer in zip(axes, variants, strict=True):
        y = layer.forward(X[None])[0]
        slope = layer.backward(np.ones((1, len(X))))[0]
        # A step is no steep line: leave a gap where the derivative jumps.
        slope = np.where(np.abs(np.gradient(slope)) > 0.05, np.nan, slope)
        lines = {"y": (y, FUNCTION), "dy/dx": (slope, SLOPE)}
        title = ", ".join(
            f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value!r}"
            for name, value in layer.config().items()
        )
        labels = ("input x", "output y, slope dy/dx")
        curves(ax, title or repr(layer), X, lines, labels)
    return figure


def bars_and_jacobian(layer: nx.Layer) -> Figure:
    """Return outputs of four scores, and the derivative of each by each score."""
    figure, axes = panels(2, width=3.9)
    outputs = layer.forward(SCORES)[0]
    jacobian = jacobian_of(layer, SCORES)
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


# A bright square in the lower right of a small image.
IMAGE = np.pad(np.ones((3, 3)), ((2, 0), (2, 0)))


def convolution() -> Figure:
    """Return an image, a window that finds edges, and what it sees."""
    layer = nx.Conv2D(1, 1, (2, 3), use_bias=False, dtype="float64")
    kernel = np.array([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])
    layer.weights = kernel[:, :, None, None]
    y = layer.forward(IMAGE[None, :, :, None])
    return matrices(
        {
            titled("image x, one channel", IMAGE): IMAGE,
            titled("weights W, one filter", kernel): kernel,
            titled("output y", y[0, :, :, 0]): y[0, :, :, 0],
        }
    )


def pooling(unit: type) -> Figure:
    """Return an image, its values by windows, and where a gradient of 1 goes."""
    layer = unit(2, dtype="float64")
    x = np.array([[1.0, 2.0, 0.0, 3.0], [4.0, 0.0, 3.0, 1.0]])
    y = layer.forward(x[None, :, :, None])[0, :, :, 0]
    dx = layer.backward(np.ones((1, 1, 2, 1)))[0, :, :, 0]
    return matrices({"image x": x, "output y": y, "dx for dy = 1": dx})


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


def attention() -> Figure:
    """Return the weights of two causal heads over the positions of a sentence."""
    layer = nx.MultiHeadAttention(4, 2, causal=True, dtype="float64")
    random = np.random.default_rng(4)
    layer.children["qkv"].weights = random.standard_normal((4, 12))
    x = random.standard_normal((1, 5, 4))
    y = layer.forward(x)
    weights = layer._residuals[3][0]
    parts = {"inputs\n(5, 4)": x[0]}
    parts |= {f"weights P, head {i}\n(5, 5)": p for i, p in enumerate(weights)}
    return matrices({**parts, "outputs\n(5, 4)": y[0]})


def waves() -> Figure:
    """Return what is added to the first positions."""
    layer = nx.SinusoidalPositions(6, dtype="float64")
    return matrices({"P of 6 features\n(5, 6)": layer.forward(np.zeros((1, 5, 6)))[0]})


def transformer_block() -> Figure:
    """Return what goes through a block, after each of its two sums."""
    block = nx.TransformerBlock(4, 2, causal=True, dtype="float64")
    x = np.random.default_rng(1).standard_normal((1, 4, 4))
    y = block.forward(x)
    parts = {"x": x, "x + attention = r": block.children["network"].inputs}
    return matrices({n: a[0] for n, a in {**parts, "r + network = y": y}.items()})


def jacobian_of(layer: nx.Layer, x: np.ndarray) -> np.ndarray:
    """Return the derivative of each output by each input, for one row."""
    layer.forward(x, training=False)
    return np.stack([layer.backward(row[None])[0] for row in np.eye(x.shape[1])])


def computes_each_by_itself(layer: nx.Layer) -> bool:
    """Return whether each output comes from the input in its place."""
    try:
        y = layer.forward(SCORES, training=False)
    except nx.InputError:
        return False
    own = layer.params and not is_activation(type(layer))
    if getattr(y, "shape", None) != SCORES.shape or own:
        return False
    jacobian = jacobian_of(layer, SCORES)
    return bool(np.all(jacobian == np.diag(np.diag(jacobian))))


def part(array: np.ndarray) -> np.ndarray:
    """Return so much of an array that its numbers can be read, as a matrix."""
    rows = np.asarray(array, "float64").reshape(-1, array.shape[-1])
    return rows[:MOST, :MOST]


def titled(name: str, array: np.ndarray) -> str:
    """Return the name of an array with its shape below."""
    return f"{name}\n{array.shape}"


def named(name: str, arrays: Any) -> dict[str, np.ndarray]:
    """Return one array or several, each under a name with its shape."""
    if not isinstance(arrays, tuple):
        return {titled(name, arrays): arrays}
    return {titled(f"{name} {i}", array): array for i, array in enumerate(arrays)}


def flow(case: Any) -> Figure:
    """Return the arrays of a case: inputs, parameters and outputs."""
    x = inputs_of(case)
    # One that keeps statistics shows what it does with those of the batch.
    _, params, unit = bound(case, training=bool(case.make().state()))
    y, _ = unit.fwd(x)
    arrays = {
        **named("input", x),
        **{titled(path, value): value for path, value in params.items()},
        **named("output", y),
    }
    return matrices({title: part(array) for title, array in arrays.items()})


def of_layer(cases: list) -> Figure:
    """Return the picture of any layer.

    It is a curve where each output comes from one input. Activations of whole rows are
    shown by one, all others by the arrays of the first case.
    """
    variants = [case.make() for case in cases]
    first = variants[0]
    if computes_each_by_itself(first):
        different = {repr(v): v for v in variants if v.input_shape() is None}
        return curve_of(*list(different.values())[:2])
    if is_activation(type(first)) and first.output_shape((4,)) == (4,):
        return bars_and_jacobian(first)
    return flow(cases[0])


def at64(unit: type, *arguments: object) -> nx.Layer:
    """Return a layer in float64."""
    return unit(*arguments, dtype="float64")


LAYERS = {
    **AUGMENTATION,
    "Dense": dense,
    "Conv2D": convolution,
    "MaxPool2D": lambda: pooling(nx.MaxPool2D),
    "AveragePool2D": lambda: pooling(nx.AveragePool2D),
    "MultiHeadAttention": attention,
    "SinusoidalPositions": waves,
    "TransformerBlock": transformer_block,
    "Dropout": dropout,
    "Flatten": lambda: reshaped(nx.Flatten(dtype="float64"), "Flatten"),
    "Reshape": lambda: reshaped(nx.Reshape((3, 2), dtype="float64"), "Reshape"),
    "Sequential": sequential,
    "LeakyReLU": lambda: curve_of(at64(nx.LeakyReLU), at64(nx.LeakyReLU, 0.2)),
    "ELU": lambda: curve_of(at64(nx.ELU), at64(nx.ELU, 2.0)),
    "Rescaling": lambda: curve_of(at64(nx.Rescaling, 0.5, -1.0)),
}
