"""Constraints on parameters, which hold after every step."""

from typing import TYPE_CHECKING, Any

from nnfs_xp.constraints.base import Constraint
from nnfs_xp.registry import export_units

__all__ = ["Constraint", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
