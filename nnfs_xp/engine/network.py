"""A network: the tree of its units, and how their arrays are named and laid out."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from nnfs_xp.arguments import check_number
from nnfs_xp.backends import Backend
from nnfs_xp.checks import check_settings, check_sizes
from nnfs_xp.engine.layout import Shape, layout_for
from nnfs_xp.errors import InputError
from nnfs_xp.registry import is_of_library, resolve


class Parameter(NamedTuple):
    """A parameter as its unit declares it."""

    initializer: Any
    shape: Shape
    regularizer: Any = None
    constraint: Any = None


class Buffer(NamedTuple):
    """A buffer as its unit declares it: its initial value, and its shape."""

    value: float
    shape: Shape


@dataclasses.dataclass(frozen=True)
class Absorbed:
    """Units whose computation the engine moves elsewhere.

    Attributes
    ----------
    loss : Loss or None
        The loss of the logits, in place of the output activation and the loss.
    output_activation : Layer or None
        The last unit, which that loss replaces.
    rescaling : Layer or None
        The first unit, whose factor and summand may be applied where batches are
        gathered.
    """

    loss: Any = None
    output_activation: Any = None
    rescaling: Any = None


class Node:
    """One unit of a network, with the paths of its arrays.

    Attributes
    ----------
    unit : Layer
    path : str
        Such as ``3.inner.1``, empty for the root.
    trainable, own_flag : bool
        Whether unit and all units around it are, and what the unit itself says.
    parameters, buffers : dict
        What the unit declares, by name.
    shapes : dict
        The shapes of both.
    """

    def __init__(self, unit: Any, path: str, trainable: bool) -> None:
        self.unit, self.path, self.trainable = unit, path, trainable
        self.own_flag = unit.trainable
        self.parameters = {
            name: _parameter(unit, name, entry)
            for name, entry in unit.parameters().items()
        }
        self.buffers = {
            name: Buffer(check_number(value, name), tuple(shape))
            for name, (value, shape) in unit.state().items()
        }
        declared: dict[str, Any] = {**self.parameters, **self.buffers}
        self.shapes: dict[str, Shape] = {n: own.shape for n, own in declared.items()}
        names = [*self.parameters, *self.buffers, *unit.children]
        for name in names:
            if not isinstance(name, str) or not name or "." in name:
                raise InputError(f"{unit!r}: {name!r} cannot name a part of a unit")
        if len(set(names)) < len(names):
            raise InputError(
                f"{unit!r}: parameters, buffers and children must have different "
                f"names, got {names}"
            )

    def key(self, name: str) -> str:
        """Return the path of a parameter, buffer or child."""
        return f"{self.path}.{name}" if self.path else name


@dataclasses.dataclass(eq=False, repr=False)
class Network:
    """Everything about a model that is not an array, fixed when a step is compiled.

    Parameters
    ----------
    root : Layer
        The unit that contains all others.
    backend : Backend
    seed : int
        Seed of the initial values and of the random numbers.
    loss : Loss, optional
    optimizer : Optimizer, optional
    metrics : sequence of Metric
    absorbed : Absorbed, optional
    standalone : bool, default False
        Whether the root is a unit that no model holds.

    Attributes
    ----------
    nodes : dict of int to Node
        By the ``id`` of the unit: a unit that stands in two places has one node, and
        the first path names its arrays.
    learned, frozen : Layout
        Layouts of the parameters that the optimizer changes, and of the others.
    """

    root: Any
    backend: Backend
    seed: int
    _: dataclasses.KW_ONLY
    loss: Any = None
    optimizer: Any = None
    metrics: Sequence[Any] = ()
    absorbed: Absorbed = Absorbed()
    standalone: bool = False

    def __post_init__(self) -> None:
        self.training_loss = self.absorbed.loss or self.loss
        # Shapes of outputs for the kinds of samples that were found valid.
        self.taken: dict[Any, Any] = {}
        # Those of them that are computed with as they are.
        self.predicted: set[Any] = set()
        self.nodes: dict[int, Node] = {}
        for unit, path, trainable in _walk(self.root):
            node = self.nodes[id(unit)] = Node(unit, path, trainable)
            check_settings(self.backend, unit)
            check_sizes(self.backend, unit, node.shapes)
        for unit in (self.loss, *self.metrics):
            if unit is not None:
                check_settings(self.backend, unit)
        learned: dict[str, Shape] = {}
        frozen: dict[str, Shape] = {}
        self.regularizers: dict[str, Any] = {}
        self.constraints: dict[str, Any] = {}
        for node in self:
            for name, own in node.parameters.items():
                path = node.key(name)
                (learned if node.trainable else frozen)[path] = own.shape
                if node.trainable and own.regularizer is not None:
                    self.regularizers[path] = own.regularizer
                if node.trainable and own.constraint is not None:
                    self.constraints[path] = own.constraint
        be = self.backend
        self.learned, self.frozen = layout_for(be, learned), layout_for(be, frozen)
        self.metrics_need_activation = any(not m.ranks_only for m in self.metrics)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    @functools.cached_property
    def by_path(self) -> dict[str, tuple[Node, str]]:
        """Node and own name of each parameter and buffer, by path, in order."""
        return {node.key(name): (node, name) for node in self for name in node.shapes}

    def views(self, tree: dict[str, Any]) -> dict[str, Any]:
        """Return all parameters by path, as stored in the blocks of a state."""
        learned = self.learned.views(tree["parameters"])
        return {**learned, **self.frozen.views(tree["frozen"])}

    @property
    def buffer_shapes(self) -> dict[str, Buffer]:
        """The buffers of all units, by path."""
        return {
            node.key(name): buffer
            for node in self
            for name, buffer in node.buffers.items()
        }

    def shape_of(self, path: str) -> Shape:
        """Return the shape of a parameter or buffer."""
        node, name = self.by_path[path]
        return node.shapes[name]

    @functools.cached_property
    def has_own_layers_only(self) -> bool:
        """Whether all layers and activations are the library's own."""
        return all(is_of_library(type(node.unit)) for node in self)

    @functools.cached_property
    def users_parts(self) -> list[Any]:
        """All that a training step calls and that is not one of the library's units."""
        parts = (
            *(node.unit for node in self), self.training_loss, self.optimizer,
            *self.metrics, *self.regularizers.values(), *self.constraints.values(),
        )  # fmt: skip
        return [p for p in parts if p is not None and not is_of_library(type(p))]

    @property
    def has_own_parts_only(self) -> bool:
        """Whether all that a training step calls is the library's."""
        return not self.users_parts

    def learns(self, unit: Any) -> bool:
        """Return whether any parameter in a unit is trained."""
        inside = (self.nodes[id(inner)] for inner in units_of(unit))
        return any(node.parameters and node.trainable for node in inside)

    def stream(self, node: Node, purpose: str) -> tuple[int, str]:
        """Return seed and name of a unit's stream of random numbers.

        A unit's own seed takes precedence over that of the network.
        """
        own = getattr(node.unit, "seed", None)
        if own is not None:
            return own, f"layer.{purpose}"
        parts = ("layer" if self.standalone else "layers", node.path, purpose)
        return self.seed, ".".join(part for part in parts if part)

    def is_current(self) -> bool:
        """Return whether the same units are frozen as before."""
        nodes = self.nodes.values()
        # No generator, because every prediction calls this.
        if all([node.unit.trainable is node.own_flag for node in nodes]):
            return True
        now = [trainable for _, _, trainable in _walk(self.root)]
        return now == [node.trainable for node in self]


def _walk(root: Any) -> Iterator[tuple[Any, str, bool]]:
    """Yield each unit once, with its path, and whether it and all around it learn."""
    seen: set[int] = set()
    waiting = [(root, "", True)]
    while waiting:
        unit, path, around = waiting.pop()
        if id(unit) not in seen:
            seen.add(id(unit))
            trainable = around and unit.trainable
            yield unit, path, trainable
            start = f"{path}." if path else ""
            for name, child in reversed(list(unit.children.items())):
                waiting.append((child, f"{start}{name}", trainable))


def units_of(unit: Any) -> Iterator[Any]:
    """Yield a unit and all inside it, each once."""
    return (inner for inner, _, _ in _walk(unit))


def _parameter(unit: Any, name: str, entry: Any) -> Parameter:
    """Return a declaration with its units, from the forms an author may use."""
    if not isinstance(entry, (tuple, list)) or len(entry) not in (2, 3, 4):
        raise InputError(
            f"{unit!r}: parameters() must give (initializer, shape), (initializer, "
            "shape, regularizer) or (initializer, shape, regularizer, constraint) for "
            f"{name!r}, got {entry!r}"
        )
    initializer, shape, *rest = entry
    if not callable(initializer):
        initializer = resolve("initializer", initializer, name)
    regularizer, constraint = [*rest, None, None][:2]
    if regularizer is not None and not hasattr(regularizer, "penalty"):
        regularizer = resolve("regularizer", regularizer, name)
    if constraint is not None and not hasattr(constraint, "project"):
        constraint = resolve("constraint", constraint, name)
    return Parameter(initializer, tuple(shape), regularizer, constraint)
