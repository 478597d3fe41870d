"""Batches that the device gathers itself, with kernels, from data in its memory.

The order of an epoch is moved there once, and a counter beside it tells which batch is
next, so nothing is copied for a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.batching import gather_batch
from nnfs_xp.engine.data import FitPlan, default_limit, rows_within
from nnfs_xp.engine.state import State, Steps
from nnfs_xp.engine.step import Batch

Tree = dict[str, Any]


class DeviceBatches:
    """Lets the device gather every batch, by a counter of rows in the state."""

    def __init__(self, state: State, executor: Any, plan: FitPlan) -> None:
        self.state, self.executor = state, executor
        self.plan, self.data = plan, plan.data
        be, first = state.network.backend, state.network.absorbed.rescaling
        self.arrays = plan.data.arrays
        self.order: Any = None
        if plan.shuffle and be.in_place:
            self.order = be.zeros((plan.data.samples,), be.xp.int32)
        several = isinstance(plan.data.x, tuple)
        rescale = None if first is None else (first.scale, first.offset)
        self._kinds = {
            size: GatheredRows(self, Gather(size, plan.data.ids, several, rescale))
            for size in plan.batch_sizes
        }

    def begin(self) -> None:
        """Prepare for training: fixed places for everything that a step changes."""
        state = self.state
        data = self.data
        state.start_device_counters(data.outputs, data.weighted, self.executor)
        self.executor.prepare(state.tree, list(self._kinds.values()), state.counters)

    def end(self) -> None:
        """Give up the graphs, which hold the data."""
        self.executor.release()
        self._kinds.clear()

    def begin_epoch(self, epoch: int) -> None:
        """Move the order of an epoch to the device."""
        self.state.restart_device_counters()
        order = self.plan.order(self.state.network.seed, epoch)
        be = self.state.network.backend
        if self.order is not None and be.in_place:
            self.order[...] = be.asarray(order, "int32")
        elif order is not None:
            # A compiled step moves it, which costs less.
            self.order = order.astype("int32")

    def train(self, batches: Sequence[slice], steps: Steps) -> None:
        """Take steps on batches of one size, by their rows in the order."""
        kind = self._kinds[batches[0].stop - batches[0].start]
        self.executor.train_many(self.state.tree, kind, steps)


@dataclasses.dataclass(frozen=True)
class Gather:
    """How a batch is gathered from arrays on the device.

    Attributes
    ----------
    size : int
        Number of rows.
    ids : tuple of bool
        For each input, whether it holds ids, which stay integers.
    several : bool
        Whether the network takes a tuple of inputs.
    rescale : tuple of float or None
        Factor and summand of the `Rescaling` that the network begins with.
    """

    size: int
    ids: tuple[bool, ...]
    several: bool
    rescale: tuple[float, float] | None

    def __call__(self, be: Backend, sources: Any, row: Array | int) -> Batch:
        """Return the batch whose first row has this number in the order."""
        (*inputs, y, weight), order = sources

        def gathered(*arrays: Array | None) -> tuple[Any, ...]:
            # An array of floats, and up to two that are gathered as they are.
            return gather_batch(be, arrays, order, row, self.size, self.rescale)

        # Targets and weights come with the first input, if it is one of floats.
        first, y, weight = gathered(None if self.ids[0] else inputs[0], y, weight)
        x = tuple(
            first
            if number == 0 and not is_ids
            else gathered(None, array, None)[1]
            if is_ids
            else gathered(array, None, None)[0]
            for number, (array, is_ids) in enumerate(zip(inputs, self.ids, strict=True))
        )
        rescaled = self.rescale is not None
        return Batch(x if self.several else x[0], y, weight, rescaled)


class GatheredRows:
    """The next batch of a size, whichever it is; see `executors.Rows`."""

    def __init__(self, batches: DeviceBatches, gather: Gather) -> None:
        self.batches, self.gather, self.size = batches, gather, gather.size

    @property
    def sources(self) -> tuple[Any, ...]:
        """Inputs, targets and weights, and the order of their rows."""
        return self.batches.arrays, self.batches.order

    def load(self, be: Backend, state: Tree) -> Batch:
        """Gather the rows, rescaled where the network begins with that."""
        return self.gather(be, self.sources, state["row"])


class StreamedBatches(DeviceBatches):
    """Feeds a device with data that is larger than its memory.

    The device holds two chunks of the epoch, each of some batches. As soon as steps on
    one are queued, the host gathers the rows of the next into pinned memory, from where
    they are copied in the background while the device learns.
    """

    def __init__(self, state: State, executor: Any, plan: FitPlan) -> None:
        be, data = state.network.backend, plan.data
        limit = plan.data_limit or default_limit(be)
        assert limit is not None
        self._chunk_rows = rows_within(data, max(plan.batch_sizes), limit)
        # Rows arrive in their order, so the device needs none.
        super().__init__(state, executor, dataclasses.replace(plan, shuffle=False))
        self._whole = plan
        self._buffer = be.double_buffer(data.arrays, self._chunk_rows)
        self.arrays = self._buffer.arrays
        self._host_order: Any = None
        # The chunk that steps use, and the last one that was sent.
        self._present: int | None = None
        self._sent: int | None = None

    def end(self) -> None:
        """Give up the graphs and the buffers, after all copies to them have ended."""
        super().end()
        self._buffer.wait()

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of an epoch."""
        super().begin_epoch(epoch)
        self._host_order = self._whole.order(self.state.network.seed, epoch)
        self._leave()
        self._sent = None

    def train(self, batches: Sequence[slice], steps: Steps) -> None:
        """Take steps on batches of one size, up to the end of a chunk at most."""
        chunk = batches[0].start // self._chunk_rows
        if chunk != self._present:
            self._leave()
            self._send(chunk)
            self._buffer.use(chunk % 2)
            self._present = chunk
        end = (chunk + 1) * self._chunk_rows
        steps.limit(sum(rows.start < end for rows in batches))
        super().train(batches, steps)
        # The device is busy now.
        self._send(chunk + 1)

    def _send(self, chunk: int) -> None:
        """Bring a chunk of the epoch to the device, unless it is under way already."""
        begin = chunk * self._chunk_rows
        end = min(begin + self._chunk_rows, self.data.samples)
        if chunk == self._sent or begin >= end:
            return
        rows, order = slice(begin, end), self._host_order
        numbers = rows if order is None else order[rows]
        self._buffer.load(chunk % 2, self.data.arrays, numbers)
        self._sent = chunk

    def _leave(self) -> None:
        """Note that no further step will read the current chunk."""
        if self._present is not None:
            self._buffer.release(self._present % 2)
        self._present = None
