"""Layers: units with parameters, and the base of all units that stack."""

from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.dense import Dense
from nnfs_xp.layers.dropout import Dropout
from nnfs_xp.layers.fusion import fused
from nnfs_xp.layers.rescaling import Rescaling
from nnfs_xp.layers.reshape import Flatten, Reshape
from nnfs_xp.layers.sequential import Sequential

__all__ = [
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "Rescaling",
    "Reshape",
    "Sequential",
    "fused",
]
