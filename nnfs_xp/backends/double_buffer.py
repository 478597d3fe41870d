"""Two chunks of rows on a CUDA device, filled in turn from the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cupy
import cupyx


class DoubleBuffer:
    """Device buffers for twice a number of rows, with pinned memory beside them.

    A copy from pinned memory runs in the background, on a stream of its own.
    Events keep the two halves apart: a half is written to only after the steps
    that read it, and read only after it was written.

    Parameters
    ----------
    like : sequence of numpy.ndarray or None
        Arrays whose rows will come: their dtypes, and shapes after the first
        axis. For None there is no buffer.
    rows : int
        Rows of each half.

    Attributes
    ----------
    arrays : tuple of cupy.ndarray or None
        The buffers; the second half begins after `rows` rows.
    """

    def __init__(self, like: Sequence[Any], rows: int) -> None:
        self.rows = rows
        # Not empty: rows that a short epoch leaves unwritten must be numbers.
        self.arrays = _buffers(cupy.zeros, like, 2 * rows)
        self._pinned = [_buffers(cupyx.empty_pinned, like, rows) for _ in range(2)]
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._written = [cupy.cuda.Event(disable_timing=True) for _ in range(2)]
        self._read = [cupy.cuda.Event(disable_timing=True) for _ in range(2)]
        # The buffers were cleared on the stream that is current now.
        for half in range(2):
            self.release(half)

    def load(self, half: int, parts: Sequence[Any]) -> None:
        """Copy rows of host arrays into a half, in the background.

        What is queued on the current stream from now on waits for them.
        """
        # Else an earlier copy could still be reading the pinned memory.
        self._written[half].synchronize()
        self._stream.wait_event(self._read[half])
        rows = zip(self.arrays, self._pinned[half], parts, strict=True)
        for buffer, pinned, part in rows:
            if part is not None:
                pinned[: len(part)] = part
                start = half * self.rows
                buffer[start : start + len(part)].set(pinned[: len(part)], self._stream)
        self._written[half].record(self._stream)
        cupy.cuda.get_current_stream().wait_event(self._written[half])

    def release(self, half: int) -> None:
        """Say that all that reads this half is queued on the current stream."""
        self._read[half].record()


def _buffers(make: Any, like: Sequence[Any], rows: int) -> tuple[Any, ...]:
    return tuple(
        None if array is None else make((rows, *array.shape[1:]), array.dtype)
        for array in like
    )
