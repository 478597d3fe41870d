"""Optimizers: how parameters follow their gradients."""

from nnfs_xp.optimizers.adam import Adam
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.optimizers.sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
