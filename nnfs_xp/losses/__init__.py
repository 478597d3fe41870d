"""Losses: how wrong predictions are, and in which direction to correct them."""

from typing import TYPE_CHECKING, Any

from nnfs_xp.losses.base import Loss
from nnfs_xp.registry import export_units

__all__ = ["Loss", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
