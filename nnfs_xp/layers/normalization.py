"""The base of batch and layer normalization."""

from __future__ import annotations

from typing import Any

from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer


class _Normalization(Layer):
    """A gain and a shift for each of n features, the last axis."""

    n: int

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of gain and shift."""
        return {"gamma": ("ones", (self.n,)), "beta": ("zeros", (self.n,))}

    def input_shape(self) -> tuple[int, ...]:
        """Return ``(n,)``."""
        return (self.n,)

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...]:
        """Return the same shape, if its last length is `n`."""
        if shape is not None and shape[-1:] != (self.n,):
            raise InputError(
                f"layers: {self!r} takes samples of shape ({self.n},), got {shape}"
            )
        return shape or (self.n,)
