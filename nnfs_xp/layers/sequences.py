"""Helpers for layers of sequences: the shape of a sample, (t, n_features)."""

from __future__ import annotations

from typing import Any

from nnfs_xp.checks.inputs import Mask
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.nesting import MoreAxes
from nnfs_xp.layers.parallel import is_several

# It holds the integers 0 and 1.
MASK = Mask(2)


def check_sequence(layer: Layer, shape: Any, n_features: int | None) -> Any:
    """Return the shape of a sequence, which may be unknown, or raise InputError.

    None stands for any number of features.
    """
    if shape is not None and (
        len(shape) != 2 or n_features not in (None, shape[-1]) or is_several(shape)
    ):
        wanted = "n_features" if n_features is None else n_features
        few = len(shape) == 1 and n_features in (None, shape[-1])
        raise (MoreAxes if few else InputError)(
            f"layers: {layer!r} takes samples of shape (t, {wanted}), got {shape}"
        )
    return shape


def check_masked(
    layer: Layer, shape: Any, features: tuple[int | None, ...], masked: bool
) -> tuple[Any, ...]:
    """Return the shapes of sequences, and that of a mask of the last ones.

    Parameters
    ----------
    layer : Layer
        The layer that takes these inputs.
    shape : tuple or None
        Shape of a sample, or one shape for each input.
    features : tuple of int or None
        Features of each of the sequences; None for any number.
    masked : bool
        Whether there is a mask.

    Raises
    ------
    InputError
        If the number of inputs or of features is wrong, or the mask does not have an
        entry for each position.
    """
    count = len(features) + masked
    if count == 1:
        return (check_sequence(layer, shape, features[0]),)
    if shape is None:
        return (None,) * count
    if not is_several(shape) or len(shape) != count:
        raise InputError(
            f"layers: {layer!r} takes a tuple of {count} inputs, got shape {shape}"
        )
    for own, n_features in zip(shape, features, strict=False):
        check_sequence(layer, own, n_features)
    if masked and None not in shape[-2:] and shape[-1] != shape[-2][:1]:
        raise InputError(
            f"layers: {layer!r} takes a mask of shape {shape[-2][:1]}, got {shape[-1]}"
        )
    return shape
