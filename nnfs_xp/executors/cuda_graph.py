"""The CUDA graph executor: the step is captured once and then replayed.

A launch costs the host a few microseconds, more than most kernels of a small
network take to run. A graph holds all launches of a step, with their arguments,
and is launched as one. What changes from step to step must therefore be read from
the device's memory: the rows of the batch, the learning rate, the step's number.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

import cupy

from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.executors.eager import EagerExecutor, Rows
from nnfs_xp.step import Network, State


class CudaGraphExecutor(EagerExecutor):
    """Replays the step as one CUDA graph for each size of a batch.

    Temporary arrays of the captured step lie in a memory pool of its own, as
    a graph writes to the same addresses whenever it is launched.

    Parameters
    ----------
    network : Network
        What to run.
    required : bool
        Whether a step that cannot be captured is an error. If not, it is run
        step by step, and `note` says why.
    """

    name = "cuda graph"

    def __init__(self, network: Network, required: bool) -> None:
        super().__init__(network)
        self.required = required
        self.note = "one CUDA graph for each size of a batch"
        self._graphs: dict[Rows, Any] = {}
        self._pool = cupy.cuda.MemoryPool()

    def release(self) -> None:
        """Forget all graphs, and give up their memory."""
        if self._graphs:
            # The last one may still be running.
            cupy.cuda.Device().synchronize()
        self._graphs = {}
        # A pool keeps what it has, even when nobody holds the pool any more.
        self._pool.free_all_blocks()

    def prepare(self, state: State, batches: Sequence[Rows]) -> None:
        """Capture a step for each of these batches; the state stays as it is.

        Raises
        ------
        BackendUnavailableError
            If that is impossible, and required.
        """
        self.release()
        # A limit that was set for CuPy's own pool is meant for both together.
        own = cupy.get_default_memory_pool()
        limit = own.get_limit()
        self._pool.set_limit(size=max(1, limit - own.used_bytes()) if limit else 0)
        self._stream = _capture_stream(cupy.cuda.runtime.getDevice())
        saved = _copied(state)
        graphs = {}
        for rows in batches:
            self._rehearse(state, rows)
            moved = _written_over(saved, state)
            reason = f"{moved} was given a new array" if moved else ""
            if not reason:
                graphs[rows], reason = self._captured(state, rows)
            if reason:
                self._give_up(reason)
                return
        self._graphs = graphs
        self.note = "one CUDA graph for each size of a batch"

    def train_rows(self, state: State, rows: Rows) -> None:
        """Launch the graph of such a batch."""
        graph = self._graphs.get(rows)
        if graph is None:
            super().train_rows(state, rows)
        else:
            graph.launch()

    def _rehearse(self, state: State, rows: Rows) -> None:
        """Run the step once, so that kernels are compiled and the pool is filled.

        Neither can be done while a stream captures.
        """
        cupy.cuda.Device().synchronize()
        with self._stream, cupy.cuda.using_allocator(self._pool.malloc):
            super().train_rows(state, rows)
        self._stream.synchronize()

    def _captured(self, state: State, rows: Rows) -> tuple[Any, str]:
        """Return the graph of a step, or None and the reason why there is none."""
        reason = ""
        with self._stream, cupy.cuda.using_allocator(self._pool.malloc):
            self._stream.begin_capture()
            try:
                super().train_rows(state, rows)
            except cupy.cuda.memory.OutOfMemoryError:
                _abandon(self._stream)
                raise
            # A layer that reads a value back, or copies one from the host, is
            # refused by the runtime or by CuPy, each with errors of its own.
            except Exception as error:
                reason = " ".join(f"{type(error).__name__}: {error}".split())
                _abandon(self._stream)
            else:
                return self._stream.end_capture(), ""
        return None, reason

    def _give_up(self, reason: str) -> None:
        self.release()
        if self.required:
            raise BackendUnavailableError(
                f"compile='require', and the step cannot be captured: {reason}"
            )
        self.note = f"step by step (not captured as a CUDA graph: {reason})"


_of_thread = threading.local()


def _capture_stream(device: int) -> Any:
    """Return the stream of this thread on which steps are captured on a device.

    Matrix products have a workspace for each stream, and keep it; so a stream
    for each model would fill the memory.
    """
    streams = vars(_of_thread).setdefault("streams", {})
    if device not in streams:
        streams[device] = cupy.cuda.Stream(non_blocking=True)
    return streams[device]


def _abandon(stream: Any) -> None:
    """End a capture of which nothing is wanted."""
    # It was invalidated by what went wrong.
    with contextlib.suppress(cupy.cuda.runtime.CUDARuntimeError):
        stream.end_capture()


def _copied(tree: State) -> State:
    return {
        key: (value, _copied(value) if isinstance(value, dict) else value.copy())
        for key, value in tree.items()
    }


def _written_over(saved: State, tree: State, path: str = "") -> str:
    """Write saved values back, and return the first slot with a new array."""
    moved = ""
    for key, (array, value) in saved.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            moved = moved or _written_over(value, tree[key], f"{name}.")
        else:
            if tree[key] is not array:
                moved = moved or name
                tree[key] = array
            array[...] = value
    return moved
