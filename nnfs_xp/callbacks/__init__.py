"""Callbacks: objects that follow a training loop and can act on it."""

from nnfs_xp.callbacks.base import BatchEvent, Callback, check_callbacks
from nnfs_xp.callbacks.checkpoint import Checkpoint
from nnfs_xp.callbacks.early_stopping import EarlyStopping
from nnfs_xp.callbacks.json_log import JSONLog
from nnfs_xp.callbacks.learning_rate import LearningRateSchedule, ReduceOnPlateau
from nnfs_xp.callbacks.progress import PrintEpochs, Progress, epoch_line
from nnfs_xp.callbacks.tensorboard import TensorBoard

__all__ = [
    "BatchEvent",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "JSONLog",
    "LearningRateSchedule",
    "PrintEpochs",
    "Progress",
    "ReduceOnPlateau",
    "TensorBoard",
    "check_callbacks",
    "epoch_line",
]
