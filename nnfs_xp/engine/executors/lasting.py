"""How a CUDA graph can outlive the training that it was captured for."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Backend
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import Batch, Rows, Tree
from nnfs_xp.kernels import kernel_mode
from nnfs_xp.kernels.cupy.elsewhere import Sources, kinds_of


class LastingRows:
    """A batch of data that the device looks up; see `nnfs_xp.engine.step.Rows`.

    Attributes
    ----------
    kind : tuple
        Equal ones can stand for each other.
    """

    def __init__(self, rows: Rows, kinds: Any) -> None:
        self.size, self.gather = rows.size, rows.gather
        self.kind = rows.gather, kinds
        self._found = Sources(kinds)
        self.sources = self._found.arrays

    @classmethod
    def of(cls, rows: Rows) -> LastingRows | None:
        """Return an object that stands for such batches; None if that is impossible."""
        kinds = kinds_of(*rows.sources)
        return None if kinds is None else cls(rows, kinds)

    def point_to(self, rows: Rows) -> None:
        """Make the next launches gather rows from these sources."""
        self._found.point_to(*rows.sources)

    def load(self, be: Backend, state: Tree) -> Batch:
        """Gather the rows of the next batch."""
        return self.gather(be, self.sources, state["row"])


def kind_of(
    network: Network, state: Tree, batches: list[Any], counters: Any
) -> tuple[Any, ...] | None:
    """Return everything that graphs depend on besides values; None if unknown.

    Settings of the package's units are fixed. The dependencies of other units are
    unknown.
    """
    last = all(isinstance(rows, LastingRows) for rows in batches)
    if not network.has_own_parts_only or not last:
        return None
    rows = tuple(one.kind for one in batches)
    return kernel_mode(), counters.steps_before, rows, _shapes(state)


def _shapes(tree: Tree) -> dict[str, Any]:
    return {
        key: _shapes(value) if isinstance(value, dict) else (value.shape, value.dtype)
        for key, value in tree.items()
    }


def put_in(state: Tree, arrays: Tree) -> None:
    """Move the values of a state into arrays, which then belong to the state."""
    for key, array in arrays.items():
        if isinstance(array, dict):
            put_in(state[key], array)
        else:
            array[...] = state[key]
            state[key] = array


def taken_out(state: Tree, arrays: Tree) -> None:
    """Give a state copies in place of these arrays."""
    for key, array in arrays.items():
        if isinstance(array, dict):
            taken_out(state.get(key, {}), array)
        elif key in state and state[key] is array:
            state[key] = array.copy()
