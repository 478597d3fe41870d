"""Programs: trees of contexts over a network, for training, evaluation or prediction.

A program is made once. If arrays can be written to, it is bound to those of a state
once, and a step then costs no more than its calls of ``fwd`` and ``bwd``. If they
cannot, it is bound in every pass, or made anew in every trace: contexts that outlive a
trace would leak what JAX traces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Buffers, Context, Gradients, OwnContext, Pass, Random
from nnfs_xp.engine.draws import Draws
from nnfs_xp.engine.layout import FLAT
from nnfs_xp.engine.network import Network, Node
from nnfs_xp.errors import InputError
from nnfs_xp.registry import is_of_library

Tree = dict[str, Any]
Arrays = dict[str, Array]


@dataclasses.dataclass(eq=False, repr=False)
class Program:
    """Contexts of a unit and of all units inside.

    Parameters
    ----------
    network : Network
    training : bool, default False
        Whether units compute as in training.
    keeps : bool, default False
        Whether residuals will be used.
    needs_dx : bool, default False
        Whether the gradient of the inputs is wanted.
    absorbs : bool, default False
        Whether the output activation is left out, because the loss computes with
        logits.
    rescaled : bool, default False
        Whether the inputs have been through the first unit, a `Rescaling`.
    unit : Layer, optional
        The unit to begin with; the root of the network if not given.
    context : type, default Context
        The class of the contexts. With another one, which watches what passes through,
        nothing is fused and gradients are new arrays.
    across : Across, optional
        What several ranks compute together; see `nnfs_xp.engine.ranks`.
    fork : Fork, optional
        A second branch of the step; see `Pass`.

    Attributes
    ----------
    run : Pass
    contexts : list of (Context, Node)
        All of them, the root's first.
    root : Context
        That of the unit to begin with.
    writes : bool
        Whether gradients are written to arrays of the state.
    arrays, slots : dict of str to array
        Parameters, and where their gradients are written to, by path.
    """

    network: Network
    _: dataclasses.KW_ONLY
    training: bool = False
    keeps: bool = False
    needs_dx: bool = False
    absorbs: bool = False
    rescaled: bool = False
    unit: Any = None
    context: type[Context] = Context
    across: Any = None
    fork: Any = None

    def __post_init__(self) -> None:
        network, absorbed = self.network, self.network.absorbed
        self.run = Pass(network.backend, self.fork)
        self._left_out = {
            id(absorbed.output_activation if self.absorbs else None),
            id(absorbed.rescaling if self.rescaled else None),
        }
        in_place, plain = network.backend.in_place, self.context is Context
        self.writes = self.training and in_place and plain
        self.contexts: list[tuple[Context, Node]] = []
        unit = network.root if self.unit is None else self.unit
        self.root = self._made(unit, network.nodes[id(unit)].path, self.needs_dx)
        self.arrays: Arrays = {}
        self.slots: Arrays = {}
        # The arrays that the contexts are bound to.
        self._flat: Array | None = None
        self._state: Tree | None = None

    def again(self) -> Program:
        """Return a program of the same kind, for a trace."""
        return dataclasses.replace(self)

    def _made(self, unit: Any, path: str, needs_dx: bool) -> Context:
        network, run = self.network, self.run
        node = network.nodes[id(unit)]
        kind = self.context
        if kind is Context and not is_of_library(type(unit)):
            kind = OwnContext
        cx = kind(
            unit,
            network.backend,
            path=path,
            grads=Gradients(run, node),
            buffers=Buffers(run, node),
            random=Random(run, path, *network.stream(node, "noise")),
            across=self.across,
            training=self.training,
            learns=network.learns(unit),
            needs_dx=needs_dx,
            keeps=self.keeps,
        )
        self.contexts.append((cx, node))
        children = unit.children
        if children:
            learns = {name: network.learns(child) for name, child in children.items()}
            needs = unit.children_need_dx(needs_dx, learns)
            if not isinstance(needs, Mapping) or set(needs) != set(learns):
                raise InputError(
                    f"children_need_dx of {type(unit).__name__} must return True or "
                    f"False for each of {list(learns)}, got {needs!r}"
                )
            cx.children = {
                name: self._made(child, f"{path}.{name}" if path else name, needs[name])
                for name, child in children.items()
                if id(child) not in self._left_out
            }
        if self.context is Context:
            unit._arrange(cx)
        return cx

    def begin(self, state: Tree, draws: Draws | None = None) -> Context:
        """Begin a pass over the arrays of a state, and return the root's context."""
        flat = state["parameters"].get(FLAT)
        # A user's optimizer may replace an array by a new one.
        if flat is None or flat is not self._flat or state is not self._state:
            network = self.network
            slots = network.learned.views(state["gradients"]) if self.writes else {}
            self.bind_arrays(network.views(state), state["buffers"], slots)
            self._flat, self._state = flat, state
        self.run.begin(draws or Draws(self.network.backend))
        return self.root

    def bind_arrays(self, arrays: Arrays, buffers: Arrays, slots: Any = None) -> None:
        """Let the contexts see parameters, buffers and slots for gradients, by path."""
        self.arrays, self.slots, self.run.buffers = arrays, slots or {}, buffers
        for cx, node in self.contexts:
            cx.params = {name: arrays[node.key(name)] for name in node.parameters}
            if slots and node.trainable:
                cx.grads.slots = {n: slots[node.key(n)] for n in node.parameters}

    def gradients(self, state: Tree) -> dict[str, Array]:
        """Return the blocks of the gradients that this pass has written.

        Raises
        ------
        InputError
            If one is missing.
        """
        shapes, run = self.network.learned.shapes, self.run
        run.copy_now()
        if len(run.written) != len(shapes):
            missing = sorted(set(shapes) - run.written)
            raise InputError(f"bwd has written no gradient of {', '.join(missing)}")
        if self.writes:
            return state["gradients"]
        return {path: run.gradients[path] for path in shapes}

    def commit(self, state: Tree) -> None:
        """Let the new values of buffers take effect."""
        for path, value in self.run.pending.items():
            self.network.backend.assign(state["buffers"], path, value)
