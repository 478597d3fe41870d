"""The layout of parameters in memory.

Every optimizer works on *blocks*: a dict of arrays. With the flat layout there is one
block, a buffer with all parameters in it, and each parameter is a view of a part of it;
one pass over the buffer then updates the whole network. If arrays cannot be written to,
or slices are not views, every parameter is its own block.

Both layouts know parameters by the same paths, such as ``0.weights``, which are those
of saved files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError

Shape = tuple[int, ...]
Arrays = dict[str, Array]
FLAT = "flat"


class Layout:
    """Parameters by path, in blocks.

    Parameters
    ----------
    be : Backend
        Where the arrays live.
    shapes : dict of str to tuple
        The shape of each parameter by its path, in order.
    """

    def __init__(self, be: Backend, shapes: Mapping[str, Shape]) -> None:
        self.backend = be
        self.shapes = dict(shapes)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def zeros(self) -> Arrays:
        """Return new blocks of zeros."""
        raise NotImplementedError

    def views(self, blocks: Arrays) -> Arrays:
        """Return the parameters by path, as they are stored in the blocks."""
        raise NotImplementedError

    def pack(self, named: Mapping[str, Any]) -> Arrays:
        """Return new blocks with host or own arrays, given by path.

        Raises
        ------
        InputError
            If one is missing, or has another shape.
        """
        be, blocks = self.backend, self.zeros()
        views = self.views(blocks)
        for path, shape in self.shapes.items():
            value = named_array(named, path, shape)
            be.assign(views, path, be.asarray(value, be.dtype))
        return blocks


class FlatLayout(Layout):
    """One buffer for all parameters."""

    def zeros(self) -> Arrays:
        """Return one buffer of zeros."""
        return {FLAT: self.backend.zeros((self.size,))}

    def views(self, blocks: Arrays) -> Arrays:
        """Return views into the buffer."""
        buffer, reshape = blocks[FLAT], self.backend.xp.reshape
        views, start = {}, 0
        for path, shape in self.shapes.items():
            stop = start + math.prod(shape)
            views[path] = reshape(buffer[start:stop], shape)
            start = stop
        return views


class SeparateLayout(Layout):
    """One array for each parameter."""

    def zeros(self) -> Arrays:
        """Return an array of zeros for each parameter."""
        return {path: self.backend.zeros(shape) for path, shape in self.shapes.items()}

    def views(self, blocks: Arrays) -> Arrays:
        """Return the blocks, which are the parameters."""
        return blocks


def layout_for(be: Backend, shapes: Mapping[str, Shape]) -> Layout:
    """Return the layout that suits a backend."""
    return (FlatLayout if be.in_place else SeparateLayout)(be, shapes)


def named_array(named: Mapping[str, Any], path: str, shape: Shape) -> Any:
    """Return an array by its path, if its shape is the given one.

    Raises
    ------
    InputError
        If it is missing, or has another shape.
    """
    value = named.get(path)
    if value is None:
        raise InputError(f"there is no {path}")
    if tuple(value.shape) != shape:
        raise InputError(f"{path} must have shape {shape}, got {tuple(value.shape)}")
    return value
