"""The arrays of a model: one tree, and the numbers that go with it on the host.

::

    parameters   blocks of the parameters that learn
    frozen       blocks of those that do not
    buffers      what units keep and do not train, by path
    gradients    blocks like the parameters; only where arrays can be written to
    optimizer    what the optimizer's ``init`` returned
    penalty      0-d, the penalties before the last batch was learned, if there are any
    totals       statistics of all batches since they were last reset
    batch        those of the last batch
    row          only where batches are gathered on the device: the next row
    scaling      only in float16: what gradients are scaled by
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine import loss_scaling
from nnfs_xp.engine.layout import named_array
from nnfs_xp.engine.network import Network, Node
from nnfs_xp.engine.statistics import empty_statistics
from nnfs_xp.errors import InputError
from nnfs_xp.random import Stream
from nnfs_xp.trees import leaves, map_leaves

Named = dict[str, Any]
Tree = dict[str, Any]
# How the names begin of what is saved beside the parameters, to go on learning.
LEARNING_STATE = ("optimizer.", "scaling.")


@dataclasses.dataclass
class Counters:
    """How far a training has come, known without reading anything back.

    Attributes
    ----------
    epochs, steps : int
        Complete ones, over the life of the model.
    steps_before : int
        Those that were taken before the present optimizer was set.
    """

    epochs: int = 0
    steps: int = 0
    steps_before: int = 0

    @property
    def optimizer_steps(self) -> int:
        """Steps that the present optimizer has taken."""
        return self.steps - self.steps_before


class State:
    """The arrays of a network, as its units and files know them.

    Parameters
    ----------
    network : Network
        What the arrays belong to. Units that have values already keep them; the
        values of all others are drawn.
    counters : Counters, optional
    before : State, optional
        Whose values those units keep that it has; they may belong to another model
        by now.

    Attributes
    ----------
    tree : dict
        The arrays.
    counters : Counters
    last_rate : float or None
        The learning rate of the last step.
    in_use : bool
        Whether a training is under way.
    """

    def __init__(
        self,
        network: Network,
        counters: Counters | None = None,
        before: State | None = None,
    ) -> None:
        self.network, self.counters = network, counters or Counters()
        self.last_rate: float | None = None
        self._rate_written: float | None = None
        self.in_use = False
        # Moments of parameters that are frozen now, to go on with later.
        self._set_aside: Named = {}
        be = network.backend
        with be.context():
            values = _starting_values(network, before)
            parameters = network.learned.pack(values)
            self.tree: Tree = {
                "parameters": parameters,
                "frozen": network.frozen.pack(values),
                "buffers": {
                    path: be.xp.asarray(be.asarray(values[path], be.dtype), copy=True)
                    for path in network.buffer_shapes
                },
            }
            if be.in_place:
                self.tree["gradients"] = network.learned.zeros()
            if network.regularizers:
                self.tree["penalty"] = be.zeros(())
            if network.optimizer is not None:
                self.tree["optimizer"] = network.optimizer.init(be, parameters)
                if loss_scaling.needed(be):
                    self.tree["scaling"] = loss_scaling.init(be)

    # Values by path.

    def _arrays(self) -> Named:
        network, tree = self.network, self.tree
        return {
            **network.learned.views(tree["parameters"]),
            **network.frozen.views(tree["frozen"]),
            **tree["buffers"],
        }

    def _readable(self, array: Array) -> Array:
        # Where arrays can be written to they are views, which follow training. Else a
        # compiled step takes the memory of its inputs, and whoever reads a parameter
        # must be able to keep it.
        be = self.network.backend
        return array if be.in_place else be.xp.asarray(array, copy=True)

    def parameters(self) -> Named:
        """Return every parameter by path, such as ``0.weights``."""
        arrays = self._arrays()
        return {
            path: self._readable(arrays[path])
            for path, (node, name) in self.network.by_path.items()
            if name in node.parameters
        }

    def buffers(self) -> Named:
        """Return what units keep and do not train, by path."""
        return {k: self._readable(v) for k, v in self.tree["buffers"].items()}

    def of_unit(self, node: Node) -> Named:
        """Return parameters and buffers of one unit by their own names."""
        arrays = self._arrays()
        return {name: self._readable(arrays[node.key(name)]) for name in node.shapes}

    def assign(self, path: str, value: Array) -> None:
        """Replace the values of one parameter or buffer, unchecked."""
        be, tree, network = self.network.backend, self.tree, self.network
        with be.context():
            if be.in_place:
                self._arrays()[path][...] = value
                return
            for layout, part in (
                (network.learned, "parameters"), (network.frozen, "frozen")
            ):  # fmt: skip
                if path in layout.shapes:
                    tree[part][path] = value
            if path in tree["buffers"]:
                tree["buffers"][path] = value

    # Before and while a model is trained.

    def detach(self) -> None:
        """Copy all arrays, so that a step may give up the memory of the old.

        A compiled step on JAX reuses the memory of its input. Whoever still
        holds an array from before a call of ``fit`` must find it intact.
        """
        copy = self.network.backend.xp.asarray
        self.tree.pop("batch", None)
        self.tree = map_leaves(lambda leaf: copy(leaf, copy=True), self.tree)

    def reset_totals(self, outputs: tuple[int, ...]) -> None:
        """Begin new statistics, for outputs of a shape."""
        self.tree.pop("row", None)
        self.tree.pop("batch", None)
        self.tree["totals"] = empty_statistics(self.network, outputs)

    def start_device_counters(self, outputs: tuple[int, ...]) -> None:
        """Count rows on the device, and give statistics places that they keep.

        Whoever has captured a step goes on writing to them.
        """
        be = self.network.backend
        self.tree["row"] = be.zeros((), be.xp.int32)
        for name in ("totals", "batch"):
            self.tree[name] = empty_statistics(self.network, outputs)

    def restart_device_counters(self) -> None:
        """Begin an epoch: no row was seen yet, and no statistics are known."""
        for leaf in (self.tree["row"], *leaves(self.tree["totals"])):
            leaf[...] = 0

    def begin_step(self) -> None:
        """Let the next step have its learning rate."""
        self.write_rate()
        self.last_rate = self._rate_written

    def write_rate(self) -> None:
        """Write the learning rate that the optimizer says for the next step."""
        network = self.network
        if network.optimizer is not None:
            self._rate_written = network.optimizer.write_rate(
                network.backend,
                self.tree["optimizer"],
                self.counters.optimizer_steps,
                self._rate_written,
            )

    def count_again(self) -> None:
        """Let the device count what the host has, after a step that failed."""
        be, step = self.network.backend, self.counters.optimizer_steps
        with be.context():
            be.assign(self.tree["optimizer"], "step", be.asarray(step, "int32"))

    # What is saved, and moved to other backends.

    def export(self) -> Named:
        """Return host copies of all values and of the state of learning, by name."""
        return {**self.export_values(), **self.export_learning()}

    def export_values(self) -> Named:
        """Return host copies of parameters and buffers, by path."""
        be, arrays = self.network.backend, self._arrays()
        return {path: be.to_numpy(arrays[path]) for path in self.network.by_path}

    def export_learning(self) -> Named:
        """Return host copies of the state of optimizer and loss scaling, by name."""
        self.write_rate()
        be, named = self.network.backend, {}
        for key, value in self.tree.get("optimizer", {}).items():
            if isinstance(value, dict):
                for path, array in self.network.learned.views(value).items():
                    named[f"optimizer.{key}.{path}"] = array
            else:
                named[f"optimizer.{key}"] = value
        for key, value in self.tree.get("scaling", {}).items():
            named[f"scaling.{key}"] = value
        found = {name: be.to_numpy(array) for name, array in named.items()}
        return {**self._set_aside, **found}

    def restore_learning(
        self,
        named: Mapping[str, Any],
        *,
        anew: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Take over the state of learning that `export` returned, if it is there.

        Without loss scaling here, or there, the one of this network stays as it is.

        Parameters
        ----------
        named : dict
            As `export_learning` returns it.
        anew : dict
            Moments of parameters that have none there, by path.

        Raises
        ------
        InputError
            If it is that of another optimizer or network.
        """
        be, optimizer = self.network.backend, self.tree.get("optimizer", {})
        scaling = self.tree.get("scaling", {})
        for key, value in scaling.items():
            number = named.get(f"scaling.{key}", value)
            if number.shape != ():
                raise InputError(f"there is no number scaling.{key}")
            scaling[key] = be.asarray(number, value.dtype)
        saved = {
            name.removeprefix("optimizer."): value
            for name, value in named.items()
            if name.startswith("optimizer.")
        }
        if not saved:
            return
        for key, value in optimizer.items():
            if isinstance(value, dict):
                self._restore_moments(key, saved, anew)
            elif key in saved and saved[key].shape == ():
                optimizer[key] = be.asarray(saved[key], value.dtype)
            else:
                raise InputError(f"there is no number optimizer.{key}")
        steps = check_count(saved["step"].item(), "optimizer.step", least=0)
        self.counters.steps_before = self.counters.steps - steps

    def _restore_moments(self, key: str, saved: Named, anew: Mapping[str, Any]) -> None:
        """Take over one moment; that of a frozen parameter is set aside."""
        network = self.network
        given = dict(anew) | {
            name.removeprefix(f"{key}."): value
            for name, value in saved.items()
            if name.startswith(f"{key}.")
        }
        for path in list(given):
            if path in network.frozen.shapes:
                shape = network.frozen.shapes[path]
                self._set_aside[f"optimizer.{key}.{path}"] = named_array(
                    given, path, shape
                )
        self.tree["optimizer"][key] = network.learned.pack(given)


def _starting_values(network: Network, before: State | None) -> Named:
    """Return the values that units have already, and draw those of all others."""
    be = network.backend
    named: Named = {}
    for node in network:
        known = _held_values(node.unit, be, before)
        for name, (initializer, shape, _) in node.parameters.items():
            if name not in known:
                seed, stream = network.stream(node, name)
                value = initializer(Stream(seed, stream), shape)
                known[name] = value if hasattr(value, "shape") else be.asarray(value)
        for name, (value, shape) in node.buffers.items():
            if name not in known:
                known[name] = be.full(shape, value)
        named |= {node.key(name): known[name] for name in node.shapes}
    return named


def _held_values(unit: Any, be: Backend, before: State | None) -> Named:
    """Return the values that a unit has: with whoever holds them, or set beforehand.

    They are arrays of the library of `be`, or on the host.
    """
    if before is not None and id(unit) in before.network.nodes:
        network, state = before.network, before
    elif unit._home is not None:
        network, state = unit._home
    else:
        return dict(unit._values or {})
    values = state.of_unit(network.nodes[id(unit)])
    if network.backend.name == be.name:
        return values
    return {name: network.backend.to_numpy(array) for name, array in values.items()}


def hold(state: State, before: State | None = None) -> None:
    """Let the units of a network find their values in a state from now on.

    Parameters
    ----------
    state : State
    before : State, optional
        The state in whose place it is. Units that it has lost to another model stay
        with that one.
    """
    for node in state.network:
        unit = node.unit
        held = before is not None and id(unit) in before.network.nodes
        if held and unit._home is not None and unit._home[1] is not before:
            continue
        unit._home, unit._values = (state.network, state), None
