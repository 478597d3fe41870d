"""Implementations for PyTorch, of its own functions.

They are ATen's functions as PyTorch calls them for its own layers, in place where that
is allowed. None of them records anything for autograd. ``torch.compile`` traces the
references instead, whose operations it fuses.
"""

from nnfs_xp.kernels.torch import (
    activations,
    attention,
    clipping,
    embedding,
    images,
    layers,
    losses,
    optimizers,
    statistics,
)

__all__ = [
    "activations",
    "attention",
    "clipping",
    "embedding",
    "images",
    "layers",
    "losses",
    "optimizers",
    "statistics",
]
