"""Layers: units with parameters, blocks, and the base of all units that stack."""

from typing import TYPE_CHECKING, Any

from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import export_units

__all__ = ["Layer", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
