"""The training loop: epochs, batches, records, and the callbacks that watch."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.callbacks import BatchEvent, Callback
from nnfs_xp.engine.batching import batch_order, batch_slices, rows_of
from nnfs_xp.engine.data import Data, as_inputs, default_limit, each
from nnfs_xp.engine.device_batches import DeviceBatches, StreamedBatches
from nnfs_xp.engine.interrupts import DeferredInterrupts
from nnfs_xp.engine.state import State
from nnfs_xp.engine.statistics import empty_statistics, figures_of
from nnfs_xp.engine.step import Batch, penalty
from nnfs_xp.history import History
from nnfs_xp.kernels import has_implementation


@dataclasses.dataclass(frozen=True)
class FitPlan:
    """Checked arguments of a call of `Model.fit`."""

    data: Data
    epochs: int
    batch_size: int | None
    shuffle: bool
    validation: Data | None
    data_limit: int | None

    @property
    def batches(self) -> list[slice]:
        """Rows of each batch."""
        return batch_slices(self.data.samples, self.batch_size)

    @property
    def batch_sizes(self) -> set[int]:
        """Numbers of rows that a batch may have: the usual one, and the last."""
        batches = self.batches
        return {rows.stop - rows.start for rows in (batches[0], batches[-1])}


class HostBatches:
    """Cuts every batch out of the data on the host's command."""

    def __init__(
        self, state: State, executor: Any, data: Data, seed: int, shuffle: bool
    ) -> None:
        self.state, self.executor, self.data = state, executor, data
        self.seed, self.shuffle = seed, shuffle
        self._order: Array | None = None

    def begin(self) -> None:
        """Make ready for training."""
        self.executor.prepare(self.state.tree, (), self.state.counters)

    def end(self) -> None:
        """Give up what was only for this training."""

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of an epoch."""
        data = self.data
        self.state.reset_totals(data.outputs)
        if self.shuffle:
            order = batch_order(self.seed, epoch, data.samples)
            self._order = data.be.asarray(order, "int32")

    def train(self, rows: slice) -> None:
        """Take a step on the rows with these numbers in the order."""
        be, data, state = self.state.network.backend, self.data, self.state
        given = data.rows(rows) if self._order is None else data.take(self._order[rows])
        self.executor.train(state.tree, _batch(be, given), state.counters.steps)


class Trainer:
    """Trains, evaluates and uses the network of a state.

    Parameters
    ----------
    state : State
    executor : Executor
        What runs the steps.
    seed : int
        Of the order of the batches.
    """

    def __init__(self, state: State, executor: Any, seed: int) -> None:
        self.state, self.executor, self.seed = state, executor, seed

    def figure_names(self, plan: FitPlan) -> list[str]:
        """Return the names of the figures that every record of a training has."""
        network = self.state.network
        names = ["loss", *(metric.name for metric in network.metrics)]
        if plan.validation is not None:
            names += [f"validation_{name}" for name in names]
        if network.regularizers:
            names += ["data_loss", "regularization_loss"]
        return [*names, "learning_rate"]

    def fit(self, plan: FitPlan, callbacks: Sequence[Callback], model: Any) -> History:
        """Train, and return a record of each epoch.

        Callbacks are given `model`, which ends the training by ``stop_training``.
        """
        history, state = History(), self.state
        state.detach()
        batches = self._batches(plan)
        with contextlib.ExitStack() as begun:
            interrupts = begun.enter_context(DeferredInterrupts())
            begun.callback(batches.end)
            # Capturing a step takes it, and takes it back.
            interrupts.begin()
            batches.begin()
            interrupts.end()
            begun.callback(setattr, state, "in_use", False)
            state.in_use = True
            for callback in callbacks:
                callback.on_fit_begin(model, plan.epochs, len(plan.batches))
                begun.callback(callback.on_fit_end)
            last = state.counters.epochs + plan.epochs
            for _ in range(plan.epochs):
                for callback in callbacks:
                    callback.on_epoch_begin(state.counters.epochs + 1)
                record = self._epoch(plan, batches, interrupts, callbacks, last)
                history.epochs.append(record)
                for callback in callbacks:
                    callback.on_epoch_end(record)
                if model.stop_training:
                    break
        return history

    def _batches(self, plan: FitPlan) -> Any:
        """Return what feeds the training with the data of a plan."""
        data, be = plan.data, self.state.network.backend
        given = self.state, self.executor, data, self.seed, plan.shuffle
        if not has_implementation("gather_batch", be.name):
            return HostBatches(*given)
        if data.be == be:
            return DeviceBatches(*given, plan.batch_sizes)
        limit = plan.data_limit or default_limit(be)
        assert limit is not None
        return StreamedBatches(*given, plan.batch_sizes, limit)

    def _epoch(
        self,
        plan: FitPlan,
        batches: Any,
        interrupts: DeferredInterrupts,
        callbacks: Sequence[Callback],
        last: int,
    ) -> dict[str, Any]:
        """Train for an epoch, and return its record."""
        state, counters = self.state, self.state.counters
        epoch, slices = counters.epochs + 1, plan.batches
        batches.begin_epoch(epoch)
        began = time.perf_counter()
        for batch, rows in enumerate(slices, start=1):
            state.begin_step()
            interrupts.begin()
            try:
                batches.train(rows)
                counters.steps += 1
            except BaseException:
                state.count_again()
                raise
            interrupts.end()
            if callbacks:
                event = BatchEvent(
                    epoch=epoch,
                    epochs=last,
                    batch=batch,
                    batches=len(slices),
                    samples=rows.stop,
                    learning_rate=state.last_rate or 0.0,
                    figures=self._epoch_figures,
                    batch_figures=self._batch_figures,
                )
                for callback in callbacks:
                    callback.on_batch_end(event)
        counters.epochs = epoch
        # Reading the sums waits for the device, so the clock is stopped after it.
        record: dict[str, Any] = {"epoch": epoch, **self._epoch_figures()}
        seconds = time.perf_counter() - began
        record["seconds"] = seconds
        record["samples_per_second"] = plan.data.samples / seconds
        record["learning_rate"] = state.last_rate
        if plan.validation is not None:
            for name, value in self.evaluate(plan.validation).items():
                record[f"validation_{name}"] = value
        return record

    def _epoch_figures(self) -> dict[str, Any]:
        """Return the figures of the epoch so far, with the penalties of now."""
        network, tree, penalties = self.state.network, self.state.tree, None
        if network.regularizers:
            with network.backend.context():
                values = network.learned.views(tree["parameters"])
                penalties = penalty(network, values)
        return figures_of(network, tree["totals"], penalties)

    def _batch_figures(self) -> dict[str, Any]:
        """Return the figures of the last batch, with the penalties at that time."""
        tree = self.state.tree
        return figures_of(self.state.network, tree["batch"], tree.get("penalty"))

    def evaluate(self, data: Data, batch_size: int | None = 1024) -> dict[str, Any]:
        """Return loss and metrics of checked data."""
        network = self.state.network
        totals = empty_statistics(network, data.outputs)
        for rows in batch_slices(data.samples, batch_size):
            batch = _batch(network.backend, data.rows(rows))
            self.executor.evaluate(self.state.tree, totals, batch)
        return figures_of(network, totals)

    def predict(self, x: Any, ids: tuple[bool, ...], batch_size: int | None) -> Array:
        """Return the outputs for checked samples."""
        be = self.state.network.backend
        first = x[0] if isinstance(x, tuple) else x
        parts = []
        for rows in batch_slices(first.shape[0], batch_size):
            cut = functools.partial(rows_of, rows=rows)
            part = as_inputs(be, each(cut, x), ids)
            parts.append(self.executor.predict(self.state.tree, part))
        return parts[0] if len(parts) == 1 else be.xp.concat(parts, axis=0)


def _batch(be: Backend, rows: Data) -> Batch:
    """Return rows of the data as a batch on a backend."""
    rows = rows.moved(be)
    return Batch(as_inputs(be, rows.x, rows.ids), rows.y, rows.weight)
