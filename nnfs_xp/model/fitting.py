"""The training loop: epochs, batches, records, and those who watch."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnfs_xp.backends import Array, get_backend
from nnfs_xp.batching import batch_slices
from nnfs_xp.callbacks import BatchEvent, Callback
from nnfs_xp.history import History
from nnfs_xp.model.data import Data
from nnfs_xp.model.feeding import feed_for
from nnfs_xp.step import Network, State, penalty

if TYPE_CHECKING:
    from nnfs_xp.model.learning import Learning


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

    def figure_names(self, model: Learning) -> list[str]:
        """Return the names of the figures that every record will have."""
        names = ["loss", *(metric.name for metric in model.metrics)]
        if self.validation is not None:
            names += [f"validation_{name}" for name in names]
        if model._ready.network.regularized:
            names += ["data_loss", "regularization_loss"]
        return [*names, "learning_rate"]


def run_fit(model: Learning, plan: FitPlan, callbacks: Sequence[Callback]) -> History:
    """Train the model, and return a record of each epoch."""
    history = History()
    model.stop_training = False
    model._ready.detach()
    feed = feed_for(model, plan.data, plan.batch_sizes, plan.shuffle, plan.data_limit)
    with contextlib.ExitStack() as begun:
        begun.callback(feed.end)
        feed.begin()
        for callback in callbacks:
            callback.on_fit_begin(model, plan.epochs, len(plan.batches))
            begun.callback(callback.on_fit_end)
        last = model.epochs_trained + plan.epochs
        for _ in range(plan.epochs):
            record = _run_epoch(model, plan, feed, callbacks, last)
            history.epochs.append(record)
            for callback in callbacks:
                callback.on_epoch_end(record)
            if model.stop_training:
                break
    return history


def _run_epoch(
    model: Learning,
    plan: FitPlan,
    feed: Any,
    callbacks: Sequence[Callback],
    last: int,
) -> dict[str, Any]:
    state = model._ready
    epoch = model.epochs_trained + 1
    for callback in callbacks:
        callback.on_epoch_begin(epoch)
    feed.begin_epoch(epoch)
    began = time.perf_counter()

    def figures() -> dict[str, Any]:
        return training_figures(state.network, state.tree)

    def batch_figures() -> dict[str, Any]:
        return training_figures(state.network, state.tree, of_batch=True)

    batches = plan.batches
    for batch, rows in enumerate(batches, start=1):
        state.begin_step()
        feed.train(rows)
        model.steps_trained += 1
        if callbacks:
            event = BatchEvent(
                epoch=epoch,
                epochs=last,
                batch=batch,
                batches=len(batches),
                samples=rows.stop,
                learning_rate=state.last_rate or 0.0,
                figures=figures,
                batch_figures=batch_figures,
            )
            for callback in callbacks:
                callback.on_batch_end(event)
    model.epochs_trained = epoch
    # Reading the sums waits for the device, so the clock is stopped after it.
    record: dict[str, Any] = {"epoch": epoch, **figures()}
    seconds = time.perf_counter() - began
    record["seconds"] = seconds
    record["samples_per_second"] = plan.data.samples / seconds
    record["learning_rate"] = state.last_rate
    if plan.validation is not None:
        for name, value in model.evaluate_checked(plan.validation).items():
            record[f"validation_{name}"] = value
    return record


def figures_of(
    network: Network, statistics: State, penalties: Array | None = None
) -> dict[str, Any]:
    """Read statistics back, and return loss and metrics as Python numbers.

    All of them, and penalties if there are any, come in one transfer. The
    division is done in float64 on the host, so that a share of counts is as
    exact as it can be.
    """
    be, host = network.backend, get_backend("numpy", dtype="float64")
    assert network.loss is not None
    values = {("", key): statistics[key] for key in ("loss", "count")}
    for name, own in statistics["metrics"].items():
        values |= {(name, key): value for key, value in own.items()}
    if penalties is not None:
        values["", "penalties"] = penalties
    read = dict(zip(values, be.read(list(values.values())), strict=True))
    loss = network.loss.finish(float(read["", "loss"]), float(read["", "count"]))
    figures: dict[str, Any] = {"loss": loss}
    for metric in network.metrics:
        own = {
            key: host.asarray(read[metric.name, key])
            for key in statistics["metrics"][metric.name]
        }
        with host.context():
            figures[metric.name] = metric.compute(host, own).tolist()
    if penalties is not None:
        figures["data_loss"] = loss
        figures["regularization_loss"] = float(read["", "penalties"])
        figures["loss"] = loss + figures["regularization_loss"]
    return figures


def training_figures(
    network: Network, state: State, of_batch: bool = False
) -> dict[str, Any]:
    """Return the figures of the epoch so far or of the last batch.

    The loss has the penalties in it: as they are now, or as they were when the
    batch was learned.
    """
    penalties = None
    if network.regularized and of_batch:
        penalties = state["penalty"]
    elif network.regularized:
        be = network.backend
        with be.context():
            penalties = penalty(network, network.layout.views(state["parameters"]))
    return figures_of(network, state["batch" if of_batch else "totals"], penalties)
