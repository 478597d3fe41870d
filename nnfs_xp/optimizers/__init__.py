"""Optimizers: how gradients update parameters."""

from typing import TYPE_CHECKING, Any

from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.registry import export_units

__all__ = ["Optimizer", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
