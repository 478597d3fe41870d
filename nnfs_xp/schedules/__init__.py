"""Schedules: how the learning rate changes from step to step."""

from typing import TYPE_CHECKING, Any

from nnfs_xp.registry import export_units
from nnfs_xp.schedules.base import Schedule

__all__ = ["Schedule", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
