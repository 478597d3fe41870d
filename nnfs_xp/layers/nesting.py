"""Helpers for blocks: their inner units, and the shapes of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer, Shape
from nnfs_xp.registry import resolve


class MoreAxes(InputError):
    """Samples have fewer axes than a unit expects, perhaps with some unknown."""


def checked_units(layers: Any, name: str) -> tuple[Layer, ...]:
    """Return units from a sequence of them, or of their configurations.

    Raises
    ------
    InputError
        If there is none, one occurs twice, or something else is among them.
    """
    try:
        given = list(layers)
    except TypeError:
        raise InputError(f"{name} must be a sequence, got {layers!r}") from None
    if not given:
        raise InputError(f"{name} must contain at least one layer")
    for layer in given:
        if not isinstance(layer, (Layer, dict)):
            raise InputError(f"{name} must contain only layers, got {layer!r}")
    resolved = [resolve("layer", layer, name, Layer) for layer in given]
    # A unit that stands for several, such as a dense layer with its activation, becomes
    # these.
    units = tuple(
        part for unit in resolved for part in getattr(unit, "_stands_for", (unit,))
    )
    inner = [id(unit) for layer in units for _, unit in walk(layer)]
    if len(set(inner)) < len(inner):
        raise InputError(f"{name} must contain each layer only once")
    return units


def numbered(units: Sequence[Layer]) -> dict[str, Layer]:
    """Return units by their numbers, as children are named in a chain."""
    return {str(number): unit for number, unit in enumerate(units)}


def walk(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield paths and units: first the unit itself, then its inner units, in order."""
    yield path, layer
    for name, child in layer.children.items():
        yield from walk(child, f"{path}.{name}" if path else name)


def leaves(layer: Layer) -> list[Layer]:
    """Return the inner units of a unit that contain no others, in order."""
    return [unit for _, unit in walk(layer) if not unit.children]


def joint_shape(layers: Sequence[Layer]) -> Shape | None:
    """Return the shape of a sample that a chain expects, None for any."""
    for layer in layers:
        if layer.input_shape() is not None:
            return layer.input_shape()
        if type(layer).output_shape is not Layer.output_shape:
            # Nothing is known about the shape before a layer that changes it.
            return None
    return None
