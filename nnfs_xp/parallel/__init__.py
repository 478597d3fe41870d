"""Training on several processes at once, each with its part of every batch.

`mpi` and `torch` return a communicator for ``Model.fit(..., parallel=...)``.
"""

from nnfs_xp.parallel.communicator import Communicator
from nnfs_xp.parallel.launch import mpi, torch

__all__ = ["Communicator", "mpi", "torch"]
