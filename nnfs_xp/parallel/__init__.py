"""Training on several processes at once, each with its part of every batch.

`mpi`, `nccl` and `torch` return a communicator for ``Model.fit(..., parallel=...)``.
"""

from nnfs_xp.parallel.communicator import Communicator
from nnfs_xp.parallel.launch import mpi, nccl, torch

__all__ = ["Communicator", "mpi", "nccl", "torch"]
