"""Penalties on parameters, added to the loss of a model."""

from typing import TYPE_CHECKING, Any

from nnfs_xp.registry import export_units
from nnfs_xp.regularizers.base import Regularizer

__all__ = ["Regularizer", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
