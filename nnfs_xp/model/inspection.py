"""A look inside a network: the outputs of its units, and the gradients."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.engine.data import Data
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.state import State
from nnfs_xp.engine.step import add_penalties, loss_and_gradient


class _WatchedContext(Context):
    """Keeps the output of its unit."""

    output: Any = None

    def fwd(self, x: Any) -> tuple[Any, Any]:
        self.output, residuals = super().fwd(x)
        return self.output, residuals


def activations(state: State, data: Data) -> list[Array]:
    """Return the output of every unit that contains no others."""
    program = Program(state.network, context=_WatchedContext)
    program.begin(state.tree).fwd(data.inputs)
    return [cx.output for cx, _ in program.contexts if not cx.unit.children]  # type: ignore[attr-defined]


def gradients(state: State, data: Data) -> dict[str, Array]:
    """Return the gradient of loss and penalties for every trained parameter."""
    network = state.network
    program = Program(network, keeps=True, absorbs=True)
    root = program.begin(state.tree)
    y_pred, residuals = root.fwd(data.inputs)
    _, _, dy = loss_and_gradient(network, y_pred, data.y)
    root.bwd(residuals, dy)
    found = program.gradients(state.tree)
    add_penalties(network, program.arrays, found)
    return found
