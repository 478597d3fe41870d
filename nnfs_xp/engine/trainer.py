"""The training loop: epochs, batches, records, and the callbacks that watch."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array
from nnfs_xp.callbacks import BatchEvent, Callback
from nnfs_xp.engine.data import Data, FitPlan, each
from nnfs_xp.engine.device_batches import DeviceBatches, Gather, StreamedBatches
from nnfs_xp.engine.divergence import FiniteCheck
from nnfs_xp.engine.given_batches import (
    FetchedBatches,
    GivenPlan,
    SlotBatches,
    batch_of,
)
from nnfs_xp.engine.interrupts import DeferredInterrupts
from nnfs_xp.engine.state import State, Steps
from nnfs_xp.engine.statistics import computed, empty_statistics, figures_of, read_back
from nnfs_xp.engine.step import Batch, penalty
from nnfs_xp.errors import DivergenceError
from nnfs_xp.history import History
from nnfs_xp.io.run_file import Run

# Limits for the duration of several steps in one call, if they can be met.
SHORT_SECONDS, LONG_SECONDS = 0.1, 0.4


class HostBatches:
    """Cuts every batch out of the data on the host's command."""

    def __init__(self, state: State, executor: Any, plan: FitPlan) -> None:
        self.state, self.executor, self.plan = state, executor, plan
        self._order: Array | None = None
        data = plan.data
        several = isinstance(data.x, tuple)
        self._gathers = {
            size: Gather(size, data.ids, several, None) for size in plan.batch_sizes
        }

    def begin(self) -> None:
        """Prepare for training."""
        self.executor.prepare(self.state.tree, (), self.state.counters)

    def end(self) -> None:
        """Give up everything that was only for this training."""
        self.executor.release()

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of an epoch."""
        data = self.plan.data
        self.state.reset_totals(data.outputs, data.weighted)
        order = self.plan.order(self.state.network.seed, epoch)
        if order is not None:
            # Nobody else has it, so host memory is not copied.
            be = data.be
            taken = be.in_place and be.on_host
            order = be.put(order) if taken else be.asarray(order, "int32")
        self._order = order

    def train(self, batches: Sequence[slice], steps: Steps) -> None:
        """Take steps on batches of one size, by their rows in the order."""
        data, tree, train = self.plan.data, self.state.tree, self.executor.train
        gather = self._gathers[batches[0].stop - batches[0].start]
        sources = data.arrays, self._order
        here = self.state.network.backend == data.be
        # Steps first: when they end, no further batch is taken.
        for step, rows in zip(steps, batches, strict=False):
            batch = gather(data.be, sources, rows.start)
            train(tree, batch if here else self._moved(batch), step)

    def _moved(self, batch: Batch) -> Batch:
        """Return a batch that was cut on the host on the device."""
        be = self.state.network.backend
        # Rows in an order of their own were copied when they were gathered.
        put = be.put if self._order is not None and be.in_place else be.asarray
        x, y, weight = batch.x, batch.y, batch.weight
        return Batch(each(put, x), put(y), None if weight is None else put(weight))


class Pace:
    """How many steps to take at once: as many as take a few tenths of a second.

    Nothing else happens in this time: no bar moves, and Ctrl-C waits for its end.

    Attributes
    ----------
    steps : int
    """

    def __init__(self) -> None:
        self.steps = 1

    def follow(self, steps: int, seconds: float) -> None:
        """Adapt to the time that some steps have taken."""
        if seconds < SHORT_SECONDS and steps == self.steps:
            self.steps *= 2
        elif seconds > LONG_SECONDS:
            self.steps = max(1, steps // 2)


class Trainer:
    """Trains, evaluates and uses the network of a state.

    Parameters
    ----------
    state : State
    executor : Executor
        What runs the steps.
    """

    def __init__(self, state: State, executor: Any) -> None:
        self.state, self.executor = state, executor
        # The kind of training that the pace was found for.
        self._paced: Any = None
        # The trainer that was last made for the same network on several ranks.
        self.of_ranks: Any = None

    def figure_names(self, validated: bool) -> list[str]:
        """Return the names of the figures that every record of a training has."""
        network = self.state.network
        names = ["loss", *(metric.name for metric in network.metrics)]
        if validated:
            names += [f"validation_{name}" for name in names]
        if network.regularizers:
            names += ["data_loss", "regularization_loss"]
        return [*names, "learning_rate"]

    def fit(self, plan: FitPlan, model: Any, run: Run) -> History:
        """Train, and return a record of each epoch.

        Callbacks are given `model`, which ends the training by ``stop_training``.
        """
        history, state, callbacks = History(), self.state, plan.callbacks
        history.epochs = run.records
        self._finite = FiniteCheck(state, plan.stays_finite)
        kind = plan.batch_size, plan.data.sample, self.executor
        if kind != self._paced:
            self._paced, self._pace = kind, Pace()
        state.detach()
        batches = self._batches(plan)
        with contextlib.ExitStack() as begun:
            interrupts = begun.enter_context(self._interrupts(run))
            begun.callback(batches.end)
            # Capturing a step executes it and then undoes it.
            interrupts.begin()
            batches.begin()
            interrupts.end()
            begun.callback(setattr, state, "in_use", False)
            state.in_use = True
            left = plan.epochs - len(run.records)
            for callback in callbacks:
                callback.on_fit_begin(model, left, len(plan.batches))
                begun.callback(callback.on_fit_end)
            run.start()
            last = state.counters.epochs + left
            try:
                while not run.is_over:
                    self._epoch(plan, batches, interrupts, last, run)
            except (KeyboardInterrupt, SystemExit):
                run.save_interrupted()
                raise
            except DivergenceError as error:
                error.history = history
                raise
        return history

    def _interrupts(self, run: Run) -> DeferredInterrupts:
        """Return the object that holds interruptions back during training."""
        return DeferredInterrupts(terminate=run.path is not None)

    def _batches(self, plan: FitPlan) -> Any:
        """Return the object that feeds the training with the data of a plan."""
        be = self.state.network.backend
        kind: Any = HostBatches
        if isinstance(plan, GivenPlan):
            kind = SlotBatches if self.executor.captures else FetchedBatches
        elif self.executor.gathers:
            if plan.data.be == be:
                kind = DeviceBatches
            elif be.streams:
                kind = StreamedBatches
        return kind(self.state, self.executor, plan)

    def _epoch(
        self,
        plan: FitPlan,
        batches: Any,
        interrupts: DeferredInterrupts,
        last: int,
        run: Run,
    ) -> None:
        """Train for an epoch, or for the rest of it, and record it."""
        state, counters = self.state, self.state.counters
        epoch, slices = counters.epochs + 1, plan.batches
        watchers = [one for one in plan.callbacks if _watches_batches(one)]
        self._finite.epoch = epoch
        if not run.begun:
            with run.undivided(interrupts):
                for callback in plan.callbacks:
                    callback.on_epoch_begin(epoch)
                run.begun = True
        batches.begin_epoch(epoch)
        if run.batch:
            state.restore_totals(run.totals, slices[run.batch - 1].stop)
            run.totals = {}
        began = time.perf_counter() - run.seconds
        while run.batch < len(slices):
            batch = run.batch
            stop = self._stop(plan, batch, watchers)
            plan.fetch()
            with run.undivided(interrupts):
                steps = Steps(state, stop - batch, interrupts.pending)
                started = time.perf_counter()
                interrupts.begin()
                try:
                    batches.train(slices[batch:stop], steps)
                except BaseException:
                    state.count_again()
                    raise
                interrupts.end()
                taken = counters.steps - steps.first
                self._pace.follow(taken, time.perf_counter() - started)
                if not taken:
                    continue
                batch += taken
                event = BatchEvent(
                    epoch=epoch,
                    epochs=last,
                    batch=batch,
                    batches=len(slices),
                    samples=slices[batch - 1].stop,
                    learning_rate=steps.rate or 0.0,
                    figures=self._epoch_figures,
                    batch_figures=self._batch_figures,
                )
                for watcher in watchers:
                    if _is_called(watcher, batch, len(slices)):
                        watcher.on_batch_end(event)
                run.end_batch(batch, steps.rate, began)
        counters.epochs = epoch
        # Reading the sums waits for the device, so the clock is stopped after it.
        record: dict[str, Any] = {"epoch": epoch, **self._epoch_figures(ended=True)}
        seconds = time.perf_counter() - began
        record["seconds"] = seconds
        record["samples_per_second"] = plan.samples / seconds
        record["learning_rate"] = run.rate
        if plan.validation is not None:
            figures = self.evaluate(plan.validation)
            record |= {f"validation_{name}": value for name, value in figures.items()}
        self._end_epoch(plan, run, record, interrupts)

    def _end_epoch(
        self,
        plan: FitPlan,
        run: Run,
        record: dict[str, Any],
        interrupts: DeferredInterrupts,
    ) -> None:
        """Keep the record of an epoch, and pass it to the callbacks."""
        with run.undivided(interrupts):
            run.records.append(record)
            for callback in plan.callbacks:
                callback.on_epoch_end(record)
            run.end_epoch()

    def _stop(self, plan: FitPlan, batch: int, watchers: Sequence[Callback]) -> int:
        """Return the number of batches after which training returns to Python.

        Batches up to that number have one size, and no callback waits for one of them.
        """
        slices = plan.batches
        steps = 1 if plan.one_by_one else self._pace.steps
        stop = min(batch + steps, len(slices))
        if stop - batch > 1 and len(plan.batch_sizes) > 1:
            stop = min(stop, len(slices) - 1)
        for watcher in watchers:
            interval = watcher.batch_interval
            if interval is not None:
                stop = min(stop, batch + 1 + -batch % interval)
        return stop

    def _epoch_figures(self, ended: bool = False) -> dict[str, Any]:
        """Return the figures of the epoch so far, with the penalties of now."""
        network, tree = self.state.network, self.state.tree
        numbers = dict(tree["totals"])
        with network.backend.context():
            if network.regularizers:
                numbers["penalties"] = penalty(network, network.views(tree))
            if ended:
                numbers["parameters"] = self.executor.sum_of(tree["parameters"])
        return self._figures(numbers)

    def _batch_figures(self) -> dict[str, Any]:
        """Return the figures of the last batch, with the penalties at that time."""
        numbers, tree = dict(self.state.tree["batch"]), self.state.tree
        if "penalty" in tree:
            numbers["penalties"] = tree["penalty"]
        return self._figures(numbers)

    def _figures(self, numbers: dict[str, Any]) -> dict[str, Any]:
        """Read numbers of a training back, if they are finite."""
        network = self.state.network
        read = read_back(network.backend, numbers)
        figures = computed(network, read)
        self._finite.look_at(figures["loss"], read)
        return figures

    def evaluate(self, data: Any, batch_size: int | None = 1024) -> dict[str, Any]:
        """Return loss and metrics of checked data."""
        network = self.state.network
        totals = empty_statistics(network, data.outputs, data.weighted)
        self._add(totals, data, batch_size)
        return figures_of(network, totals)

    def _add(self, totals: dict[str, Any], data: Any, batch_size: int | None) -> None:
        """Add loss and metrics of checked data to totals."""
        be, tree = self.state.network.backend, self.state.tree
        for part in data.parts(batch_size):
            batch = batch_of(be, self.executor.filled(part))
            self.executor.evaluate(tree, totals, batch)

    def predict_again(self, x: Any, batch_size: int | None) -> Array | None:
        """Return the outputs for samples of a kind that has been predicted before.

        None if they must be checked, or do not fit into memory at once.
        """
        network = self.state.network
        be = network.backend
        if be.kind_of(x) not in network.predicted or len(x) > (batch_size or math.inf):
            return None
        try:
            with be.calling():
                return self.executor.predict(self.state.tree, x)
        except be.memory_errors():
            return None

    def predict(self, data: Any, batch_size: int | None) -> Array:
        """Return the outputs for checked samples."""
        if isinstance(data, Data) and data.samples <= (batch_size or math.inf):
            return self._predicted(data)
        parts = [self._predicted(part) for part in data.parts(batch_size)]
        if len(parts) == 1:
            return parts[0]
        return self.state.network.backend.xp.concat(parts, axis=0)

    def _predicted(self, data: Data) -> Array:
        """Return the outputs for samples that are computed at once."""
        tree, executor, network = self.state.tree, self.executor, self.state.network
        if data.be == network.backend:
            x = data.inputs
            if x is data.x and (kind := data.be.kind_of(x)) in network.taken:
                network.predicted.add(kind)
            return executor.predict(tree, x)
        return executor.predict_host(tree, data.x, data.ids)


def _watches_batches(callback: Callback) -> bool:
    """Return whether a callback does anything when it is told about a batch."""
    method = getattr(callback.on_batch_end, "__func__", None)
    return method is not Callback.on_batch_end


def _is_called(callback: Callback, batch: int, batches: int) -> bool:
    """Return whether a callback is told about this batch, now that it is done."""
    interval = callback.batch_interval
    return interval is None or (batch - 1) % interval == 0 or batch == batches
