"""Layers of images and signals, which other programs have with the channels first.

The order of the axes of an array is followed from operator to operator. So a network
of PyTorch becomes one that takes images with their channels last, as all layers here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.errors import InputError
from nnfs_xp.layers import (
    AveragePool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    MaxPool2D,
    ZeroPadding2D,
)

if TYPE_CHECKING:
    from nnfs_xp.onnx.operators import Operators

Axes = tuple[int, ...]
# Each output comes from the input in its place.
ELEMENTWISE = {
    "Celu", "Clip", "Dropout", "Elu", "Gelu", "HardSigmoid", "HardSwish", "Identity",
    "LeakyRelu", "Mish", "Relu", "Selu", "Shrink", "Sigmoid", "Softplus", "Softsign",
    "Tanh", "ThresholdedRelu", "Add", "Div", "Mul", "Neg", "Sub",
}  # fmt: skip


# Operators that have the channels on the second axis.
_OF_IMAGES = {
    "AveragePool", "BatchNormalization", "Conv", "GlobalAveragePool", "MaxPool",
}  # fmt: skip


def channels_first(ndim: int) -> Axes:
    """Return the order of the axes of arrays that are (n, channels, ...) there."""
    return (0, ndim - 1, *range(1, ndim - 1))


def begins_with_images(graph: Operators, name: str) -> bool:
    """Return whether the first layers want an input with the channels first."""
    while True:
        users = graph.users.get(name, [])
        kinds = {user.op_type for user in users}
        if kinds & _OF_IMAGES:
            return graph.ranks.get(name, 0) > 2
        if len(users) != 1 or not kinds <= ELEMENTWISE | {"Pad"}:
            return False
        name = users[0].output[0]


def read(
    graph: Operators, node: Any, name: str, elementwise: Callable[[], Layer]
) -> tuple[Layer | None, str]:
    """Return the layer of an operator, None for a change of the order of axes.

    `elementwise` reads an operator that does not ask for the order.
    """
    axes, output = graph.axes.get(name), node.output[0]
    if node.op_type == "Transpose":
        return None, _transposed(graph, node, name, axes)
    assert axes is not None
    if node.op_type in ELEMENTWISE:
        graph.axes[output] = axes
        return elementwise(), output
    if node.op_type not in _READERS or axes != channels_first(len(axes)):
        raise InputError(
            f"the operator {node.op_type} of node {node.name or output!r} is not read "
            f"for images with axes in the order {axes}"
        )
    return _READERS[node.op_type](graph, node, name)


def _transposed(graph: Operators, node: Any, name: str, axes: Axes | None) -> str:
    ndim = graph.ranks.get(name) or len(graph.setting(node, "perm", ()))
    order = graph.setting(node, "perm", range(ndim)[::-1])
    before = tuple(range(ndim)) if axes is None else axes
    after = tuple(before[axis] for axis in order)
    output: str = node.output[0]
    if after != tuple(range(ndim)):
        graph.axes[output] = after
    return output


# One function for each operator. The channels are on the second axis.

_READERS: dict[str, Callable[..., tuple[Layer, str]]] = {}


def _reads(*kinds: str) -> Callable[..., Any]:
    def enter(reader: Callable[..., Any]) -> Callable[..., Any]:
        _READERS.update(dict.fromkeys(kinds, reader))
        return reader

    return enter


def _windows(graph: Operators, node: Any, name: str, size: Any) -> dict[str, Any]:
    """Return what convolutions and poolings share: stride and padding."""
    if graph.setting(node, "ceil_mode", 0):
        raise InputError(f"{node.op_type} rounds the number of windows up")
    n = len(size)
    strides = tuple(graph.setting(node, "strides", [1] * n))
    pads = graph.setting(node, "pads", [0] * (2 * n))
    before, after = tuple(pads[:n]), tuple(pads[n:])
    automatic = graph.setting(node, "auto_pad", "NOTSET")
    padding: Any = before
    if automatic == "SAME_LOWER":
        raise InputError(f"{node.op_type} has its odd padding before, SAME_LOWER")
    if automatic == "SAME_UPPER":
        padding = "same"
    elif automatic == "VALID" or not any(pads):
        padding = "valid"
    elif before != after:
        apart = graph.setting(node, "dilations", [1] * n)
        lengths = graph.lengths(name)[1:]
        total = [
            max((-(-length // step) - 1) * step + (k - 1) * d + 1 - length, 0)
            for length, step, k, d in zip(lengths, strides, size, apart, strict=True)
        ]
        same = [one // 2 for one in total], [one - one // 2 for one in total]
        if same != ([*before], [*after]):
            raise InputError(
                f"{node.op_type} has other padding before than after: {pads}"
            )
        padding = "same"
    return {"stride": strides, "padding": padding}


@_reads("Conv")
def _conv(graph: Operators, node: Any, name: str) -> tuple[Layer, str]:
    kernels, biases = graph.constant(node, 1), graph.constant(node, 2)
    size, groups = kernels.shape[2:], graph.setting(node, "group", 1)
    if len(size) not in (1, 2):
        raise InputError(f"Conv has windows of {len(size)} axes, and 1 or 2 are read")
    options = _windows(graph, node, name, size)
    options["dilation"] = tuple(graph.setting(node, "dilations", [1] * len(size)))
    if len(size) == 1:
        size = size[0]
        one = {"stride", "dilation"} | ({"padding"} - {str(options["padding"])})
        options = {
            key: value[0] if key in one and not isinstance(value, str) else value
            for key, value in options.items()
        }
    layer = (Conv1D if kernels.ndim == 3 else Conv2D)(
        kernels.shape[1] * groups,
        kernels.shape[0],
        size,
        groups=groups,
        use_bias=biases is not None,
        **options,
    )
    layer._values = {"weights": np.moveaxis(kernels, (0, 1), (-1, -2))}
    if biases is not None:
        layer._values["biases"] = biases[None, :]
    return layer, _images(graph, node, name)


def _images(graph: Operators, node: Any, name: str) -> str:
    """Return the name of an output, whose axes are in the order of the input's."""
    output: str = node.output[0]
    graph.axes[output] = graph.axes[name]
    return output


@_reads("MaxPool", "AveragePool")
def _pool(graph: Operators, node: Any, name: str) -> tuple[Layer, str]:
    size = tuple(graph.setting(node, "kernel_shape", ()))
    if len(size) != 2 or set(graph.setting(node, "dilations", [1])) != {1}:
        raise InputError(
            f"{node.op_type} is read with windows of two axes, side by side"
        )
    options = _windows(graph, node, name, size)
    if node.op_type == "MaxPool":
        return MaxPool2D(size, **options), _images(graph, node, name)
    if graph.setting(node, "count_include_pad", 0) and options["padding"] != "valid":
        raise InputError("AveragePool counts the padding, which AveragePool2D does not")
    return AveragePool2D(size, **options), _images(graph, node, name)


@_reads("GlobalAveragePool")
def _global_pool(graph: Operators, node: Any, name: str) -> tuple[Layer, str]:
    users = graph.users.get(node.output[0], [])
    kinds = [user.op_type for user in users]
    if kinds not in (["Flatten"], ["Reshape"], ["Squeeze"]):
        raise InputError(f"GlobalAveragePool is read before a Flatten, got {kinds}")
    return GlobalAveragePool2D(), users[0].output[0]


@_reads("ReduceMean")
def _mean(graph: Operators, node: Any, name: str) -> tuple[Layer, str]:
    return mean_over(graph, node, name, (2, 3)), node.output[0]


def mean_over(
    graph: Operators, node: Any, name: str, images: Axes
) -> GlobalAveragePool2D:
    """Return the layer, if the mean is over height and width."""
    given = graph.constant(node, 1, graph.setting(node, "axes", ()))
    axes = tuple(sorted(int(axis) % graph.ranks[name] for axis in np.ravel(given)))
    if axes != images or graph.ranks[name] != 4 or graph.setting(node, "keepdims", 1):
        raise InputError(f"ReduceMean is read over height and width, got axes {axes}")
    return GlobalAveragePool2D()


@_reads("BatchNormalization")
def _batch_norm(graph: Operators, node: Any, name: str) -> tuple[Layer, str]:
    return batch_norm(graph, node), _images(graph, node, name)


def batch_norm(graph: Operators, node: Any) -> BatchNorm:
    """Return the layer, wherever its features are."""
    names = "gamma", "beta", "mean", "variance"
    values = {name: graph.constant(node, place + 1) for place, name in enumerate(names)}
    layer = BatchNorm(
        values["gamma"].size,
        momentum=round(1.0 - graph.setting(node, "momentum", 0.9), 6),
        eps=shortest(graph.setting(node, "epsilon", 1e-5)),
    )
    layer._values = values
    return layer


def shortest(number: float) -> float:
    """Return the shortest number that float32 rounds to the same."""
    return float(str(np.float32(number)))


@_reads("Flatten", "Reshape")
def _flatten(graph: Operators, node: Any, name: str) -> tuple[Layer, str]:
    output = node.output[0]
    lengths = graph.lengths(name)
    rows = node.op_type == "Flatten" and graph.setting(node, "axis", 1) == 1
    if not rows and len(graph.shapes.get(output, ())) != 2:
        raise InputError("Reshape of images is read where it makes one row of each")
    numbers = np.arange(math.prod(lengths)).reshape(*lengths[1:], lengths[0])
    graph.orders[output] = np.moveaxis(numbers, -1, 0).reshape(-1)
    return Flatten(), output


@_reads("Pad")
def _pad(graph: Operators, node: Any, name: str) -> tuple[Layer, str]:
    pads, value = graph.constant(node, 1), graph.constant(node, 2, np.zeros(()))
    pairs = np.reshape(pads, (2, -1)).T.tolist()
    usual = graph.setting(node, "mode", "constant") == "constant" and not value.any()
    if len(pairs) != 4 or any(map(any, pairs[:2])) or not usual:
        raise InputError(f"Pad is read with zeros around images, got pads {pairs}")
    return ZeroPadding2D(tuple(map(tuple, pairs[2:]))), _images(graph, node, name)


def reordered(layer: Layer, order: np.ndarray) -> None:
    """Bring the features of a layer behind a `Flatten` into the order of this library.

    Parameters
    ----------
    layer : Layer
        A `Dense` or `BatchNorm` with values in the order of the file.
    order : numpy.ndarray
        The number here of each feature of the file.
    """
    back = np.argsort(order)
    assert layer._values is not None
    for name, value in layer._values.items():
        if isinstance(layer, BatchNorm) or name == "weights":
            layer._values[name] = value[back]
