"""Ranks that PyTorch has started, through the gloo library of ``torch.distributed``.

News of other ranks is left in the key-value store through which PyTorch's ranks find
each other.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from nnfs_xp.errors import ParallelError
from nnfs_xp.parallel.telling import News, TellingRanks

# Seconds that PyTorch waits beyond our own timeout, so that our error names the rank.
_LONGER = 60.0
_numbers = itertools.count()


class TorchRanks(TellingRanks):
    """The ranks of a process group; see `nnfs_xp.parallel.torch`."""

    name = "torch.distributed"
    # Each look queries the store, which is a process of its own.
    look_every = 0.2

    def __init__(self, **options: Any) -> None:
        if not dist.is_initialized():
            self._begin()
        super().__init__(dist.get_rank(), dist.get_world_size(), **options)
        patience = datetime.timedelta(seconds=self.timeout + _LONGER)
        # A group of our own: its messages do not mix with others, and it uses gloo for
        # any device.
        self._group, self._gradients, self._gathers = (
            dist.new_group(backend="gloo", timeout=patience) for _ in range(3)
        )
        store: Any = dist.distributed_c10d._get_default_store()
        self._store = dist.PrefixStore(f"nnfs_xp-{next(_numbers)}", store)
        self._read: set[str] = set()

    @staticmethod
    def _begin() -> None:
        """Begin according to torchrun's variables, or as the only rank without them."""
        if "RANK" in os.environ:
            dist.init_process_group("gloo")
        else:
            dist.init_process_group(
                "gloo", store=dist.HashStore(), rank=0, world_size=1
            )

    def sum(self, arrays: Sequence[np.ndarray]) -> None:
        """Write to each array its sum over all ranks, with the same bits on each."""
        self.check_usable()
        for array in arrays:
            self.count(array.nbytes)
        # A tensor shares the memory of its array.
        self._all_reduce([torch.from_numpy(array) for array in arrays])

    def exchange(self, value: Any) -> list[Any]:
        """Return the values of all ranks, by rank; anything that can be pickled."""
        self.check_usable()
        own = np.frombuffer(pickle.dumps(value), np.uint8)
        sizes = torch.zeros(self.size, dtype=torch.int64)
        sizes[self.rank] = own.size
        self._all_reduce([sizes])
        ends = np.cumsum(sizes.numpy())
        found = torch.zeros(int(ends[-1]), dtype=torch.uint8)
        found.numpy()[ends[self.rank] - own.size : ends[self.rank]] = own
        self._all_reduce([found])
        self.calls += 2
        self.volume += found.nbytes
        parts = np.split(found.numpy(), ends[:-1])
        return [pickle.loads(part.tobytes()) for part in parts]

    def _all_reduce(self, tensors: list[Any]) -> None:
        with self._told_in_our_words():
            ended = [_started(dist.all_reduce, t, self._group) for t in tensors]
        self.wait(lambda: all(one() for one in ended))

    def start_sum(self, array: np.ndarray) -> Callable[[], bool]:
        """Begin a sum in place, and return a function that tells if it has ended."""
        with self._told_in_our_words():
            return _started(dist.all_reduce, torch.from_numpy(array), self._gradients)

    def start_swap(self, sent: np.ndarray, received: np.ndarray) -> Callable[[], bool]:
        """Begin to send the k-th of as many parts as there are ranks to rank k."""
        with self._told_in_our_words():
            return _started(
                dist.all_to_all_single, _as_bytes(received), self._gradients,
                input=_as_bytes(sent),
            )  # fmt: skip

    def start_gather(self, own: np.ndarray, whole: np.ndarray) -> Callable[[], bool]:
        """Begin to collect the arrays of all ranks, by rank."""
        with self._told_in_our_words():
            parts = list(_as_bytes(whole).chunk(self.size))
            return _started(
                dist.all_gather, parts, self._gathers, tensor=_as_bytes(own)
            )

    def go_on(self) -> None:
        """Let sums that have begun proceed, without waiting for them."""
        with self._told_in_our_words():
            super().go_on()

    def wait(self, is_done: Callable[[], bool]) -> None:
        """Wait for a collective, unless another rank has failed or is silent."""
        with self._told_in_our_words():
            super().wait(is_done)

    @contextlib.contextmanager
    def _told_in_our_words(self) -> Iterator[None]:
        """Turn PyTorch's error about a peer that has ended into a ParallelError."""
        try:
            yield
        except RuntimeError as error:
            self._lost = True
            if isinstance(error, ParallelError):
                raise
            # A peer that has ended closes its connection; it may have said why.
            self._look_for_failures()
            raise ParallelError(f"another rank has ended: {error}") from error

    def send(self, news: News) -> None:
        """Send news to all other ranks, without waiting."""
        self._store.set(_key(news.meeting, news.source, news.kind), pickle.dumps(news))

    def receive(self) -> list[News]:
        """Return news of other ranks that was not received before."""
        found = []
        for source in range(self.size):
            for kind in ("failed", "waiting"):
                key = _key(self._meeting, source, kind)
                if source == self.rank or key in self._read:
                    continue
                if self._store.check([key]):
                    self._read.add(key)
                    found.append(pickle.loads(self._store.get(key)))
        return found

    def __reduce__(self) -> Any:
        raise TypeError("a communicator of PyTorch cannot be copied or pickled")


def _key(meeting: int, source: int, kind: str) -> str:
    return f"{meeting}/{source}/{kind}"


def _started(
    collective: Any, tensors: Any, group: Any, **more: Any
) -> Callable[[], bool]:
    """Begin a collective, and return a function that tells if it has ended."""
    work = collective(tensors, group=group, async_op=True, **more)

    def has_ended() -> bool:
        if not work.is_completed():
            return False
        # This raises if it has failed.
        work.wait()
        return True

    return has_ended


def _as_bytes(array: np.ndarray) -> Any:
    """Return numbers as bytes, because gloo has no 16-bit integers."""
    return torch.from_numpy(array.view(np.uint8))
