"""Metrics: numbers that report how good predictions are."""

from typing import TYPE_CHECKING, Any

from nnfs_xp.metrics.base import Metric
from nnfs_xp.registry import export_units

__all__ = ["Metric", *export_units(__name__)]

if TYPE_CHECKING:
    # Type checkers do not see what is exported by the registry.
    def __getattr__(name: str) -> Any: ...
