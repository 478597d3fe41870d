"""Ranks that tell each other about errors, and do not wait forever.

A rank that waits for a collective looks for news of the others. A rank that fails tells
them, and finds out whether all have failed in the same way; if not, the ranks can no
longer synchronize. A rank whose timeout has passed asks which others are waiting; the
rest are silent.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from nnfs_xp.errors import ParallelError
from nnfs_xp.parallel.communicator import Communicator
from nnfs_xp.parallel.sums import OpenSums, compressed_sum, exact_sum, messages

# Seconds that a rank gives the others to report their state.
_GRACE = 5.0
# A waiting rank asks this often without a pause, because most messages take
# microseconds.
_SPINS = 2000


@dataclasses.dataclass(frozen=True)
class News:
    """A message from one rank to the others.

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


class TellingRanks(Communicator):
    """Base of communicators with non-blocking collectives; see `Communicator`."""

    # Seconds between two looks at what the others say.
    look_every = 0.01
    # Bytes of the longest message of gradients, and the most that are sent at once.
    message_bytes = messages_at_once = math.inf

    def __init__(self, rank: int, size: int, **options: Any) -> None:
        super().__init__(rank, size, **options)
        # How often ranks have come together, and how many collectives were begun.
        self._meeting = self._started = 0
        self._meets = False
        # Whether they can no longer come together, and those that do not answer.
        self._lost, self._silent = False, set[int]()
        self._heard: list[News] = []
        self._sums = OpenSums(self.messages_at_once)

    # Methods that a library must define.

    def start_sum(self, array: np.ndarray) -> Callable[[], bool]:
        """Begin a sum over all ranks in place; return a check for its end.

        The next two methods return such a function too. Calls of any one of the three
        come in the same order on all ranks, but calls of different ones need not.
        """
        raise NotImplementedError

    def start_swap(self, sent: np.ndarray, received: np.ndarray) -> Callable[[], bool]:
        """Begin to send the k-th of as many parts as there are ranks to rank k."""
        raise NotImplementedError

    def start_gather(self, own: np.ndarray, whole: np.ndarray) -> Callable[[], bool]:
        """Begin to collect the arrays of all ranks, by rank."""
        raise NotImplementedError

    def send(self, news: News) -> None:
        """Send news to all other ranks, without waiting."""
        raise NotImplementedError

    def receive(self) -> list[News]:
        """Return news of other ranks that was not received before."""
        raise NotImplementedError

    def abort(self) -> None:
        """End all ranks, because those that still wait, or hang, would never end."""

    # Methods that follow from them.

    def begin_sum(self, array: np.ndarray) -> None:
        """Begin to write to an array of gradients its sum over all ranks."""
        self.check_usable()
        if self.size > 1:
            way = exact_sum if self.compress is None else compressed_sum
            for part in messages(array, self.message_bytes):
                self._sums.add(way(self, part))
            self.go_on()
        else:
            self.count(array.nbytes)

    def go_on(self) -> None:
        """Let sums that have begun proceed, without waiting for them."""
        self._sums.go_on()

    def end_sums(self, arrays: Sequence[np.ndarray]) -> None:
        """End all sums that have begun, and those of further arrays with them."""
        self.check_usable()
        for array in arrays:
            if self.size > 1:
                self._sums.add(exact_sum(self, array))
            else:
                self.count(array.nbytes)
        if self._sums:
            self.wait(self._sums.go_on)

    def wait(self, is_done: Callable[[], bool]) -> None:
        """Wait for a collective, unless another rank has failed or is silent.

        Raises
        ------
        ParallelError
            If it has.
        """
        self._started += 1
        for _ in range(_SPINS):
            if is_done():
                return
        began, pause, looked = time.monotonic(), 0.0, 0.0
        while not is_done():
            self._lost = True
            now = time.monotonic()
            if now > looked + self.look_every:
                looked = now
                self._look_for_failures()
            if now > began + self.timeout:
                raise self._silence()
            # If there are more ranks than cores, another rank needs this core.
            time.sleep(pause)
            pause = min(pause + 1e-6, 1e-3)
        self._lost = False

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Tell all ranks about an error inside, so that none waits for this one."""
        if self._meets:
            yield
            return
        self.check_usable()
        self._meeting += 1
        self._meets = True
        try:
            yield
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            self._meets = False

    def check_usable(self) -> None:
        """Raise ParallelError if the ranks can no longer come together."""
        if self._lost:
            raise ParallelError(
                "these ranks lost contact in an earlier training; restart the job"
            )

    def _tell(self, error: BaseException) -> None:
        """Tell all other ranks about an error, and find out whether they have it too.

        If all of them have it after the same collectives, they may continue.
        """
        rank, text = self.rank, f"{type(error).__name__}: {error}"
        if isinstance(error, ParallelError) and error.rank is not None:
            rank, text = error.rank, str(error)
        self._say("failed", rank, text)
        known = {self.rank: self._started}
        for _ in _tries(_GRACE):
            for news in self._news("failed"):
                known[news.source] = news.started
            if len(known) + len(self._silent) == self.size:
                break
        agreed = len(known) == self.size and len(set(known.values())) == 1
        # Nobody knows how far a sum has come on the others.
        self._lost = self._lost or not agreed or len(self._sums) > 0
        if self._lost:
            atexit.register(self._end)

    def _end(self) -> None:
        # The others have been told, and will soon say so.
        time.sleep(1.0)
        self.abort()

    def _say(self, kind: str, rank: int, text: str) -> None:
        self.send(News(self._meeting, self._started, self.rank, kind, rank, text))

    def _news(self, kind: str) -> list[News]:
        """Return what other ranks have said in this meeting."""
        self._heard += self.receive()
        # A rank that is ahead may tell of the next meeting already.
        self._heard = [one for one in self._heard if one.meeting >= self._meeting]
        return [
            one
            for one in self._heard
            if one.kind == kind and one.meeting == self._meeting
        ]

    def _look_for_failures(self) -> None:
        """Raise ParallelError if a rank has failed before what this one waits for."""
        for news in self._news("failed"):
            # A rank that got this far will complete it, whatever it does next.
            if news.started < self._started:
                raise ParallelError(_story(news), rank=news.rank)

    def _silence(self) -> ParallelError:
        """Return an error that names the ranks which do not answer."""
        self._say("waiting", self.rank, "")
        silent: set[int] = set()
        for _ in _tries(_GRACE):
            failed = self._news("failed")
            if failed:
                return ParallelError(_story(failed[0]), rank=failed[0].rank)
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


def _tries(seconds: float) -> Iterator[None]:
    """Yield every millisecond for this many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(1e-3)


def _story(news: News) -> str:
    if news.text.startswith("rank "):
        return news.text
    return f"rank {news.rank} has failed: {news.text}"
