"""Parts of the gradients that are sent as soon as a backward pass has completed them.

All gradients lie in one buffer, those of the last layer at its end. That is where the
backward pass begins, so the buffer is cut from its end on into *buckets* of some size,
and all ranks send them in this order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from nnfs_xp.engine.layout import Shape
from nnfs_xp.errors import InputError
from nnfs_xp.parallel import Communicator


class Buckets:
    """Which part of the gradients may be sent.

    A bucket is complete after as many writes as in the first pass, which only counts
    them.

    Parameters
    ----------
    ranks : Communicator
    shapes : dict
        Shapes of the parameters by path, in the order of the buffer.
    itemsize : int
        Bytes of a number.

    Attributes
    ----------
    parts : list of slice
        The buckets in the order in which they are sent.
    """

    def __init__(
        self, ranks: Communicator, shapes: Mapping[str, Shape], itemsize: int
    ) -> None:
        self.ranks = ranks
        least = ranks.bucket_bytes / itemsize if ranks.overlap else math.inf
        self.parts, self._of = _cut(shapes, least)
        # Writes to each bucket in a pass.
        self._usual: list[int] | None = None
        self._writes = [0] * len(self.parts)
        # Numbers of buckets that are complete, and that were sent.
        self._complete = self._sent = 0

    def begin(self) -> None:
        """Begin a backward pass."""
        self._writes = [0] * len(self.parts)
        self._complete = self._sent = 0

    def wrote(self, path: str) -> list[slice]:
        """Return the parts that may be sent, now that a gradient was written."""
        number, ready = self._of[path], list[slice]()
        self._writes[number] += 1
        if self._usual is None:
            return ready
        if self._writes[number] > self._usual[number]:
            raise InputError(
                f"the gradient of {path} was written more often than in the first "
                "step; train with overlap=False"
            )
        while (
            self._complete < len(self.parts)
            and self._writes[self._complete] == self._usual[self._complete]
        ):
            ready.append(self.parts[self._complete])
            self._complete += 1
        return ready

    def end_pass(self) -> None:
        """Take the writes of this complete pass as those of every pass."""
        if self._usual is None:
            self._usual = self._writes

    def send(self, part: np.ndarray) -> None:
        """Begin the sum of the next part, which is complete."""
        self._sent += 1
        self.ranks.begin_sum(part)

    def end(self, buffer: np.ndarray, message: np.ndarray) -> None:
        """Send the rest of a buffer, and a message, and wait for all sums."""
        for part in self.parts[self._sent :]:
            self.send(buffer[part])
        self.ranks.end_sums([message])


class Writes(set[str]):
    """The paths of gradients that were written, with a call for each write."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def add(self, path: str) -> None:
        """Add a path, and report it."""
        super().add(path)
        self._tell(path)


def _cut(
    shapes: Mapping[str, Shape], least: float
) -> tuple[list[slice], dict[str, int]]:
    """Return parts of at least this many numbers, and the part of each path."""
    stop = start = sum(math.prod(shape) for shape in shapes.values())
    parts: list[slice] = []
    of: dict[str, int] = {}
    for path, shape in reversed(list(shapes.items())):
        of[path] = len(parts)
        start -= math.prod(shape)
        if stop - start >= least:
            parts.append(slice(start, stop))
            stop = start
    if stop:
        parts.append(slice(0, stop))
    return parts, of
