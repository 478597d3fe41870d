"""The training loop: epochs, batches, records, and the callbacks that watch."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.callbacks import BatchEvent
from nnfs_xp.engine.batching import batch_slices
from nnfs_xp.engine.data import Data, FitPlan, as_inputs
from nnfs_xp.engine.device_batches import DeviceBatches, StreamedBatches
from nnfs_xp.engine.divergence import FiniteCheck
from nnfs_xp.engine.interrupts import DeferredInterrupts
from nnfs_xp.engine.state import State
from nnfs_xp.engine.statistics import computed, empty_statistics, figures_of, read_back
from nnfs_xp.engine.step import Batch, penalty
from nnfs_xp.errors import DivergenceError
from nnfs_xp.history import History
from nnfs_xp.io.run_file import Run
from nnfs_xp.kernels import has_implementation
from nnfs_xp.trees import map_leaves


class HostBatches:
    """Cuts every batch out of the data on the host's command."""

    def __init__(self, state: State, executor: Any, plan: FitPlan) -> None:
        self.state, self.executor, self.plan = state, executor, plan
        self._order: Array | None = None

    def begin(self) -> None:
        """Make ready for training."""
        self.executor.prepare(self.state.tree, (), self.state.counters)

    def end(self) -> None:
        """Give up what was only for this training."""

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of an epoch."""
        data = self.plan.data
        self.state.reset_totals(data.outputs, data.weighted)
        order = self.plan.order(self.state.network.seed, epoch)
        self._order = None if order is None else data.be.asarray(order, "int32")

    def train(self, rows: slice) -> None:
        """Take a step on the rows with these numbers in the order."""
        be, data, state = self.state.network.backend, self.plan.data, self.state
        given = data.batch(rows, self._order)
        self.executor.train(state.tree, _batch(be, given), state.counters.steps)


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
        state.detach()
        batches = self._batches(plan)
        with contextlib.ExitStack() as begun:
            terminate = run.path is not None
            interrupts = begun.enter_context(DeferredInterrupts(terminate=terminate))
            begun.callback(batches.end)
            # Capturing a step takes it, and takes it back.
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

    def _batches(self, plan: FitPlan) -> Any:
        """Return what feeds the training with the data of a plan."""
        be = self.state.network.backend
        kind: Any = DeviceBatches if plan.data.be == be else StreamedBatches
        if not has_implementation("gather_batch", be.name):
            kind = HostBatches
        return kind(self.state, self.executor, plan)

    def _epoch(
        self,
        plan: FitPlan,
        batches: Any,
        interrupts: DeferredInterrupts,
        last: int,
        run: Run,
    ) -> None:
        """Train for an epoch, or for what is left of it, and record it."""
        state, counters = self.state, self.state.counters
        epoch, slices = counters.epochs + 1, plan.batches
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
        for batch, rows in enumerate(slices[run.batch :], start=run.batch + 1):
            with run.undivided(interrupts):
                rate = state.write_rate()
                interrupts.begin()
                try:
                    batches.train(rows)
                    counters.steps += 1
                except BaseException:
                    state.count_again()
                    raise
                interrupts.end()
                if plan.callbacks:
                    event = BatchEvent(
                        epoch=epoch,
                        epochs=last,
                        batch=batch,
                        batches=len(slices),
                        samples=rows.stop,
                        learning_rate=rate or 0.0,
                        figures=self._epoch_figures,
                        batch_figures=self._batch_figures,
                    )
                    for callback in plan.callbacks:
                        callback.on_batch_end(event)
                run.end_batch(batch, rate, began)
        counters.epochs = epoch
        # Reading the sums waits for the device, so the clock is stopped after it.
        record: dict[str, Any] = {"epoch": epoch, **self._epoch_figures(ended=True)}
        seconds = time.perf_counter() - began
        record["seconds"] = seconds
        record["samples_per_second"] = plan.data.samples / seconds
        record["learning_rate"] = run.rate
        if plan.validation is not None:
            figures = self.evaluate(plan.validation)
            record |= {f"validation_{name}": value for name, value in figures.items()}
        with run.undivided(interrupts):
            run.records.append(record)
            for callback in plan.callbacks:
                callback.on_epoch_end(record)
            run.end_epoch()

    def _epoch_figures(self, ended: bool = False) -> dict[str, Any]:
        """Return the figures of the epoch so far, with the penalties of now."""
        network, tree = self.state.network, self.state.tree
        numbers = dict(tree["totals"])
        with network.backend.context():
            if network.regularizers:
                numbers["penalties"] = penalty(network, network.views(tree))
            if ended:
                sum_of = network.backend.xp.sum
                numbers["parameters"] = map_leaves(sum_of, tree["parameters"])
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

    def evaluate(self, data: Data, batch_size: int | None = 1024) -> dict[str, Any]:
        """Return loss and metrics of checked data."""
        network = self.state.network
        totals = empty_statistics(network, data.outputs, data.weighted)
        for rows in batch_slices(data.samples, batch_size):
            batch = _batch(network.backend, data.rows(rows))
            self.executor.evaluate(self.state.tree, totals, batch)
        return figures_of(network, totals)

    def predict(self, data: Data, batch_size: int | None) -> Array:
        """Return the outputs for checked samples."""
        be, tree = self.state.network.backend, self.state.tree
        parts = [
            self.executor.predict(tree, _batch(be, data.rows(rows)).x)
            for rows in batch_slices(data.samples, batch_size)
        ]
        return parts[0] if len(parts) == 1 else be.xp.concat(parts, axis=0)


def _batch(be: Backend, rows: Data) -> Batch:
    """Return rows of the data as a batch on a backend."""
    y, weight = (a if a is None else be.asarray(a) for a in (rows.y, rows.weight))
    # Cast as it is moved: on JAX a cast by itself is a program for each shape.
    return Batch(as_inputs(be, rows.x, rows.ids), y, weight)
