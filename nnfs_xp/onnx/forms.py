"""The units that have operators of their own in ONNX.

Every other unit, those of users too, is written by following its ``fwd``. A form is
needed only where ONNX has a name for what the unit computes, so that other programs
know it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from nnfs_xp.activations import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Clip,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyReLU,
    Linear,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Shrink,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedReLU,
)
from nnfs_xp.engine.context import Context
from nnfs_xp.layers import (
    GRU,
    LSTM,
    AveragePool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    MaxPool2D,
    RandomCrop,
    SimpleRNN,
    ZeroPadding2D,
)
from nnfs_xp.onnx.graph import Graph
from nnfs_xp.onnx.traced import Traced
from nnfs_xp.registry import library_class

Form = Callable[[Graph, Context, Any], Any]
AnyForm = TypeVar("AnyForm", bound=Form)

_FORMS: dict[type, Form] = {}


def form(*unit_classes: type) -> Callable[[AnyForm], AnyForm]:
    """Return a decorator for the function that writes units of some classes.

    Parameters
    ----------
    *unit_classes : type
        Units of exactly these classes are meant, and not of subclasses.

    Returns
    -------
    callable
        Decorates ``function(graph, cx, x)``, which returns the output: what
        ``graph.op(kind, *inputs, **attributes)`` returned, or arithmetic on arrays.
        `cx` is the context that ``fwd`` is given. NotImplemented stands for what
        ``fwd`` does.

    Examples
    --------
    >>> from nnfs_xp import Layer, Model
    >>> from nnfs_xp.onnx import form
    >>> class Cosine(Layer):
    ...     def fwd(self, cx, x):
    ...         return cx.xp.cos(x), x
    ...     def bwd(self, cx, x, dy):
    ...         return -dy * cx.xp.sin(x)
    >>> @form(Cosine)
    ... def cosine(graph, cx, x):
    ...     return graph.op("Cos", x)
    """

    def enter(function: AnyForm) -> AnyForm:
        _FORMS.update(dict.fromkeys(unit_classes, function))
        return function

    return enter


def form_of(unit: Any) -> Form | None:
    """Return what writes a unit, None if its ``fwd`` does."""
    return _FORMS.get(library_class(unit))


def _in_float32(function: Form) -> Form:
    """Leave float64, which onnxruntime's operator does not know, to ``fwd``."""

    def written(graph: Graph, cx: Context, x: Any) -> Any:
        return NotImplemented if graph.dtype == np.float64 else function(graph, cx, x)

    return written


# Activations.


def _named(kind: str, **settings: str) -> Form:
    """Return a form of one operator; settings are attributes and their names here."""

    def function(graph: Graph, cx: Context, x: Traced) -> Any:
        values = {key: getattr(cx.unit, name) for key, name in settings.items()}
        return graph.native(kind, x, **values)

    return function


for _unit, _form in {
    CELU: _named("Celu", alpha="alpha"),
    ELU: _named("Elu", alpha="alpha"),
    GELU: _named("Gelu", approximate="approximate"),
    SELU: _named("Selu"),
    HardSigmoid: _named("HardSigmoid", alpha="alpha", beta="beta"),
    HardSwish: _named("HardSwish"),
    LeakyReLU: _named("LeakyRelu", alpha="negative_slope"),
    Linear: _named("Identity"),
    LogSoftmax: _named("LogSoftmax", axis="axis"),
    Mish: _named("Mish"),
    ReLU: _named("Relu"),
    Shrink: _named("Shrink", lambd="threshold", bias="bias"),
    Sigmoid: _named("Sigmoid"),
    Softmax: _named("Softmax", axis="axis"),
    Softplus: _named("Softplus"),
    Softsign: _named("Softsign"),
    Tanh: _named("Tanh"),
}.items():
    form(_unit)(_form)


@form(Clip, HardTanh, ReLU6)
def clip(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write an interval; an end that is left out has no end."""
    low, high = cx.unit.low, cx.unit.high
    return (
        graph.op("Clip", x, low, high) if high is not None else graph.op("Clip", x, low)
    )


@form(GLU)
def glu(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write the first half with the second as its gate."""
    n, *lengths = x.shape
    shape = n, *cx.unit.output_shape(tuple(lengths))
    a, b = graph.op("Split", x, shape=shape, outputs=2, axis=-1, num_outputs=2)
    return a * graph.op("Sigmoid", b)


@form(LogSigmoid)
@_in_float32
def log_sigmoid(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write ``-log(1 + exp(-x))``."""
    return -graph.op("Softplus", -x)


@form(PReLU)
def prelu(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the slopes with their operator."""
    return graph.native("PRelu", x, cx.params["slopes"])


@form(SiLU)
def silu(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write ``x s(x)``, which runtimes know as one operator."""
    return x * graph.op("Sigmoid", x)


@form(ThresholdedReLU)
def thresholded_relu(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator, which has 0 below the threshold."""
    if cx.unit.value:
        return NotImplemented
    return graph.native("ThresholdedRelu", x, alpha=cx.unit.threshold)


# Layers.


@form(Dense)
def dense(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write a product, and a sum."""
    weights = cx.params["weights"]
    shape = (*x.shape[:-1], weights.shape[-1])
    y = graph.op("MatMul", x, weights, shape=shape)
    return y + cx.params["biases"] if cx.unit.use_bias else y


@form(Dropout)
def dropout(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write what leaves its inputs as they are, and keep the share."""
    return graph.op("Dropout", x, np.asarray(cx.unit.rate, "float32"))


@form(Embedding)
def embedding(graph: Graph, cx: Context, ids: Traced) -> Traced:
    """Write the rows of ids."""
    return cx.xp.take(cx.params["weights"], ids, axis=0)


@form(Flatten)
def flatten(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write the operator of this name."""
    n, *lengths = x.shape
    size = cx.unit.output_shape(tuple(lengths))
    return graph.op("Flatten", x, shape=(n, *size), axis=1)


@form(BatchNorm)
def batch_norm(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator, whose features are the second axis."""
    if x.ndim != 2:
        return NotImplemented
    values = cx.params["gamma"], cx.params["beta"], cx.buffers["mean"]
    return graph.native(
        "BatchNormalization", x, *values, cx.buffers["variance"], epsilon=cx.unit.eps
    )


@form(LayerNorm)
def layer_norm(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator, over the last axis."""
    values = cx.params["gamma"], cx.params["beta"]
    return graph.native("LayerNormalization", x, *values, axis=-1, epsilon=cx.unit.eps)


# Images and signals. ONNX has their channels on the second axis.


@form(Conv1D, Conv2D)
@_in_float32
def convolution(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator between two changes of the order of axes."""
    unit, weights = cx.unit, cx.params["weights"]
    axes = range(weights.ndim - 2)
    kernels = weights.transposed(weights.ndim - 1, weights.ndim - 2, *axes)
    biases = [cx.params["biases"][0, :]] if unit.use_bias else []
    return _over_windows(
        "Conv", graph, x, unit, kernels, *biases,
        dilations=list(unit._windows.dilation), group=unit.groups,
    )  # fmt: skip


@form(MaxPool2D)
@_in_float32
def max_pool(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator between two changes of the order of axes."""
    return _over_windows("MaxPool", graph, x, cx.unit)


@form(AveragePool2D)
@_in_float32
def average_pool(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator, whose means are over what is inside an image."""
    return _over_windows("AveragePool", graph, x, cx.unit, count_include_pad=0)


@form(ZeroPadding2D)
def zero_padding(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write the operator, with what comes before and what after each axis."""
    return _padded(graph, x, cx.unit._pads)


@form(RandomCrop)
def random_crop(graph: Graph, cx: Context, x: Traced) -> Traced:
    """Write the part in the middle of an image, as it is taken without training."""
    unit, spans, pads = cx.unit, [], []
    for length, size in zip(x.shape[1:3], (unit.height, unit.width), strict=True):
        start = (length + 2 * unit.padding - size) // 2 - unit.padding
        spans.append(slice(max(start, 0), min(start + size, length)))
        pads.append((max(-start, 0), max(start + size - length, 0)))
    return _padded(graph, x[:, spans[0], spans[1], ...], pads, unit.fill_value)


def _padded(graph: Graph, x: Traced, sides: Any, value: float = 0.0) -> Traced:
    """Write images with a value around them, if there is room for it."""
    if not any(map(any, sides)):
        return x
    both = [(0, 0), *sides, (0, 0)][: x.ndim]
    pads = np.asarray([*(one for one, _ in both), *(one for _, one in both)], "int64")
    shape = [
        length + sum(side) if any(side) else length
        for length, side in zip(x.shape, both, strict=True)
    ]
    return graph.op("Pad", x, pads, value, shape=tuple(shape))


def _over_windows(
    kind: str, graph: Graph, x: Traced, unit: Any, *constants: Any, **attributes: Any
) -> Traced:
    windows, (n, *lengths, _) = unit._windows, x.shape
    pads = windows.pads(tuple(lengths))
    *counts, channels = unit.output_shape(x.shape[1:])
    last = x.ndim - 1
    y = graph.op(
        kind,
        x.transposed(0, last, *range(1, last)),
        *constants,
        shape=(n, channels, *counts),
        kernel_shape=list(windows.size),
        strides=list(windows.stride),
        pads=[*(before for before, _ in pads), *(after for _, after in pads)],
        **attributes,
    )
    return y.transposed(0, *range(2, last + 1), 1)


# Recurrent layers. ONNX has them with the positions on the first axis.


@form(SimpleRNN)
@_in_float32
def simple_rnn(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator; its second biases are 0."""
    biases = cx.params["biases"]
    both = cx.xp.concat([biases, cx.xp.zeros_like(biases)], axis=1)
    weights = cx.params["weights"], cx.params["recurrent"]
    return _recurrent("RNN", graph, cx, x, *weights, both)


@form(LSTM)
@_in_float32
def lstm(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator, whose gates are in the order i, o, f, g."""

    def reordered(array: Traced) -> Traced:
        n = cx.unit.n_units
        parts = [array[:, number * n : (number + 1) * n] for number in (0, 3, 1, 2)]
        return cx.xp.concat(parts, axis=1)

    names = "weights", "recurrent", "biases"
    weights, recurrent, biases = (reordered(cx.params[name]) for name in names)
    both = cx.xp.concat([biases, cx.xp.zeros_like(biases)], axis=1)
    return _recurrent("LSTM", graph, cx, x, weights, recurrent, both)


@form(GRU)
@_in_float32
def gru(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write the operator, which has the same gates in the same order."""
    weights = cx.params["weights"], cx.params["recurrent"]
    biases = cx.params["biases"], cx.params["recurrent_biases"]
    both = cx.xp.concat(list(biases), axis=1)
    return _recurrent("GRU", graph, cx, x, *weights, both, linear_before_reset=1)


def _recurrent(
    kind: str,
    graph: Graph,
    cx: Context,
    x: Traced,
    weights: Traced,
    recurrent: Traced,
    biases: Traced,
    **attributes: int,
) -> Any:
    xp, unit, (n, t, _) = cx.xp, cx.unit, x.shape
    every = unit.return_sequences
    # The states of all positions, and of one direction; or the last state.
    shape = (t, 1, n, unit.n_units) if every else (1, n, unit.n_units)
    y = graph.op(
        kind,
        xp.permute_dims(x, (1, 0, 2)),
        weights.T[None, :, :],
        recurrent.T[None, :, :],
        biases,
        shape=shape,
        place=0 if every else 1,
        hidden_size=unit.n_units,
        **attributes,
    )
    y = xp.squeeze(y, axis=1 if every else 0)
    return xp.permute_dims(y, (1, 0, 2)) if every else y
