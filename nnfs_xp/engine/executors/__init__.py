"""Executors: ways to run the same step."""

from nnfs_xp.engine.executors.choice import COMPILE_MODES, check_mode, executor_for
from nnfs_xp.engine.step import EagerExecutor, Rows

__all__ = ["COMPILE_MODES", "EagerExecutor", "Rows", "check_mode", "executor_for"]
