"""Training on several processes at once, each with its part of every batch.

`mpi` and `torch` return a communicator for ``Model.fit(..., parallel=...)``.
"""

from nnfs_xp.parallel.communicator import (
    Communicator,
    check_communicator,
    told_to_all_ranks,
)
from nnfs_xp.parallel.launch import PARALLEL_NAMES, communicator, mpi

__all__ = [
    "PARALLEL_NAMES",
    "Communicator",
    "check_communicator",
    "communicator",
    "mpi",
    "told_to_all_ranks",
]
