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
from nnfs_xp.layers import BatchNorm, Dense, Dropout, Embedding, Flatten, LayerNorm
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
def log_sigmoid(graph: Graph, cx: Context, x: Traced) -> Any:
    """Write ``-log(1 + exp(-x))``."""
    if graph.dtype == np.float64:
        return NotImplemented
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
