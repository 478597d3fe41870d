"""Losses: how wrong predictions are, and in which direction."""

from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.categorical_cross_entropy import CategoricalCrossEntropy
from nnfs_xp.losses.softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = ["CategoricalCrossEntropy", "Loss", "SoftmaxCrossEntropy"]
