"""Models: layers, a loss and an optimizer, put together to be trained."""

from nnfs_xp.model.learning_rate_range import LearningRateRange, learning_rate_range
from nnfs_xp.model.model import Model

__all__ = ["LearningRateRange", "Model", "learning_rate_range"]
