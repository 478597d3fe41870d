"""Ranks of an MPI job, through mpi4py.

All collectives are non-blocking, so a waiting rank can look for news of the others.
News comes as messages on a separate communicator.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI

from nnfs_xp.parallel.telling import News, TellingRanks


class MPIRanks(TellingRanks):
    """The ranks of an MPI communicator; see `nnfs_xp.parallel.mpi`."""

    name = "MPI"
    # MPICH adds up in memory that it allocates for each message. For a few messages
    # like these it is used again and again; for long ones it is new, which can take
    # longer than the sum.
    message_bytes, messages_at_once = 2**23, 4

    def __init__(self, comm: Any = None, **options: Any) -> None:
        base = MPI.COMM_WORLD if comm is None else comm
        super().__init__(base.rank, base.size, **options)
        # The library's own messages do not mix with others.
        self._comm, self._control = base.Dup(), base.Dup()
        self._gradients, self._gathers = base.Dup(), base.Dup()
        self._sent: list[Any] = []

    def sum(self, arrays: Sequence[np.ndarray]) -> None:
        """Write to each array its sum over all ranks, with the same bits on each."""
        self.check_usable()
        for array in arrays:
            self.count(array.nbytes)
        if self.size > 1:
            self._wait([self._comm.Iallreduce(MPI.IN_PLACE, a) for a in arrays])

    def start_sum(self, array: np.ndarray) -> Callable[[], bool]:
        """Begin a sum in place, and return a function that tells if it has ended."""
        return self._gradients.Iallreduce(MPI.IN_PLACE, array).Test

    def start_swap(self, sent: np.ndarray, received: np.ndarray) -> Callable[[], bool]:
        """Begin to send the k-th of as many parts as there are ranks to rank k."""
        return self._gradients.Ialltoall(sent, received).Test

    def start_gather(self, own: np.ndarray, whole: np.ndarray) -> Callable[[], bool]:
        """Begin to collect the arrays of all ranks, by rank."""
        return self._gathers.Iallgather(own, whole).Test

    def exchange(self, value: Any) -> list[Any]:
        """Return the values of all ranks, by rank; anything that can be pickled."""
        self.check_usable()
        own = np.frombuffer(pickle.dumps(value), np.uint8)
        sizes = np.empty(self.size, np.int64)
        self._wait([self._comm.Iallgather(np.array([own.size]), sizes)])
        found = np.empty(sizes.sum(), np.uint8)
        self._wait([self._comm.Iallgatherv(own, [found, sizes])])
        self.calls += 2
        self.volume += found.nbytes
        parts = np.split(found, np.cumsum(sizes)[:-1])
        return [pickle.loads(part.tobytes()) for part in parts]

    def send(self, news: News) -> None:
        """Send news to all other ranks, without waiting."""
        for other in range(self.size):
            if other != self.rank:
                self._sent.append(self._control.isend(news, other))

    def receive(self) -> list[News]:
        """Return news of other ranks that was not received before."""
        found, status = [], MPI.Status()
        while self._control.Iprobe(status=status):
            found.append(self._control.recv(source=status.source))
        return found

    def abort(self) -> None:
        """End all ranks; MPI's own end waits for all of them."""
        MPI.COMM_WORLD.Abort(1)

    def _wait(self, requests: list[Any]) -> None:
        self.wait(lambda: MPI.Request.Testall(requests))

    def __reduce__(self) -> Any:
        raise TypeError("a communicator of MPI cannot be copied or pickled")
