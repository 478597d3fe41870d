"""Losses: how wrong predictions are, and in which direction."""

from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.binary_cross_entropy import BinaryCrossEntropy
from nnfs_xp.losses.categorical_cross_entropy import CategoricalCrossEntropy
from nnfs_xp.losses.huber import Huber
from nnfs_xp.losses.mean_absolute_error import MeanAbsoluteError
from nnfs_xp.losses.mean_squared_error import MeanSquaredError
from nnfs_xp.losses.softmax_cross_entropy import SoftmaxCrossEntropy

__all__ = [
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SoftmaxCrossEntropy",
]
