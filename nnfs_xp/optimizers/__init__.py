"""Optimizers: how parameters follow their gradients."""

from nnfs_xp.optimizers.adagrad import Adagrad
from nnfs_xp.optimizers.adam import Adam
from nnfs_xp.optimizers.adamw import AdamW
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.optimizers.rmsprop import RMSprop
from nnfs_xp.optimizers.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]
