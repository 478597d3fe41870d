"""Transfer of rows of host arrays to a CUDA device, through little pinned memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

# Where an array begins in a piece.
_ALIGNMENT = 64


class Staging:
    """Two pieces of pinned memory that carry rows to a device in turn.

    A copy from pinned memory runs in the background, on a stream of its own. The
    memory is allocated once, and not from CuPy's pool, which would round its size up
    to a power of two and keep it.

    Parameters
    ----------
    like : sequence of numpy.ndarray or None
        Arrays like those to copy: their dtypes, and their shapes after the first axis.
    rows : int
        How many rows are copied at once.
    piece_bytes : int
        Maximum size of a piece, which holds at least one row.

    Attributes
    ----------
    nbytes : int
        Size of the pinned memory.
    stream : cupy.cuda.Stream
        On which the copies run.
    """

    def __init__(self, like: Sequence[Any], rows: int, piece_bytes: int) -> None:
        rows_that_fit = piece_bytes // max(1, sum(map(_row_bytes, like)))
        self._rows = max(1, min(rows, rows_that_fit))
        starts, size = [], 0
        for array in like:
            starts.append(size)
            size += -(-self._rows * _row_bytes(array) // _ALIGNMENT) * _ALIGNMENT
        self.nbytes = 2 * size
        self.stream = cupy.cuda.Stream(non_blocking=True)
        self._pinned = cupy.cuda.PinnedMemory(max(1, self.nbytes))
        memory = cupy.cuda.PinnedMemoryPointer(self._pinned, 0)
        self._pieces: list[list[Any]] = [
            [
                None
                if array is None
                else np.ndarray(
                    (self._rows, *array.shape[1:]), array.dtype, memory, first + start
                )
                for array, start in zip(like, starts, strict=True)
            ]
            for first in (0, size)
        ]
        self._sent = [cupy.cuda.Event(disable_timing=True) for _ in range(2)]
        self._next = 0

    def send(
        self, sources: Sequence[Any], numbers: Any, targets: Sequence[Any], start: int
    ) -> None:
        """Copy rows of host arrays to arrays of the device, in the background.

        The host arrays have been read when this returns.

        Parameters
        ----------
        sources : sequence of numpy.ndarray or None
        numbers : slice or numpy.ndarray of int
            Which of their rows.
        targets : sequence of cupy.ndarray or None
        start : int
            The row of the targets that the first one goes to.
        """
        is_slice = isinstance(numbers, slice)
        count = numbers.stop - numbers.start if is_slice else len(numbers)
        for begin in range(0, count, self._rows):
            end = min(begin + self._rows, count)
            if is_slice:
                chosen: Any = slice(numbers.start + begin, numbers.start + end)
            else:
                chosen = numbers[begin:end]
            self._send(sources, chosen, targets, slice(start + begin, start + end))

    def _send(
        self, sources: Sequence[Any], chosen: Any, targets: Sequence[Any], rows: slice
    ) -> None:
        piece, sent = self._pieces[self._next], self._sent[self._next]
        self._next ^= 1
        # Otherwise the previous copy could still be reading the pinned memory.
        sent.synchronize()
        for pinned, source, target in zip(piece, sources, targets, strict=True):
            if source is None:
                continue
            part = pinned[: rows.stop - rows.start]
            if isinstance(chosen, slice):
                part[...] = source[chosen]
            else:
                # Checked already; "raise" would gather into a copy first.
                np.take(source, chosen, axis=0, out=part, mode="clip")
            target[rows].set(part, self.stream)
        sent.record(self.stream)

    def wait(self) -> None:
        """Wait on the host until everything has arrived."""
        for sent in self._sent:
            sent.synchronize()


class DoubleBuffer:
    """Device buffers for twice a number of rows, filled in turn from the host.

    Events keep the two halves apart: a half is written to only after the steps
    that read it, and read only after it was written.

    Parameters
    ----------
    like : sequence of numpy.ndarray or None
        Arrays whose rows will come. For None there is no buffer.
    rows : int
        Rows of each half.
    piece_bytes : int
        Maximum number of bytes that are copied at once.

    Attributes
    ----------
    arrays : tuple of cupy.ndarray or None
        The buffers; the second half begins after `rows` rows.
    staging : Staging
    """

    def __init__(self, like: Sequence[Any], rows: int, piece_bytes: int) -> None:
        self.rows = rows
        # Not empty: rows that a short epoch leaves unwritten must be numbers.
        self.arrays = tuple(
            None
            if array is None
            else cupy.zeros((2 * rows, *array.shape[1:]), array.dtype)
            for array in like
        )
        self.staging = Staging(like, rows, piece_bytes)
        self._written = [cupy.cuda.Event(disable_timing=True) for _ in range(2)]
        self._read = [cupy.cuda.Event(disable_timing=True) for _ in range(2)]
        # The buffers were cleared on the stream that is current now.
        for half in range(2):
            self.release(half)

    def load(self, half: int, sources: Sequence[Any], numbers: Any) -> None:
        """Copy rows of host arrays into a half, in the background."""
        self.staging.stream.wait_event(self._read[half])
        self.staging.send(sources, numbers, self.arrays, half * self.rows)
        self._written[half].record(self.staging.stream)

    def use(self, half: int) -> None:
        """Make work queued on the current stream from now on wait for a half."""
        cupy.cuda.get_current_stream().wait_event(self._written[half])

    def release(self, half: int) -> None:
        """Note that everything that reads this half is queued on the current stream."""
        self._read[half].record()

    def wait(self) -> None:
        """Wait on the host until everything has arrived."""
        self.staging.wait()


def copied(host: np.ndarray, piece_bytes: int) -> cupy.ndarray:
    """Return a copy of a host array on the device, made in pieces."""
    array = cupy.empty(host.shape, host.dtype)
    in_rows = host.flags.c_contiguous
    source, target = (host.reshape(-1), array.reshape(-1)) if in_rows else (host, array)
    count = len(source)
    staging = Staging([source], count, piece_bytes)
    # The memory may have been in use until now.
    staging.stream.wait_event(cupy.cuda.get_current_stream().record())
    staging.send([source], slice(0, count), [target], 0)
    staging.wait()
    return array


def _row_bytes(array: Any) -> int:
    return 0 if array is None else math.prod(array.shape[1:]) * array.dtype.itemsize
