"""Parameters and buffers by layer, as `Model.get_parameters` returns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.engine.shell import fitted
from nnfs_xp.engine.state import State
from nnfs_xp.errors import InputError


def copied(state: State) -> list[tuple[Array, ...]]:
    """Return copies of the arrays of each layer that has any."""
    copy = state.network.backend.xp.asarray
    return [
        tuple(copy(v, copy=True) for v in state.of_unit(node).values())
        for node in state.network
        if node.shapes
    ]


def checked(state: State, parameters: Sequence[Sequence[Any]]) -> dict[str, Array]:
    """Return copies of arrays given by layer, by path.

    Raises
    ------
    InputError
        If a number or a shape does not fit.
    """
    be = state.network.backend
    nodes = [node for node in state.network if node.shapes]
    if not isinstance(parameters, (list, tuple)) or len(parameters) != len(nodes):
        raise InputError(
            f"parameters must hold an entry for each of {len(nodes)} layers"
        )
    found = {}
    for node, values in zip(nodes, parameters, strict=True):
        shapes = node.shapes
        if not isinstance(values, (list, tuple)) or len(values) != len(shapes):
            raise InputError(
                f"parameters of layer {node.path} must be ({', '.join(shapes)})"
            )
        for (name, shape), value in zip(shapes.items(), values, strict=True):
            path = node.key(name)
            array = fitted(be, value, path, shape, host_allowed=True)
            # A copy, so that later changes of the given array do not affect the model.
            found[path] = be.xp.asarray(array, copy=True)
    return found
