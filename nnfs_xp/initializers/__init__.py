"""Initial values of parameters.

All of them draw from a host stream in float64, so a seed gives the same
values on every backend, bit for bit.
"""

from typing import TYPE_CHECKING, Any

from nnfs_xp.initializers.base import Initializer
from nnfs_xp.registry import export_units

__all__ = ["Initializer", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
