"""The CUDA graph executor: the step is captured once and then replayed.

A launch costs the host a few microseconds, more than most kernels of a small
network take to run. A graph holds all launches of a step, with their arguments,
and is launched as one. What changes from step to step must therefore be read from
the device's memory: the rows of the batch, the learning rate, the step's number.
"""

from __future__ import annotations

import contextlib
import gc
import re
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import cupy
import numpy as np

from nnfs_xp.backends import cublas
from nnfs_xp.engine.draws import CannotDraw, DeviceDraws
from nnfs_xp.engine.executors.cuda_fork import Fork
from nnfs_xp.engine.executors.lasting import LastingRows, kind_of, put_in, taken_out
from nnfs_xp.engine.held import Held, Watch, held
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import EagerExecutor, Rows, Steps, Tree
from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.kernels import has_implementation, kernel_mode, whole_step
from nnfs_xp.kernels.cupy.launch import launched
from nnfs_xp.trees import copy_tree, leaves

# Which of several free blocks a pool gives is not determined, so that it may grow in
# more than one rehearsal. A pool that grows in all of these will always grow.
_REHEARSALS = 8
# A launch costs the host as much time as the device needs for a small step.
STEPS_OF_A_GRAPH = 8
# Bytes that graphs may keep between trainings. A step that needs more takes so long
# that the cost of capturing it again does not matter.
MOST_KEPT_BYTES = 2**26
_NODE = re.compile(r'^\s*"?\w*\d"?\s*\[', re.MULTILINE)
_NOTE = "one CUDA graph for each size of a batch"


class CudaGraphExecutor(EagerExecutor):
    """Replays the step as one CUDA graph for each size of a batch.

    For many steps in a row, another graph holds eight of them. The device counts the
    row and the number of each step, and stores a learning rate for each.

    Temporary arrays of a captured step are in a memory pool of its graph, because a
    graph writes to the same addresses whenever it is launched. Nothing else may be put
    there, and the pool must not free memory.

    Graphs outlive a training, with the arrays of the state that they write to. The
    next training of the same kind moves its values into these arrays, lets the graphs
    look up where its data is, and captures nothing. Between trainings the model has
    copies, so that nothing a user holds is written to.

    Parameters
    ----------
    network : Network
        What to run.
    required : bool
        Whether a step that cannot be captured is an error. If not, it is run
        step by step, and `note` says why.
    """

    name = "cuda graph"
    captures = True

    def __init__(self, network: Network, required: bool) -> None:
        super().__init__(network)
        self.required = required
        # A layer of one's own may change what a branch still reads.
        if network.has_own_layers_only:
            self.fork = Fork()
        self.note = _NOTE
        self._graphs: dict[Rows, Any] = {}
        # Graphs of several steps, None if there can be none.
        self._several: dict[Rows, Any] = {}
        self._pools: dict[Rows, Any] = {}
        # Learning rates of several steps on the device, and their values.
        self._rates: Any = None
        self._rates_written: list[float] = []
        # The kind of training that graphs were captured for, and the arrays of the
        # state that they use.
        self._kind: Any = None
        self._arrays: Tree = {}
        # The current training: its state, and the rows that the graphs use in place of
        # its own.
        self._state: Tree = {}
        self._lasting: dict[Rows, Rows] = {}
        # What a training was prepared with, and what units of a user's own held then.
        self._prepared: tuple[Any, ...] = ()
        self._held: Held = {}
        # A pool keeps what it has, even when nobody holds the pool any more.
        weakref.finalize(self, _emptied, self._pools).atexit = False

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why the step cannot be captured as a CUDA graph, empty if it can."""
        be = network.backend
        if not has_implementation("gather_batch", be.name):
            return "kernels are off, and only they gather batches on the device"
        return be.why_no_capture()

    def release(self) -> None:
        """End a training: give the state its own arrays, or give up all graphs.

        Graphs are kept if another training can use them and they take little memory.
        """
        state, self._state, self._lasting = self._state, {}, {}
        if (
            self._graphs
            and self._kind is not None
            and self._nbytes() <= MOST_KEPT_BYTES
        ):
            try:
                taken_out(state, self._arrays)
            except cupy.cuda.memory.OutOfMemoryError:
                # In that case, the state keeps the arrays of the graphs, which are
                # given up.
                pass
            else:
                return
        self._forget()

    def _nbytes(self) -> int:
        arrays = sum(leaf.nbytes for leaf in leaves(self._arrays))
        return arrays + sum(pool.total_bytes() for pool in self._pools.values())

    def _forget(self) -> None:
        """Give up all graphs, and their memory."""
        if self._graphs:
            # The last one may still be running. Not the device as a whole, which
            # cannot be waited for while another thread captures.
            cupy.cuda.get_current_stream().synchronize()
        self._graphs, self._several = {}, {}
        self._kind, self._arrays, self._rates = None, {}, None
        _emptied(self._pools)

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Ensure that each of these batches has a graph; the state is unchanged.

        Raises
        ------
        BackendUnavailableError
            If that is impossible, and required.
        """
        device = cupy.cuda.runtime.getDevice()
        self._stream, self._beside = _capture_streams(device)
        lasting = [LastingRows.of(rows) or rows for rows in batches]
        # A workspace of cuBLAS belongs to the stream of a capture.
        kind = kind_of(self.network, state, lasting, counters)
        kind = None if kind is None else (*kind, self._stream)
        known = kind is not None and kind == self._kind
        if known:
            put_in(state, self._arrays)
            lasting = list(self._graphs)
        for own, rows in zip(lasting, batches, strict=True):
            if isinstance(own, LastingRows):
                own.point_to(rows)
        self._prepared, self._lasting = (batches, counters), {}
        if not known:
            self._forget()
            if not self._capture(state, lasting, counters):
                return
            self._kind, self._arrays = kind, copy_tree(state)
        self._held = held(self.network)
        self._state, self._rates_written = state, []
        self._lasting = dict(zip(batches, lasting, strict=True))

    def _capture(self, state: Tree, batches: Sequence[Rows], counters: Any) -> bool:
        """Capture a step for each of these batches, and return whether that worked."""
        saved, watch = _copied(state), Watch(self.network, undoes=True)
        graphs = {}
        self._steps_before = counters.steps_before
        for rows in batches:
            pool = self._pools[rows] = self._new_pool()
            reason = self._rehearsed(state, rows, saved, pool)
            if what := watch.changed():
                watch.undo()
                reason = reason or what
            if not reason:
                before = _own_so_far()
                graphs[rows], reason = self._captured([state], rows, pool)
                own = _own_so_far() - before
            if reason:
                self._give_up(reason)
                return False
        self._graphs = graphs
        self._rates = self.network.backend.zeros((STEPS_OF_A_GRAPH,))
        self.note = _NOTE
        if all(self._whole_step(state, rows) for rows in batches):
            self.note += ", three kernels a step"
        elif batches and (count := _nodes(graphs[batches[-1]])):
            self.note += f", {count} kernels, products and copies a step"
            if count > own:
                self.note += f", {count - own} of them CuPy's"
        return True

    def _follow(self, state: Tree) -> None:
        """Capture anew what a user's own units held other values for."""
        if self._lasting and held(self.network) != self._held:
            self.prepare(state, *self._prepared)

    def train_many(self, state: Tree, rows: Rows, steps: Steps) -> None:
        """Take several training steps; as many as fill whole graphs."""
        self._follow(state)
        graph, lasting = None, self._lasting.get(rows)
        if lasting is not None and steps.count >= STEPS_OF_A_GRAPH:
            graph = self._graph_of_several(state, lasting)
        if graph is None:
            super().train_many(state, rows, steps)
            return
        steps.limit(steps.count - steps.count % STEPS_OF_A_GRAPH)
        rates = steps.rates()
        whole = len(rates) - len(rates) % STEPS_OF_A_GRAPH
        if not whole:
            super().train_many(state, rows, steps)
            return
        steps.limit(whole)
        for first in range(0, whole, STEPS_OF_A_GRAPH):
            self._write_rates(rates[first : first + STEPS_OF_A_GRAPH])
            graph.launch()
        steps.rate = rates[whole - 1]
        steps.end()

    def _write_rates(self, rates: list[float]) -> None:
        """Write learning rates by a copy in the order of the stream."""
        if rates != self._rates_written:
            host = np.asarray(rates, dtype=self.network.backend.dtype_name)
            self._rates.set(host, cupy.cuda.get_current_stream())
            self._rates_written = rates

    def _graph_of_several(self, state: Tree, rows: Rows) -> Any:
        """Return the graph of several steps, captured when it is first wanted."""
        if rows not in self._several:
            states = []
            for rate in self._rates:
                optimizer = {**state["optimizer"], "learning_rate": rate}
                states.append({**state, "optimizer": optimizer})
            # Without one, steps are launched one by one.
            pool = self._pools[rows]
            self._several[rows], _ = self._captured(states, rows, pool)
        return self._several[rows]

    def _whole_step(self, state: Tree, rows: Rows) -> bool:
        found = whole_step(self.network.backend, self.network, rows, state)
        return not isinstance(found, str)

    def train_rows(self, state: Tree, rows: Rows, step: int) -> None:
        """Launch the graph of such a batch."""
        self._follow(state)
        lasting = self._lasting.get(rows)
        if lasting is None:
            super().train_rows(state, rows, step)
        else:
            self._graphs[lasting].launch()

    def _step(self, state: Tree, rows: Rows) -> None:
        """Take a step that depends only on the device's memory."""
        step = state["optimizer"]["step"]
        if self._steps_before:
            step = step + self._steps_before
        with self._forking():
            self.step_on(state, rows, DeviceDraws(self.network.backend, step))

    @contextlib.contextmanager
    def _forking(self) -> Iterator[None]:
        """Let what is inside have a second branch, where it may."""
        if self.fork is None or kernel_mode() == "no_fork":
            yield
            return
        self.fork.begin(self._beside)
        try:
            yield
        finally:
            self.fork.end()

    def _new_pool(self) -> Any:
        """Return a pool for one graph, within the limit set for all together."""
        pool, own = cupy.cuda.MemoryPool(), cupy.get_default_memory_pool()
        limit = own.get_limit()
        if limit:
            pools = self._pools.values()
            used = own.used_bytes() + sum(p.total_bytes() for p in pools)
            pool.set_limit(size=max(1, limit - used))
        return pool

    def _rehearsed(self, state: Tree, rows: Rows, saved: Tree, pool: Any) -> str:
        """Run the step until kernels are compiled and the pool has all it needs.

        Neither can be done while a stream captures. Returns why the step cannot be
        captured, if that is clear by now.
        """
        # Blocks that one step has freed may not suit the next.
        for _ in range(_REHEARSALS):
            # Which writes the state, and writes it over after a rehearsal.
            cupy.cuda.get_current_stream().synchronize()
            size = pool.total_bytes()
            try:
                with self._stream, cupy.cuda.using_allocator(pool.malloc):
                    self._step(state, rows)
            except CannotDraw as error:
                return str(error)
            finally:
                self._stream.synchronize()
                self._beside.synchronize()
                moved = _written_over(saved, state)
            if moved:
                return f"{moved} was given a new array"
            if size == pool.total_bytes():
                return ""
        change = abs(pool.total_bytes() - size)
        return f"its memory changed in every trial, in the last one by {change} bytes"

    def _captured(
        self, states: Sequence[Tree], rows: Rows, pool: Any
    ) -> tuple[Any, str]:
        """Return the graph of a step on each state, or None and the reason why not."""
        reason = ""
        # A pool at its limit would free memory that this graph or another writes to.
        pool.set_limit(size=0)
        with (
            self._stream,
            cupy.cuda.using_allocator(pool.malloc),
            _NothingFreed(),
            _no_collection(),
        ):
            self._stream.begin_capture()
            try:
                for state in states:
                    self._step(state, rows)
            # A layer that reads a value back, or copies one from the host, is
            # refused by the runtime or by CuPy, each with errors of its own.
            except BaseException as error:
                _abandon(self._stream)
                memory = cupy.cuda.memory.OutOfMemoryError
                if isinstance(error, memory) or not isinstance(error, Exception):
                    raise
                reason = " ".join(f"{type(error).__name__}: {error}".split())
            else:
                return self._stream.end_capture(), ""
        return None, reason

    def _give_up(self, reason: str) -> None:
        self._forget()
        if self.required:
            raise BackendUnavailableError(
                f"compile='require', and the step cannot be captured: {reason}"
            )
        self.note = f"step by step (not captured as a CUDA graph: {reason})"


class _NothingFreed(cupy.cuda.MemoryHook):
    """Stops a pool that gets no memory, before it frees memory that graphs write to."""

    name = "nnfs_xp: no memory is given back while a step is captured"

    def alloc_postprocess(self, **sizes: int) -> None:
        """Raise MemoryError if the device had no memory left."""
        if not sizes["mem_ptr"]:
            raise MemoryError(f"no {sizes['mem_size']} bytes are left on the device")


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from destroying other graphs and arrays while a step is captured."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _emptied(pools: dict[Rows, Any]) -> None:
    """Free the memory of pools."""
    for pool in pools.values():
        pool.free_all_blocks()
    pools.clear()


_of_thread = threading.local()


def _capture_streams(device: int) -> tuple[Any, Any]:
    """Return the streams of this thread on which steps are captured on a device.

    The second is for a second branch. Matrix products have a workspace for each stream,
    and keep it, so streams for each model would fill the memory.
    """
    streams = vars(_of_thread).setdefault("streams", {})
    if device not in streams:
        streams[device] = tuple(cupy.cuda.Stream(non_blocking=True) for _ in range(2))
    return streams[device]


def _nodes(graph: Any) -> int:
    """Return how many nodes a graph has, 0 if that is unknown.

    CuPy reports it only in a text, in Graphviz's language: each node begins a line with
    its name and its attributes in brackets.
    """
    return len(_NODE.findall(graph.debug_dot_str()))


def _own_so_far() -> int:
    """Return how many kernels of the package and products this thread has launched."""
    return launched.count + cublas.products_of_thread()


def _abandon(stream: Any) -> None:
    """End a capture whose result is not needed."""
    # It was invalidated by what went wrong.
    with contextlib.suppress(cupy.cuda.runtime.CUDARuntimeError):
        stream.end_capture()


def _copied(tree: Tree) -> Tree:
    return {
        key: (value, _copied(value) if isinstance(value, dict) else value.copy())
        for key, value in tree.items()
    }


def _written_over(saved: Tree, tree: Tree, path: str = "") -> str:
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
