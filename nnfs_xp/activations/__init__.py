"""Activations: layers without parameters."""

from nnfs_xp.activations.relu import ReLU
from nnfs_xp.activations.softmax import Softmax

__all__ = ["ReLU", "Softmax"]
