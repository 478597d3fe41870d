"""What can be said of a row of layers, some of which may be blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer


def leaves(layers: Iterable[Layer]) -> list[Layer]:
    """Return the layers in order, with those of blocks in the block's place."""
    return [leaf for layer in layers for leaf in layer.leaves()]


def check_layers(layers: Sequence[Any]) -> None:
    """Raise InputError unless these are layers, at least one, each once."""
    if not layers:
        raise InputError("layers must hold at least one layer")
    for layer in layers:
        if not isinstance(layer, Layer):
            raise InputError(f"layers must hold layers only, got {layer!r}")
    inner = leaves(layers)
    if len(set(map(id, inner))) < len(inner):
        raise InputError("layers must hold each layer once")


def first_shape(layers: Sequence[Layer]) -> tuple[int, ...] | None:
    """Return the shape of a sample that layers demand, None where any will do."""
    for layer in leaves(layers):
        if layer.input_shape() is not None:
            return layer.input_shape()
        if type(layer).output_shape is not Layer.output_shape:
            # Before a layer that changes the shape, nothing is known of it.
            return None
    return None
