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
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine import loss_scaling
from nnfs_xp.engine.layout import named_array
from nnfs_xp.engine.network import Network, Node
from nnfs_xp.engine.statistics import empty_statistics
from nnfs_xp.errors import InputError
from nnfs_xp.io.checkpoint import MOST_STEPS
from nnfs_xp.random import Stream
from nnfs_xp.trees import copied_leaves, copy_tree, leaves

Named = dict[str, Any]
Tree = dict[str, Any]
# Prefixes of the names of arrays that are saved to continue training.
LEARNING_STATE = ("optimizer.", "scaling.")


@dataclasses.dataclass
class Counters:
    """The progress of a training, known without reading anything back.

    Attributes
    ----------
    epochs, steps : int
        Complete ones, over the life of the model.
    steps_before : int
        Those that were taken before the current optimizer was set.
    """

    epochs: int = 0
    steps: int = 0
    steps_before: int = 0

    @property
    def optimizer_steps(self) -> int:
        """Steps that the current optimizer has taken."""
        return self.steps - self.steps_before


class State:
    """The arrays of a network, under the names of its units and files.

    Parameters
    ----------
    network : Network
        The network of the arrays. Units that already have values keep them; the values
        of all others are drawn.
    counters : Counters, optional
    before : State, optional
        A state whose units keep their values; they may belong to another model by now.

    Attributes
    ----------
    tree : dict
        The arrays.
    counters : Counters
    in_use : bool
        Whether training is in progress.
    """

    def __init__(
        self,
        network: Network,
        counters: Counters | None = None,
        before: State | None = None,
    ) -> None:
        self.network, self.counters = network, counters or Counters()
        self._rate_written: float | None = None
        # Shape of the outputs of the totals, and whether their samples are weighted.
        self._totals_kind: tuple[tuple[int, ...], bool] | None = None
        # Initial totals of that kind, if arrays can be written to.
        self._empty: Tree = {}
        # Initial arrays of an epoch if they cannot, and the outputs, weights and
        # executor that they are for.
        self._beginning: Tree = {}
        self._beginning_kind: Any = None
        # Whether nobody else can hold an array of the tree. A user's unit may return a
        # parameter as its output.
        self._is_own = False
        self._hands_out_copies = network.has_own_layers_only
        self.in_use = False
        # Moments of parameters that are frozen now, to continue with later.
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
        return {**self.network.views(self.tree), **self.tree["buffers"]}

    def _readable(self, array: Array) -> Array:
        # If arrays can be written to, they are views, which follow training. If not, a
        # compiled step reuses the memory of its inputs, and whoever reads a parameter
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
        """Return the buffers of the units, by path."""
        return {k: self._readable(v) for k, v in self.tree["buffers"].items()}

    def averages(self) -> Named:
        """Return the averages that the optimizer keeps, by path."""
        learned, kept = self.network.learned, self.tree["optimizer"]["average"]
        views = learned.views(kept)
        # JAX returns dicts sorted by key.
        return {path: self._readable(views[path]) for path in learned.shapes}

    def of_unit(self, node: Node) -> Named:
        """Return parameters and buffers of one unit by their own names."""
        arrays = self._arrays()
        return {name: self._readable(arrays[node.key(name)]) for name in node.shapes}

    def assign(self, path: str, value: Array) -> None:
        """Replace the values of one parameter or buffer, unchecked."""
        be, tree = self.network.backend, self.tree
        with be.context():
            if be.in_place:
                self._arrays()[path][...] = value
                return
            self.lend()
            for part in (tree["parameters"], tree["frozen"], tree["buffers"]):
                if path in part:
                    part[path] = value

    # Before and while a model is trained.

    def lend(self) -> None:
        """Note that others may hold arrays of the tree from here on."""
        self._is_own = False

    def detach(self) -> None:
        """Copy all arrays, so that a step may give up the memory of the old ones.

        A compiled step on JAX reuses the memory of its input. Anyone who still holds an
        array from before a call of ``fit`` must find it intact. If arrays cannot be
        written to, the arrays that a training has left are given out as copies, so
        nothing needs to be copied before the next training, unless they were lent.
        """
        self.tree.pop("batch", None)
        if not self._is_own:
            self.tree = copied_leaves(self.network.backend.xp, self.tree)
        self._is_own = not self.network.backend.in_place and self._hands_out_copies

    def reset_totals(self, outputs: tuple[int, ...], weighted: bool = False) -> None:
        """Begin new statistics, for outputs of a shape, of weighted samples or not.

        If arrays can be written to, statistics of the same kind keep their arrays,
        because a recorded step continues to write to them.
        """
        self.tree.pop("row", None)
        self.tree.pop("batch", None)
        if self.network.backend.in_place and (outputs, weighted) == self._totals_kind:
            self._empty_totals()
        else:
            self._new_totals(outputs, weighted)

    def _new_totals(self, outputs: tuple[int, ...], weighted: bool) -> None:
        self._totals_kind = outputs, weighted
        totals = empty_statistics(self.network, outputs, weighted)
        self.tree["totals"] = totals
        be = self.network.backend
        self._empty = copied_leaves(be.xp, totals) if be.in_place else {}

    def _empty_totals(self) -> None:
        for leaf, value in zip(
            leaves(self.tree["totals"]), leaves(self._empty), strict=True
        ):
            leaf[...] = value

    def start_device_counters(
        self, outputs: tuple[int, ...], weighted: bool, executor: Any
    ) -> None:
        """Count rows on the device, and give the statistics permanent arrays.

        A captured step continues to write to them. If arrays cannot be written to, an
        executor finds the same ones in every training.
        """
        network, be = self.network, self.network.backend
        if be.in_place:
            self.tree["row"] = be.zeros((), be.xp.int32)
            self._new_totals(outputs, weighted)
            self.tree["batch"] = empty_statistics(network, outputs, weighted)
            return
        kind = outputs, weighted, executor
        if kind != self._beginning_kind:
            self._beginning = {"row": be.zeros((), be.xp.int32)}
            for name in ("totals", "batch"):
                self._beginning[name] = empty_statistics(network, outputs, weighted)
            self._beginning_kind = kind
        self.tree |= copy_tree(self._beginning)

    def restart_device_counters(self) -> None:
        """Begin an epoch: no row has been seen yet, and no statistics are known."""
        if self.network.backend.in_place:
            self.tree["row"][...] = 0
            self._empty_totals()
        else:
            # New ones would take JAX a call for each, and those of the host a program.
            new = copy_tree(self._beginning)
            self.tree |= {name: new[name] for name in ("row", "totals")}

    def write_rate(self) -> float | None:
        """Write the learning rate of the next step, and return it."""
        be, optimizer = self.network.backend, self.network.optimizer
        if optimizer is not None:
            step, written = self.counters.optimizer_steps, self._rate_written
            slots = self.tree["optimizer"]
            self._rate_written = optimizer.write_rate(be, slots, step, written)
        return self._rate_written

    def count_again(self) -> None:
        """Set the device's counters to those of the host, after a step that failed."""
        be, step = self.network.backend, self.counters.optimizer_steps
        with be.context():
            be.assign(self.tree["optimizer"], "step", be.asarray(step, "int32"))

    # Saving, and moving to other backends.

    def export(self) -> Named:
        """Return host copies of all values and of the state of learning, by name."""
        return {**self.export_values(), **self.export_learning()}

    def export_values(self) -> Named:
        """Return host copies of parameters and buffers, by path."""
        be, arrays = self.network.backend, self._arrays()
        return {path: be.to_numpy(arrays[path]) for path in self.network.by_path}

    def export_totals(self) -> Named:
        """Return host copies of the statistics of an epoch so far, by name."""
        be, totals = self.network.backend, self.tree["totals"]
        return {name: be.to_numpy(slots[key]) for name, slots, key in _slots(totals)}

    def restore_totals(self, named: Mapping[str, Any], row: int) -> None:
        """Take over statistics that `export_totals` returned, and the next row."""
        be = self.network.backend
        for name, slots, key in _slots(self.tree["totals"]):
            value = named_array(named, name, tuple(slots[key].shape))
            be.assign(slots, key, be.asarray(value, slots[key].dtype))
        if "row" in self.tree:
            be.assign(self.tree, "row", be.asarray(row, "int32"))

    def check(self, named: Mapping[str, Any]) -> None:
        """Raise InputError unless `restore` can take these arrays over."""
        network = self.network
        for path in network.by_path:
            named_array(named, path, network.shape_of(path))
        self._learned(named, complete=True)

    def restore(self, named: Mapping[str, Any], epochs: int, steps: int) -> None:
        """Take over all that `export` returned, at an epoch and a step.

        Raises
        ------
        InputError
            If it belongs to another network; nothing has changed then.
        """
        self.check(named)
        be = self.network.backend
        for path in self.network.by_path:
            self.assign(path, be.asarray(named[path], be.dtype))
        self.counters.epochs, self.counters.steps = epochs, steps
        self.restore_learning(named)

    def export_learning(self) -> Named:
        """Return host copies of the state of optimizer and loss scaling, by name."""
        self.write_rate()
        be = self.network.backend
        found = {name: be.to_numpy(slots[key]) for name, slots, key in self._learning()}
        return {**self._set_aside, **found}

    def restore_learning(
        self, named: Mapping[str, Any], *, complete: bool = True
    ) -> None:
        """Take over the state of learning that `export_learning` returned.

        If either side has no loss scaling, that of this network is unchanged. Moments
        of parameters that are frozen here are set aside.

        Parameters
        ----------
        named : dict
            As `export_learning` returns it, or without an optimizer.
        complete : bool, default True
            Whether all of the optimizer's state must be there. If not, missing parts
            are unchanged.

        Raises
        ------
        InputError
            If it belongs to another optimizer or network; nothing has changed then.
        """
        be = self.network.backend
        learned, set_aside, steps = self._learned(named, complete)
        self.lend()
        for slots, key, value in learned:
            with be.context():
                be.assign(slots, key, be.asarray(value, slots[key].dtype))
        self._set_aside |= set_aside
        if steps is not None:
            self.counters.steps_before = self.counters.steps - steps

    def _learned(
        self, named: Mapping[str, Any], complete: bool
    ) -> tuple[list[tuple[Tree, str, Any]], Named, int | None]:
        """Return slots and their values, moments to set aside, and the steps taken."""
        frozen = self.network.frozen.shapes
        of_optimizer = [name for name in named if name.startswith("optimizer.")]
        complete = complete and bool(of_optimizer)
        learned = [
            (slots, key, named_array(named, name, tuple(slots[key].shape)))
            for name, slots, key in self._learning()
            if name in named or (complete and name.startswith("optimizer."))
        ]
        set_aside, steps = {}, None
        for name in of_optimizer:
            _, _, path = name.removeprefix("optimizer.").partition(".")
            if path in frozen:
                set_aside[name] = named_array(named, name, frozen[path])
        if of_optimizer:
            steps = named_array(named, "optimizer.step", ()).item()
            steps = check_count(steps, "optimizer.step", least=0)
            if steps > MOST_STEPS:
                raise InputError(f"optimizer.step must fit 32 bits, got {steps}")
        return learned, set_aside, steps

    def _learning(self) -> Iterator[tuple[str, Tree, str]]:
        """Yield name, slots and key of each array of optimizer and loss scaling."""
        for part in ("optimizer", "scaling"):
            slots = self.tree.get(part, {})
            for key, value in slots.items():
                if isinstance(value, dict):
                    views = self.network.learned.views(value)
                    yield from ((f"{part}.{key}.{path}", views, path) for path in views)
                else:
                    yield f"{part}.{key}", slots, key


class Steps:
    """Steps that are taken in one call, with their numbers and learning rates.

    Each is counted when it is complete, or all of them by `end`. Fewer steps may be
    taken than requested.

    Parameters
    ----------
    state : State
    count : int
        How many at most.
    interrupted : callable
        Says whether to take no more of them.

    Attributes
    ----------
    first : int
        Number of the first step.
    rate : float or None
        Learning rate of the last step that was begun.
    """

    def __init__(
        self, state: State, count: int, interrupted: Callable[[], bool]
    ) -> None:
        self.state, self.count, self.interrupted = state, count, interrupted
        self.first = state.counters.steps
        self.rate: float | None = None

    def limit(self, most: int) -> None:
        """Take at most this many."""
        self.count = min(self.count, most)

    def __iter__(self) -> Iterator[int]:
        """Yield the number of each step, with its learning rate in the state."""
        state, counters, interrupted = self.state, self.state.counters, self.interrupted
        for _ in range(self.count):
            rate = state.write_rate()
            if interrupted():
                return
            self.rate = rate
            yield counters.steps
            counters.steps += 1
            if interrupted():
                return

    def rates(self) -> list[float]:
        """Return the learning rate of each step.

        If a schedule fails, there are no more steps; if it fails at the first one, its
        error is raised.
        """
        optimizer, before = self.state.network.optimizer, self.state.counters
        be, rates = self.state.network.backend, list[float]()
        for step in range(before.optimizer_steps, before.optimizer_steps + self.count):
            try:
                rate = optimizer.rate_on(be, step)
            except Exception:
                if not rates:
                    raise
                break
            if self.interrupted():
                break
            rates.append(rate)
        self.limit(len(rates))
        self.rate = rates[-1] if rates else None
        return rates

    def end(self) -> None:
        """Count all of them: they are complete."""
        self.state.counters.steps = self.first + self.count


def _slots(tree: Tree, path: str = "") -> Iterator[tuple[str, Tree, str]]:
    """Yield the name of each leaf of a tree, and the dict and the key of it."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _slots(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", tree, key


def _starting_values(network: Network, before: State | None) -> Named:
    """Return the values that units already have, and draw those of all others."""
    be = network.backend
    named: Named = {}
    for node in network:
        known = _held_values(node.unit, be, before)
        for name, (initializer, shape, *_) in node.parameters.items():
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
    """Return the values that a unit has: those of its model, or those set beforehand.

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
    """Make the units of a network find their values in a state from now on.

    Parameters
    ----------
    state : State
    before : State, optional
        The state that it replaces. Units that it has lost to another model stay with
        that model.
    """
    for node in state.network:
        unit = node.unit
        held = before is not None and id(unit) in before.network.nodes
        if held and unit._home is not None and unit._home[1] is not before:
            continue
        unit._home, unit._values = (state.network, state), None
