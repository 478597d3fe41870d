"""Units from operators: files of other programs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

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
    LeakyReLU,
    Linear,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Shrink,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
    ThresholdedReLU,
)
from nnfs_xp.errors import InputError
from nnfs_xp.layers import (
    Add,
    BatchNorm,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Parallel,
    Rescaling,
    Reshape,
    Residual,
    Sequential,
)
from nnfs_xp.onnx import images

Reader = Callable[["Operators", Any], Layer]
_READERS: dict[str, Reader] = {}
# What may be done with constants alone, and the most values that it may make.
_FOLDED = {
    "Cast", "Concat", "Constant", "ConstantOfShape", "Identity", "Reshape", "Shape",
    "Slice", "Squeeze", "Transpose", "Unsqueeze",
}  # fmt: skip
_MOST = 10**6
# Softmax has had its meaning since then.
_OLDEST = 13


def chain_of(proto: Any) -> list[Layer]:
    """Return the layers that compute what the graph of a file does.

    Raises
    ------
    InputError
        If there are operators that no unit computes, or branches that no block joins.
    """
    from onnx import shape_inference

    version = next((own.version for own in proto.opset_import if own.domain == ""), 0)
    if version < _OLDEST:
        raise InputError(
            f"it has operators of version {version}, and {_OLDEST} or later can be "
            "read; onnx.version_converter brings it there"
        )
    folded = _folded(proto, version)
    return Operators(shape_inference.infer_shapes(folded, data_prop=True).graph).chain()


def _folded(proto: Any, version: int) -> Any:
    """Return a model without nodes that are computed from constants alone."""
    import onnx
    from onnx import numpy_helper
    from onnx.reference import ReferenceEvaluator

    result = onnx.ModelProto()
    result.CopyFrom(proto)
    graph = result.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    left = []
    for node in graph.node:
        names = [name for name in node.input if name]
        known = all(name in constants for name in names)
        if not known or node.op_type not in _FOLDED or node.domain:
            left.append(node)
            continue
        given = {name: numpy_helper.to_array(constants[name]) for name in names}
        if node.op_type == "ConstantOfShape" and np.prod(given[names[0]]) > _MOST:
            raise InputError(f"node {node.name or node.output[0]!r} is a huge constant")
        try:
            found = ReferenceEvaluator(node, opsets={"": version}).run(None, given)
        except Exception as error:
            # Those of onnx and of NumPy share no base.
            raise InputError(
                f"node {node.name or node.output[0]!r} cannot be computed: {error}"
            ) from error
        for name, value in zip(node.output, found, strict=True):
            constants[name] = numpy_helper.from_array(np.asarray(value), name)
    nodes = [copy.deepcopy(node) for node in left]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants.values())
    return result


class Operators:
    """The nodes of a graph, and who uses their outputs.

    Parameters
    ----------
    graph : onnx.GraphProto
    """

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self.constants = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
        }
        self.nodes = list(graph.node)
        names = (info.name for info in graph.input)
        self.inputs = [name for name in names if name not in self.constants]
        self.output = graph.output[0].name
        self.shapes = {
            info.name: [
                dim.dim_value or None for dim in info.type.tensor_type.shape.dim
            ]
            for info in (*graph.input, *graph.value_info, *graph.output)
            if info.type.tensor_type.HasField("shape")
        }
        self.ranks = {name: len(shape) for name, shape in self.shapes.items()}
        # The order of the axes of arrays, where it is another than here, and that of
        # the features of flattened images.
        self.axes: dict[str, tuple[int, ...]] = {}
        self.orders: dict[str, np.ndarray] = {}
        self.users: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.input):
                self.users.setdefault(name, []).append(node)

    def chain(self) -> list[Layer]:
        """Return the layers from the inputs to the output of the graph."""
        for name in self.inputs:
            if images.begins_with_images(self, name):
                self.axes[name] = images.channels_first(self.ranks[name])
        if len(self.inputs) == 1:
            return self.between(self.inputs[0], self.output)
        block, name = self.joined(self.inputs, self.output)
        return [*block.layers, *self.between(name, self.output)]

    def between(self, name: str, end: str) -> list[Layer]:
        """Return the layers from one array to another."""
        layers: list[Layer] = []
        while name != end:
            users = self.toward(name, end)
            if not users:
                raise InputError(f"{end!r} is not computed from {name!r} alone")
            if len(users) == 1 and self.given(users[0]) == [name]:
                layer, name = self.tried(users[0])
            else:
                layer, name = self.joined([name], end)
            if layer is None:
                continue
            if layers and _is_sum(layer) and _is_factor(layers[-1]):
                layer = Rescaling(layers.pop().scale, layer.offset)
            layers += layer.layers if isinstance(layer, Sequential) else [layer]
        return layers

    def toward(self, name: str, end: str) -> list[Any]:
        """Return the nodes that use an array, on the way to another."""
        return [
            node
            for node in self.users.get(name, [])
            if end in node.output or any(self.leads([one], end) for one in node.output)
        ]

    def given(self, node: Any) -> list[str]:
        """Return which inputs of a node are not constants."""
        return [name for name in node.input if name and name not in self.constants]

    def tried(self, node: Any) -> tuple[Layer | None, str]:
        """Return what `read` does, or raise InputError where a node is malformed."""
        try:
            return self.read(node)
        except InputError:
            raise
        except (IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise InputError(
                f"node {node.name or node.op_type!r} has inputs or attributes that no "
                f"unit is read from: {error!r}"
            ) from error

    def read(self, node: Any) -> tuple[Layer | None, str]:
        """Return layer and output of an operator; it may be no layer of its own."""
        name = self.given(node)[0]
        if node.op_type == "Transpose" or name in self.axes:
            return images.read(self, node, name, lambda: self.layer_of(node)[0])
        layer, output = self.layer_of(node)
        order = self.orders.get(name)
        if order is not None and node.op_type in images.ELEMENTWISE:
            self.orders[output] = order
        elif order is not None:
            if not isinstance(layer, (BatchNorm, Dense)):
                raise InputError(
                    f"the operator {node.op_type} is not read behind flattened images"
                )
            images.reordered(layer, order)
            if isinstance(layer, BatchNorm):
                self.orders[output] = order
        return layer, output

    def layer_of(self, node: Any) -> tuple[Layer, str]:
        """Return layer and output of an operator with its axes as they are here."""
        if node.op_type == "Split":
            return self.gated(node)
        if node.op_type not in _READERS or node.domain not in ("", "ai.onnx"):
            raise InputError(
                f"no unit computes the operator {node.op_type} of node "
                f"{node.name or node.output[0]!r}"
            )
        layer, output = _READERS[node.op_type](self, node), node.output[0]
        users = self.users.get(output, [])
        if isinstance(layer, Dense) and not layer.use_bias and len(users) == 1:
            sums = users[0].op_type == "Add" and self.given(users[0]) == [output]
            biases = self.other(users[0], output) if sums else np.empty(0)
            if biases.size == layer.n_neurons and biases.shape[-1:] == (biases.size,):
                weights = layer._values["weights"]
                return _dense(weights, biases), users[0].output[0]
        return layer, output

    def gated(self, node: Any) -> tuple[Layer, str]:
        """Return a GLU, which cuts its inputs into two halves."""
        users = [self.users.get(name, []) for name in node.output]
        kinds = [[user.op_type for user in each] for each in users]
        halves = self.constant(node, 1, np.zeros(2))
        if (
            kinds == [["Mul"], ["Sigmoid"]]
            and self.setting(node, "axis", 0) == -1
            and halves.size == 2
            and halves[0] == halves[1]
        ):
            product, gate = users[0][0], users[1][0].output[0]
            if set(product.input) == {node.output[0], gate}:
                return GLU(), product.output[0]
        raise InputError(f"Split is read as the beginning of a GLU, got {kinds}")

    def lengths(self, name: str) -> list[int]:
        """Return the shape of a sample, or raise InputError if it is not known."""
        known = [length for length in self.shapes.get(name, [None, None])[1:] if length]
        if len(known) + 1 != self.ranks.get(name):
            raise InputError(f"the file does not say the shape of {name!r}")
        return known

    def other(self, node: Any, name: str) -> np.ndarray:
        """Return the constant that a node is given beside an array."""
        return next(self.constants[one] for one in node.input if one != name)

    def setting(self, node: Any, name: str, usual: Any) -> Any:
        """Return an attribute."""
        from onnx import helper

        for attribute in node.attribute:
            if attribute.name == name:
                value = helper.get_attribute_value(attribute)
                return value.decode() if isinstance(value, bytes) else value
        return usual

    def constant(self, node: Any, place: int, usual: Any = None) -> Any:
        """Return a constant input, or the usual value where it is left out."""
        if place >= len(node.input) or not node.input[place]:
            return usual
        return self.constants[node.input[place]]

    # Where one array is used several times.

    def joined(self, names: list[str], end: str) -> tuple[Any, str]:
        """Return the block between an array, or several, and where branches meet."""
        node = self.meeting(names, end)
        ends, output = self.given(node), node.output[0]
        if node.op_type == "Mul" and names[0] in ends:
            gate = next(one for one in ends if one != names[0])
            layers = self.between(names[0], gate)
            if len(layers) == 1 and type(layers[0]) is Sigmoid:
                self.carry([names[0], gate], output)
                return SiLU(), output
        if len(ends) != len(node.input) or node.op_type not in ("Add", "Concat"):
            raise InputError(
                f"no block joins branches as the operator {node.op_type} of node "
                f"{node.name or output!r} does"
            )
        if len(names) == 1:
            starts = names * len(ends)
        else:
            # Branches stand in the order of the inputs.
            pairs = [
                (start, one)
                for start in names
                for one in ends
                if start == one or self.leads([start], one)
            ]
            if len(pairs) != len(names):
                raise InputError(f"inputs {names} do not go to one branch each")
            starts, ends = zip(*pairs, strict=True)  # type: ignore[assignment]
        branches = [
            self.between(start, one) for start, one in zip(starts, ends, strict=True)
        ]
        axes = self.carry(ends, output)
        if node.op_type == "Concat":
            axis = self.setting(node, "axis", -1)
            join: Layer = Concatenate(axis if axes is None else axes[axis])
        elif len(names) == 1 and [] in branches and len(branches) == 2:
            branches.remove([])
            return Residual(_one(branches[0])), output
        else:
            join = Add()
        return Sequential(
            [Parallel([_one(branch) for branch in branches]), join]
        ), output

    def carry(self, names: Sequence[str], output: str) -> tuple[int, ...] | None:
        """Return the order of axes that arrays have in common, for the output too."""
        found = {self.axes.get(name) for name in names}
        if len(found) > 1 or any(name in self.orders for name in names):
            raise InputError(f"{list(names)} have their values in several orders")
        (axes,) = found
        if axes is not None:
            self.axes[output] = axes
        return axes

    def meeting(self, names: list[str], end: str) -> Any:
        """Return the first node that every way from arrays to another goes through."""
        for node in self.nodes:
            several = len(set(self.given(node))) > 1
            if several and not self.leads(names, end, node):
                return node
        raise InputError(f"the ways from {names} do not meet")

    def leads(self, names: list[str], end: str, without: Any = None) -> bool:
        """Return whether there is a way from arrays to another around a node."""
        seen, waiting = {id(without)}, list(names)
        while waiting:
            for node in self.users.get(waiting.pop(), []):
                if id(node) not in seen:
                    seen.add(id(node))
                    waiting += node.output
                    if end in node.output:
                        return True
        return False


def _is_factor(layer: Layer) -> bool:
    return isinstance(layer, Rescaling) and layer.offset == 0.0


def _is_sum(layer: Layer) -> bool:
    return isinstance(layer, Rescaling) and layer.scale == 1.0


def _one(layers: Sequence[Layer]) -> Layer:
    if not layers:
        return Linear()
    return layers[0] if len(layers) == 1 else Sequential(layers)


def _with_values(layer: Layer, **values: Any) -> Layer:
    """Return a layer with values for who will hold it."""
    layer._values = {
        name: np.reshape(values[name], shape)
        for name, (_, shape, *_) in {**layer.parameters(), **layer.state()}.items()
    }
    return layer


# One function for each operator.


def _reads(*kinds: str) -> Callable[[Reader], Reader]:
    def enter(reader: Reader) -> Reader:
        _READERS.update(dict.fromkeys(kinds, reader))
        return reader

    return enter


def _plain(unit: type[Layer], **settings: tuple[str, Any]) -> Reader:
    """Return a reader of an operator with the attributes of a unit."""

    def read(graph: Operators, node: Any) -> Layer:
        found = {
            name: graph.setting(node, attribute, usual)
            for name, (attribute, usual) in settings.items()
        }
        for name, value in found.items():
            if isinstance(value, float):
                found[name] = images.shortest(value)
        return unit(**found)

    return read


for _kind, _reader in {
    "Celu": _plain(CELU, alpha=("alpha", 1.0)),
    "Elu": _plain(ELU, alpha=("alpha", 1.0)),
    "Gelu": _plain(GELU, approximate=("approximate", "none")),
    "HardSigmoid": _plain(HardSigmoid, alpha=("alpha", 0.2), beta=("beta", 0.5)),
    "HardSwish": _plain(HardSwish),
    "Identity": _plain(Linear),
    "LeakyRelu": _plain(LeakyReLU, negative_slope=("alpha", 0.01)),
    "LogSoftmax": _plain(LogSoftmax, axis=("axis", -1)),
    "Mish": _plain(Mish),
    "Relu": _plain(ReLU),
    "Shrink": _plain(Shrink, threshold=("lambd", 0.5), bias=("bias", 0.0)),
    "Sigmoid": _plain(Sigmoid),
    "Softmax": _plain(Softmax, axis=("axis", -1)),
    "Softplus": _plain(Softplus),
    "Softsign": _plain(Softsign),
    "Tanh": _plain(Tanh),
    "ThresholdedRelu": _plain(ThresholdedReLU, threshold=("alpha", 1.0)),
}.items():
    _reads(_kind)(_reader)


@_reads("Selu")
def _selu(graph: Operators, node: Any) -> Layer:
    usual = {"alpha": 1.6732632, "gamma": 1.0507010}
    found = {name: graph.setting(node, name, value) for name, value in usual.items()}
    if not np.allclose([*found.values()], [*usual.values()], rtol=1e-6):
        raise InputError(f"SELU has the numbers {usual}, got {found}")
    return SELU()


@_reads("Clip")
def _clip(graph: Operators, node: Any) -> Layer:
    ends = (graph.constant(node, place) for place in (1, 2))
    low, high = (None if end is None else float(end) for end in ends)
    return Clip(low, high)


@_reads("PRelu")
def _prelu(graph: Operators, node: Any) -> Layer:
    slopes = graph.constant(node, 1)
    if slopes.size not in (1, *slopes.shape[-1:]):
        raise InputError(f"PReLU has slopes of the last axis, got {slopes.shape}")
    return _with_values(PReLU(slopes.size), slopes=slopes)


@_reads("Dropout")
def _dropout(graph: Operators, node: Any) -> Layer:
    return Dropout(float(graph.constant(node, 1, 0.5)))


@_reads("Flatten")
def _flatten(graph: Operators, node: Any) -> Layer:
    if graph.setting(node, "axis", 1) != 1:
        raise InputError("Flatten makes one row of each sample, which is axis 1")
    return Flatten()


@_reads("Reshape")
def _reshape(graph: Operators, node: Any) -> Layer:
    first, *lengths = (int(length) for length in graph.constant(node, 1))
    if first not in (0, -1) or 0 in lengths or (first == -1 and -1 in lengths):
        raise InputError(f"Reshape keeps the samples, got shape {[first, *lengths]}")
    return Flatten() if lengths == [-1] else Reshape(lengths)


@_reads("Add", "Div", "Mul", "Neg", "Sub")
def _rescaling(graph: Operators, node: Any) -> Layer:
    given = graph.given(node)[0]
    number = np.asarray(1.0) if node.op_type == "Neg" else graph.other(node, given)
    if number.size != 1:
        raise InputError(
            f"no unit computes {node.op_type} with an array of shape {number.shape}"
        )
    first, value = node.input[0] == given, number.item()
    if node.op_type == "Add":
        return Rescaling(1.0, value)
    if node.op_type == "Sub":
        return Rescaling(1.0, -value) if first else Rescaling(-1.0, value)
    if node.op_type == "Neg":
        return Rescaling(-1.0)
    if node.op_type == "Mul":
        return Rescaling(value)
    if not first or not value:
        raise InputError(
            f"no unit divides as node {node.name or node.output[0]!r} does"
        )
    return Rescaling(1.0 / value)


def _dense(weights: np.ndarray, biases: np.ndarray | None) -> Dense:
    n, k = weights.shape
    dense = Dense(n, k, use_bias=biases is not None)
    _with_values(dense, weights=weights, biases=biases)
    return dense


@_reads("MatMul")
def _matmul(graph: Operators, node: Any) -> Layer:
    weights = graph.constants.get(node.input[1])
    if weights is None or weights.ndim != 2:
        raise InputError("MatMul is a Dense where its second input is a matrix")
    return _dense(weights, None)


@_reads("Gemm")
def _gemm(graph: Operators, node: Any) -> Layer:
    weights, biases = graph.constant(node, 1), graph.constant(node, 2)
    if graph.setting(node, "transA", 0) or node.input[1] not in graph.constants:
        raise InputError("Gemm is a Dense where its second input is a matrix")
    if graph.setting(node, "transB", 0):
        weights = weights.T
    weights = weights * weights.dtype.type(graph.setting(node, "alpha", 1.0))
    if biases is not None:
        beta = biases.dtype.type(graph.setting(node, "beta", 1.0))
        biases = np.broadcast_to(biases * beta, (1, weights.shape[1]))
    return _dense(weights, biases)


@_reads("Gather")
def _gather(graph: Operators, node: Any) -> Layer:
    weights = graph.constants.get(node.input[0])
    if weights is None or weights.ndim != 2 or graph.setting(node, "axis", 0):
        raise InputError("Gather is an Embedding where it takes rows of a matrix")
    return _with_values(Embedding(*weights.shape), weights=weights)


@_reads("BatchNormalization")
def _batch_norm(graph: Operators, node: Any) -> Layer:
    if graph.ranks.get(node.input[0]) != 2:
        raise InputError(
            "BatchNormalization is read where its inputs have two axes; with more, "
            "ONNX has features on the second, and BatchNorm on the last"
        )
    return images.batch_norm(graph, node)


@_reads("ReduceMean")
def _mean(graph: Operators, node: Any) -> Layer:
    return images.mean_over(graph, node, graph.given(node)[0], (1, 2))


@_reads("LayerNormalization")
def _layer_norm(graph: Operators, node: Any) -> Layer:
    gamma = graph.constant(node, 1)
    if graph.setting(node, "axis", -1) != -1 or gamma.ndim != 1:
        raise InputError("LayerNorm computes over the last axis")
    beta = graph.constant(node, 2, np.zeros_like(gamma))
    layer = LayerNorm(
        gamma.size, eps=images.shortest(graph.setting(node, "epsilon", 1e-5))
    )
    return _with_values(layer, gamma=gamma, beta=beta)
