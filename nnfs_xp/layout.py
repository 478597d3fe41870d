"""How the parameters of a network lie in memory.

Every optimizer works on *blocks*: a dict of arrays. With the flat layout there
is one block, a buffer with all parameters in it, and a layer's weights are a
view of a stretch of it; one pass over the buffer then updates the whole
network. Where arrays cannot be written to, or slices are no views, every
parameter is a block of its own.

Both layouts know parameters by the same names, such as ``layers.0.weights``,
which are those of saved files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError

Blocks = dict[str, Array]
LayerParams = list[dict[str, Array]]
FLAT = "flat"
# Parameters, gradients, and the optimizer's moments.
_BUFFERS = 4


class Layout:
    """Names and shapes of all parameters, in the order of the layers.

    Parameters
    ----------
    be : Backend
        Where the arrays live.
    shapes : sequence of dict
        For each layer, the shapes of its parameters by name.
    """

    def __init__(
        self, be: Backend, shapes: Sequence[dict[str, tuple[int, ...]]]
    ) -> None:
        self.backend = be
        self.shapes = tuple(dict(layer) for layer in shapes)
        self.slots = [
            (index, name, shape)
            for index, layer in enumerate(self.shapes)
            for name, shape in layer.items()
        ]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(math.prod(shape) for _, _, shape in self.slots)

    def views(self, blocks: Blocks) -> LayerParams:
        """Return the parameters of each layer, as they lie in the blocks.

        The dicts are not to be written to; the arrays may be.
        """
        raise NotImplementedError

    def write(self, blocks: Blocks, layers: Sequence[dict[str, Array]]) -> None:
        """Write arrays of each layer into the blocks."""
        raise NotImplementedError

    def zeros(self) -> Blocks:
        """Return new blocks of zeros."""
        raise NotImplementedError

    def pack(self, named: dict[str, Any]) -> Blocks:
        """Return new blocks with host or own arrays, given by name.

        Raises
        ------
        InputError
            If one is missing, or has another shape.
        """
        blocks = self.zeros()
        self.write(blocks, self._by_layer(named))
        return blocks

    def unpack(self, blocks: Blocks) -> dict[str, Array]:
        """Return every parameter by its name."""
        views = self.views(blocks)
        return {
            parameter_name(index, name): views[index][name]
            for index, name, _ in self.slots
        }

    def _by_layer(self, named: dict[str, Any]) -> LayerParams:
        be = self.backend
        layers: LayerParams = [{} for _ in self.shapes]
        for index, name, shape in self.slots:
            value = named_parameter(named, index, name, shape)
            layers[index][name] = be.asarray(value, be.dtype)
        return layers


class FlatLayout(Layout):
    """One buffer for all parameters.

    Parameters
    ----------
    be : Backend
        Where the arrays live.
    shapes : sequence of dict
        For each layer, the shapes of its parameters by name.
    remembers : bool, default True
        Whether the views of a buffer are made once. Who traces a step wants
        them made in it.
    """

    def __init__(
        self,
        be: Backend,
        shapes: Sequence[dict[str, tuple[int, ...]]],
        remembers: bool = True,
    ) -> None:
        super().__init__(be, shapes)
        self.remembers = remembers
        # Making views takes longer than a small matrix product, and a network
        # has a handful of buffers that live as long as it does.
        self._views: dict[int, tuple[Array, LayerParams]] = {}
        self.stretches = []
        start = 0
        for index, name, shape in self.slots:
            stop = start + math.prod(shape)
            self.stretches.append((index, name, shape, slice(start, stop)))
            start = stop

    def views(self, blocks: Blocks) -> LayerParams:
        """Return views into the buffer."""
        buffer = blocks[FLAT]
        if not self.remembers:
            return self._make_views(buffer)
        known = self._views.get(id(buffer))
        if known is not None and known[0] is buffer:
            return known[1]
        layers = self._make_views(buffer)
        if len(self._views) >= _BUFFERS:
            self._views.clear()
        self._views[id(buffer)] = buffer, layers
        return layers

    def _make_views(self, buffer: Array) -> LayerParams:
        layers: LayerParams = [{} for _ in self.shapes]
        for index, name, shape, stretch in self.stretches:
            layers[index][name] = self.backend.xp.reshape(buffer[stretch], shape)
        return layers

    def write(self, blocks: Blocks, layers: Sequence[dict[str, Array]]) -> None:
        """Copy arrays into their stretches of the buffer."""
        views = self.views(blocks)
        for index, name, _, _ in self.stretches:
            views[index][name][...] = layers[index][name]

    def zeros(self) -> Blocks:
        """Return one buffer of zeros."""
        return {FLAT: self.backend.zeros((self.size,))}


class SeparateLayout(Layout):
    """One array for each parameter."""

    def views(self, blocks: Blocks) -> LayerParams:
        """Return the blocks themselves, by layer."""
        layers: LayerParams = [{} for _ in self.shapes]
        for index, name, _ in self.slots:
            layers[index][name] = blocks[parameter_name(index, name)]
        return layers

    def write(self, blocks: Blocks, layers: Sequence[dict[str, Array]]) -> None:
        """Put arrays into their slots."""
        for index, name, _ in self.slots:
            blocks[parameter_name(index, name)] = layers[index][name]

    def zeros(self) -> Blocks:
        """Return an array of zeros for each parameter."""
        return {
            parameter_name(index, name): self.backend.zeros(shape)
            for index, name, shape in self.slots
        }


def parameter_name(index: int, name: str) -> str:
    """Return the name of a parameter in files and messages."""
    return f"layers.{index}.{name}"


def named_parameter(
    named: dict[str, Any], index: int, name: str, shape: tuple[int, ...]
) -> Any:
    """Return a parameter out of those by name, if its shape is the given one.

    Raises
    ------
    InputError
        If it is missing, or has another shape.
    """
    full_name = parameter_name(index, name)
    value = named.get(full_name)
    if value is None:
        raise InputError(f"there is no {full_name}")
    if tuple(value.shape) != shape:
        raise InputError(
            f"{full_name} must have shape {shape}, got {tuple(value.shape)}"
        )
    return value


def layout_for(be: Backend, shapes: Sequence[dict[str, tuple[int, ...]]]) -> Layout:
    """Return the layout that suits a backend."""
    return (FlatLayout if be.in_place else SeparateLayout)(be, shapes)
