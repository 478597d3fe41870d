"""Batches that come one by one, from an iterable of the user's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Backend
from nnfs_xp.engine.data import Data, FitPlan, as_inputs
from nnfs_xp.engine.device_batches import DeviceBatches
from nnfs_xp.engine.state import State, Steps
from nnfs_xp.engine.step import Batch


class Seen:
    """Rows of the batches of an epoch, known for the batches that have come.

    Parameters
    ----------
    count : int
        Number of batches that will come.
    """

    def __init__(self, count: int) -> None:
        self.count, self._stops = count, [0]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return range(self.count)[key]
        start, stop = self._stops[key : key + 2] if key >= 0 else self._stops[-2:]
        return slice(start, stop)

    def add(self, samples: int) -> None:
        """Note that a batch has come."""
        self._stops.append(self._stops[-1] + samples)

    def restart(self) -> None:
        """Begin an epoch."""
        self._stops = [0]

    @property
    def is_complete(self) -> bool:
        """Whether all batches of the epoch have come."""
        return len(self._stops) > self.count

    @property
    def samples(self) -> int:
        """Number of rows so far."""
        return self._stops[-1]


@dataclasses.dataclass(frozen=True)
class GivenPlan(FitPlan):
    """A plan for training on batches that come one by one; `data` is the first.

    Attributes
    ----------
    source : GivenBatches
        Where they come from; see `nnfs_xp.model.batches`.
    """

    source: Any = None
    one_by_one = True

    @property
    def batches(self) -> Any:
        """Rows of each batch that has come."""
        return self.source.seen

    @property
    def samples(self) -> int:
        """Number of rows that have come in this epoch."""
        return self.source.seen.samples

    @property
    def batch_sizes(self) -> list[int]:
        """Number of rows of the first batch."""
        return [self.data.samples]

    def fetch(self) -> None:
        """Wait for the next batch."""
        self.source.fetch()


def batch_of(be: Backend, rows: Data) -> Batch:
    """Return rows of the data as a batch on a backend."""
    y, weight = (a if a is None else be.asarray(a) for a in (rows.y, rows.weight))
    # Cast while it is moved: on JAX, a separate cast is a program for each shape.
    return Batch(as_inputs(be, rows.x, rows.ids), y, weight)


class FetchedBatches:
    """Passes every batch to the executor when it arrives."""

    def __init__(self, state: State, executor: Any, plan: GivenPlan) -> None:
        self.state, self.executor, self.plan = state, executor, plan

    def begin(self) -> None:
        """Prepare for training."""
        self.executor.prepare(self.state.tree, (), self.state.counters)

    def end(self) -> None:
        """Give up everything that was only for this training."""
        self.executor.release()

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch of the iterable, too."""
        self.state.reset_totals(self.plan.data.outputs, self.plan.data.weighted)
        self.plan.source.restart()

    def train(self, batches: Sequence[Any], steps: Steps) -> None:
        """Take a step on the batch that was fetched."""
        be = self.state.network.backend
        for step in steps:
            batch = batch_of(be, self.plan.source.take())
            self.executor.train(self.state.tree, batch, step)


class SlotBatches(DeviceBatches):
    """Writes every batch to the same arrays of a device, which a captured step reads.

    There is one such step, for batches of the size of the first one. Batches of other
    sizes, such as a short last one, are passed to the executor as they are.
    """

    def __init__(self, state: State, executor: Any, plan: GivenPlan) -> None:
        be, first = state.network.backend, plan.data
        # Copies: what the user has given must not be written to.
        slots = first.each_array(
            lambda a: be.xp.asarray(be.asarray(a), copy=True), be
        )  # fmt: skip
        super().__init__(state, executor, FitPlan(slots, None, shuffle=False))
        self.source = plan.source

    def begin_epoch(self, epoch: int) -> None:
        """Begin an epoch of the iterable, too."""
        super().begin_epoch(epoch)
        self.source.restart()

    def train(self, batches: Sequence[Any], steps: Steps) -> None:
        """Take a step on the batch that was fetched."""
        be, tree = self.state.network.backend, self.state.tree
        for step in steps:
            data = self.source.take().moved(be)
            pairs = [
                (slot, array)
                for slot, array in zip(self.arrays, data.arrays, strict=True)
                if slot is not None
            ]
            if any((s.shape, s.dtype) != (a.shape, a.dtype) for s, a in pairs):
                self.executor.train(tree, batch_of(be, data), step)
                continue
            for slot, array in pairs:
                slot[...] = array
            tree["row"][...] = 0
            self.executor.train_rows(tree, self._kinds[data.samples], step)
