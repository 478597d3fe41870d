"""Backends: which array library computes, on which device, in which dtype."""

from nnfs_xp.backends.array_type import BackendArray
from nnfs_xp.backends.base import DTYPE_NAMES, Array, Backend
from nnfs_xp.backends.choice import (
    BACKEND_NAMES,
    BackendStatus,
    backend_status,
    get_backend,
)
from nnfs_xp.backends.detect import backend_of, library_of, to_numpy
from nnfs_xp.backends.rounding import MATMUL_PRECISIONS, Operand

__all__ = [
    "BACKEND_NAMES",
    "DTYPE_NAMES",
    "MATMUL_PRECISIONS",
    "Array",
    "Backend",
    "BackendArray",
    "BackendStatus",
    "Operand",
    "backend_of",
    "backend_status",
    "get_backend",
    "library_of",
    "to_numpy",
]
