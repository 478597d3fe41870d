"""Weights of other libraries: into a model, and out of it.

PyTorch and Keras are imported only where their own arrays or models are made.
"""

from nnfs_xp.weights.keras import from_keras, to_keras
from nnfs_xp.weights.torch import from_torch, to_torch

__all__ = ["from_keras", "from_torch", "to_keras", "to_torch"]
