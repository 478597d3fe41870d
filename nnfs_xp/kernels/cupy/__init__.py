"""Implementations for CuPy: kernels in CUDA C++, each beside the reference it computes.

The sources are in ``cuda/``; `module` compiles them. An implementation checks
nothing: what it cannot take, such as an array that is not contiguous, it hands to its
reference.
"""

from nnfs_xp.kernels.cupy import (
    batches,
    clipping,
    dropout,
    embedding,
    layers,
    losses,
    optimizers,
    regularizers,
    statistics,
)

__all__ = [
    "batches",
    "clipping",
    "dropout",
    "embedding",
    "layers",
    "losses",
    "optimizers",
    "regularizers",
    "statistics",
]
