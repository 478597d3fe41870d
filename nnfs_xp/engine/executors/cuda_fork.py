"""A second branch of a step on CUDA, for gradients that nothing waits for.

The optimizer alone reads the gradients of a layer's parameters, while the layers before
it wait for the gradient of its inputs. In a captured step both can be computed at the
same time: an event is recorded where the branch begins, a second stream waits for it,
and in the end the first stream waits for the second. In the graph, these events become
edges between nodes, and no nodes of their own.

Two rules keep the memory of both branches apart. CuPy's pool gives a freed block to
later work on the stream it was allocated on, in the order of that stream alone. What
the branch reads is therefore kept until the join. And products on two streams must not
share a workspace of cuBLAS; `nnfs_xp.backends.cublas` has one for each stream.

References
----------
NVIDIA, "CUDA C++ Programming Guide", the section "Cross-stream Dependencies and Events"
on stream capture; "cuBLAS", section 2.1.4: with a workspace set for each stream,
results are the same bit for bit although several streams run at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import cupy


class Fork:
    """A second stream, which computes beside the current one until they are joined.

    It does nothing before `begin` and after `end`.
    """

    def __init__(self) -> None:
        self._stream: Any = None
        self._forked: Any = None
        self._joined: Any = None
        self._kept: list[Any] = []

    def begin(self, stream: Any) -> None:
        """Use a stream of the current device from now on."""
        self._stream = stream
        # Once, so that no event is made or destroyed while a stream is captured.
        if self._forked is None:
            self._forked = cupy.cuda.Event(disable_timing=True)
            self._joined = cupy.cuda.Event(disable_timing=True)

    def end(self) -> None:
        """Use none from now on; what a step that failed has kept is given up."""
        self._stream = None
        self._kept.clear()

    @contextlib.contextmanager
    def beside(self, *operands: Any) -> Iterator[None]:
        """Queue work on the second stream, after all that the current one has so far.

        The operands are kept until the join, and must not be written to before.
        """
        if self._stream is None:
            yield
            return
        self._forked.record()
        self._stream.wait_event(self._forked)
        self._kept.append(operands)
        with self._stream:
            yield

    def join(self) -> None:
        """Let what the current stream gets from now on wait for the second one."""
        if self._kept:
            self._joined.record(self._stream)
            cupy.cuda.get_current_stream().wait_event(self._joined)
            self._kept.clear()
