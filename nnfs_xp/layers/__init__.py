"""Layers: units with parameters, and the base of all units that stack."""

from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.dense import Dense

__all__ = ["Dense", "Layer"]
