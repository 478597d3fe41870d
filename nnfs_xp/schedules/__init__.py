"""Schedules: how the learning rate changes from step to step."""

from nnfs_xp.schedules.base import Schedule
from nnfs_xp.schedules.cosine_decay import CosineDecay
from nnfs_xp.schedules.exponential_decay import ExponentialDecay
from nnfs_xp.schedules.inverse_time_decay import InverseTimeDecay
from nnfs_xp.schedules.step_decay import StepDecay
from nnfs_xp.schedules.warm_up import WarmUp

__all__ = [
    "CosineDecay",
    "ExponentialDecay",
    "InverseTimeDecay",
    "Schedule",
    "StepDecay",
    "WarmUp",
]
