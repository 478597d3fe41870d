"""Sums over ranks that proceed while something else is computed.

A sum may take several collectives, one after the other. All ranks must begin the
collectives of a group in the same order, no matter when earlier ones end. Each stage
therefore has its own group, in which sums follow each other in the order in which they
were begun.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnfs_xp.parallel.bfloat16 import compressed, expanded

# Yields, for each stage that it begins, a function that says whether it has ended.
Stages = Iterator[Callable[[], bool]]


class OpenSum:
    """A sum that has begun.

    Attributes
    ----------
    stage : float
        Number of the current stage, infinite if all have ended.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages, self.stage = stages, 0.0
        self._begin_next()

    def go_on(self, before: float) -> None:
        """Begin all possible stages, but none that the previous sum has not begun."""
        while self.stage < before and self._has_ended():
            self._begin_next()

    def _begin_next(self) -> None:
        self.stage += 1
        try:
            self._has_ended = next(self._stages)
        except StopIteration:
            self.stage = math.inf


class OpenSums:
    """Sums in the order in which they were added.

    Parameters
    ----------
    at_once : float, default infinite
        The most sums that proceed at the same time; the others wait.
    """

    def __init__(self, at_once: float = math.inf) -> None:
        self._at_once = at_once
        self._open: list[OpenSum] = []
        self._waiting: collections.deque[Stages] = collections.deque()

    def __len__(self) -> int:
        return len(self._open) + len(self._waiting)

    def add(self, stages: Stages) -> None:
        """Add a sum, which `go_on` begins."""
        self._waiting.append(stages)

    def go_on(self) -> bool:
        """Let sums proceed and begin, and return whether all have ended."""
        before = math.inf
        for one in self._open:
            one.go_on(before)
            before = one.stage
        self._open = [one for one in self._open if one.stage < math.inf]
        while self._waiting and len(self._open) < self._at_once:
            self._open.append(OpenSum(self._waiting.popleft()))
        return not self._open


def messages(array: np.ndarray, most: float) -> Iterator[np.ndarray]:
    """Yield consecutive parts of a 1-D array, of this many bytes at most."""
    length = int(max(1, min(len(array), most / array.itemsize)))
    for start in range(0, len(array), length):
        yield array[start : start + length]


def exact_sum(ranks: Any, array: np.ndarray) -> Stages:
    """Write to an array its sum over all ranks."""
    ranks.count(array.nbytes)
    yield ranks.start_sum(array)


def compressed_sum(ranks: Any, array: np.ndarray) -> Stages:
    """Write to an array its sum over all ranks, sending bfloat16 numbers only.

    Each rank gets a part of the array from all others, adds it up in float32, and sends
    the sum to all. Every summand is therefore rounded once, and the sum once more. Half
    as many bytes are sent as for a sum in float32.
    """
    size = ranks.size
    part = -(-array.size // size)
    sent = np.zeros(part * size, np.uint16)
    sent[: array.size] = compressed(array.ravel())
    received = np.empty_like(sent)
    ranks.count(sent.nbytes)
    yield ranks.start_swap(sent, received)
    own = compressed(expanded(received).reshape(size, part).sum(axis=0))
    ranks.count(0)
    yield ranks.start_gather(own, received)
    array[...] = expanded(received[: array.size]).reshape(array.shape)
