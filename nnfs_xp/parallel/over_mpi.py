"""Ranks of an MPI job, by mpi4py.

All collectives are those that do not block, so that a rank which waits can look for
news of the others: a message on a communicator of its own, or the end of its patience.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import pickle
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mpi4py import MPI

from nnfs_xp.errors import ParallelError
from nnfs_xp.parallel.communicator import Communicator

# Seconds that a rank gives the others to say what has become of them.
_GRACE = 5.0
# Seconds between two looks at what the others say.
_LOOK_EVERY = 0.01
# A rank that waits asks so often without a pause, as most messages take microseconds.
_SPINS = 2000


class MPIRanks(Communicator):
    """The ranks of an MPI communicator; see `nnfs_xp.parallel.mpi`."""

    name = "MPI"

    def __init__(self, comm: Any = None, **options: Any) -> None:
        base = MPI.COMM_WORLD if comm is None else comm
        super().__init__(base.rank, base.size, **options)
        # Messages of the library's own meet no others.
        self._comm, self._control = base.Dup(), base.Dup()
        # How often ranks have come together, and how many collectives were begun.
        self._meeting = self._started = 0
        self._meets = False
        # Whether they can no longer come together, and those that do not answer.
        self._lost, self._silent = False, set[int]()
        self._sent: list[Any] = []
        self._heard: list[_News] = []

    # Collectives.

    def sum(self, arrays: Sequence[np.ndarray]) -> None:
        """Write to each array its sum over all ranks, with the same bits on each."""
        self._check_usable()
        self.calls += len(arrays)
        self.volume += sum(array.nbytes for array in arrays)
        if self.size > 1:
            self._wait([self._comm.Iallreduce(MPI.IN_PLACE, array) for array in arrays])

    def exchange(self, value: Any) -> list[Any]:
        """Return what each rank has given, by rank; anything that can be pickled."""
        self._check_usable()
        own = np.frombuffer(pickle.dumps(value), np.uint8)
        sizes = np.empty(self.size, np.int64)
        self._wait([self._comm.Iallgather(np.array([own.size]), sizes)])
        found = np.empty(sizes.sum(), np.uint8)
        self._wait([self._comm.Iallgatherv(own, [found, sizes])])
        self.calls += 2
        self.volume += found.nbytes
        parts = np.split(found, np.cumsum(sizes)[:-1])
        return [pickle.loads(part.tobytes()) for part in parts]

    def _wait(self, requests: list[Any]) -> None:
        """Wait until requests are done, or another rank has failed or is silent."""
        self._started += 1
        for _ in range(_SPINS):
            if MPI.Request.Testall(requests):
                return
        began, pause, looked = time.monotonic(), 0.0, 0.0
        while not MPI.Request.Testall(requests):
            self._lost = True
            now = time.monotonic()
            if now > looked + _LOOK_EVERY:
                looked = now
                self._look_for_failures()
            if now > began + self.timeout:
                raise self._silence()
            # Where there are more ranks than cores, another one needs this one.
            time.sleep(pause)
            pause = min(pause + 1e-6, 1e-3)
        self._lost = False

    # Failures.

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Tell all ranks of an error inside, so that none waits for this one."""
        if self._meets:
            yield
            return
        self._check_usable()
        self._meeting += 1
        self._meets = True
        try:
            yield
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            self._meets = False

    def _tell(self, error: BaseException) -> None:
        """Tell all other ranks of an error, and find out whether they know it too.

        If it has come to all of them after the same collectives, they may go on.
        """
        rank, text = self.rank, f"{type(error).__name__}: {error}"
        if isinstance(error, ParallelError) and error.rank is not None:
            rank, text = error.rank, str(error)
        self._send("failed", rank, text)
        known = {self.rank: self._started}
        for _ in _tries(_GRACE):
            for news in self._news("failed"):
                known[news.source] = news.started
            if len(known) + len(self._silent) == self.size:
                break
        agreed = len(known) == self.size and len(set(known.values())) == 1
        self._lost = self._lost or not agreed
        if self._lost:
            atexit.register(_abort)

    def _send(self, kind: str, rank: int, text: str) -> None:
        news = _News(self._meeting, self._started, self.rank, kind, rank, text)
        for other in range(self.size):
            if other != self.rank:
                self._sent.append(self._control.isend(news, other))

    def _news(self, kind: str) -> list[_News]:
        """Return what other ranks have said in this meeting."""
        status = MPI.Status()
        while self._control.Iprobe(status=status):
            self._heard.append(self._control.recv(source=status.source))
        self._heard = [one for one in self._heard if one.meeting == self._meeting]
        return [one for one in self._heard if one.kind == kind]

    def _look_for_failures(self) -> None:
        """Raise ParallelError if a rank has failed before what this one waits for."""
        for news in self._news("failed"):
            # One that came so far will complete it, whatever it does then.
            if news.started < self._started:
                raise ParallelError(_story(news.rank, news.text), rank=news.rank)

    def _silence(self) -> ParallelError:
        """Return an error that names the ranks which do not answer."""
        self._send("waiting", self.rank, "")
        silent: set[int] = set()
        for _ in _tries(_GRACE):
            failed = self._news("failed")
            if failed:
                return ParallelError(
                    _story(failed[0].rank, failed[0].text), rank=failed[0].rank
                )
            waiting = {one.source for one in self._news("waiting")}
            silent = set(range(self.size)) - waiting - {self.rank}
            if not silent:
                break
        self._silent |= silent
        names = ", ".join(map(str, sorted(silent))) or "none, though all of them wait"
        return ParallelError(
            f"rank {self.rank} has waited for {self.timeout:g} s, without an answer "
            f"from rank {names}",
            rank=min(silent, default=None),
        )

    def _check_usable(self) -> None:
        if self._lost:
            raise ParallelError(
                "these ranks have lost each other in a training before; start the job "
                "again"
            )

    def __reduce__(self) -> Any:
        raise TypeError("a communicator of MPI cannot be copied or pickled")


@dataclasses.dataclass(frozen=True)
class _News:
    """What one rank tells the others.

    Attributes
    ----------
    meeting, started : int
        When: the training, and the number of collectives that were begun.
    source : int
    kind : {"failed", "waiting"}
    rank : int
        The rank it is about, which may have been heard from another one.
    text : str
    """

    meeting: int
    started: int
    source: int
    kind: str
    rank: int
    text: str


def _tries(seconds: float) -> Iterator[None]:
    """Yield every millisecond for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(1e-3)


def _story(rank: int, text: str) -> str:
    return text if text.startswith("rank ") else f"rank {rank} has failed: {text}"


def _abort() -> None:
    """End all ranks, as those that still wait, or hang, would never end.

    MPI's own end waits for all ranks.
    """
    # The others have been told, and are about to say so.
    time.sleep(1.0)
    MPI.COMM_WORLD.Abort(1)
