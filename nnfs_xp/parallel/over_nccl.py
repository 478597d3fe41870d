"""Ranks of an MPI job that sends gradients between GPUs with NCCL.

It has not been run yet, because that takes two GPUs. Everything else uses MPI.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy
from cupy.cuda import nccl

from nnfs_xp.parallel.over_mpi import MPIRanks

_TYPES = {"float32": "NCCL_FLOAT32", "float64": "NCCL_FLOAT64"}


class NCCLRanks(MPIRanks):
    """The ranks of an MPI communicator; see `nnfs_xp.parallel.nccl`."""

    name = "MPI and NCCL"

    def __init__(self, comm: Any = None, **options: Any) -> None:
        if not nccl.available:
            raise ImportError("CuPy finds no NCCL library")
        super().__init__(comm, **options)
        own = nccl.get_unique_id() if self.is_first else None
        common = self.exchange(own)[0]
        # It waits for all ranks, each with its own device as the current one.
        self._nccl = nccl.NcclCommunicator(self.size, common, self.rank)

    def takes(self, library: str) -> bool:
        """Return whether arrays of a library are added up on their own device."""
        return library == "cupy"

    def sum_in_place(self, arrays: Sequence[Any]) -> None:
        """Write to each array of a device its sum over all ranks, without waiting."""
        self.check_usable()
        stream = cupy.cuda.get_current_stream().ptr
        for array in arrays:
            self.calls += 1
            self.volume += array.nbytes
            place, kind = array.data.ptr, getattr(nccl, _TYPES[array.dtype.name])
            self._nccl.allReduce(place, place, array.size, kind, nccl.NCCL_SUM, stream)

    def abort(self) -> None:
        """End all ranks, including those whose device waits for another one."""
        self._nccl.abort()
        super().abort()
