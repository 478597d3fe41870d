"""The training loop: epochs, batches, records, and those who watch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.batching import batch_slices, rows_of
from nnfs_xp.callbacks import BatchEvent, Callback
from nnfs_xp.history import History
from nnfs_xp.random import Stream

if TYPE_CHECKING:
    from nnfs_xp.model import Model


@dataclasses.dataclass(frozen=True)
class FitPlan:
    """Checked arguments of a call of `Model.fit`, all on the model's device."""

    x: Array
    y: Array
    epochs: int
    batch_size: int | None
    shuffle: bool
    validation: tuple[Array, Array] | None

    @property
    def samples(self) -> int:
        """Number of rows of the data."""
        return self.x.shape[0]

    @property
    def batches(self) -> list[slice]:
        """Rows of each batch."""
        return batch_slices(self.samples, self.batch_size)


def run_fit(model: Model, plan: FitPlan, callbacks: Sequence[Callback]) -> History:
    """Train the model, and return a record of each epoch."""
    history = History()
    model._state.detach()
    for callback in callbacks:
        callback.on_fit_begin(model, plan.epochs, len(plan.batches))
    try:
        last = model.epochs_trained + plan.epochs
        for _ in range(plan.epochs):
            record = _run_epoch(model, plan, callbacks, last)
            history.epochs.append(record)
            for callback in callbacks:
                callback.on_epoch_end(record)
    finally:
        for callback in callbacks:
            callback.on_fit_end()
    return history


def _run_epoch(
    model: Model, plan: FitPlan, callbacks: Sequence[Callback], last: int
) -> dict[str, Any]:
    be, state = model.backend, model._state
    epoch = model.epochs_trained + 1
    state.reset_totals()
    order = _batch_order(be, model.seed, epoch, plan)
    began = time.perf_counter()

    def figures() -> dict[str, float]:
        return figures_of(be, state.tree["totals"], model.metric)

    batches = plan.batches
    for batch, rows in enumerate(batches, start=1):
        x, y = _gather(be, plan, order, rows)
        model._executor.train(state.tree, x, y)
        event = BatchEvent(epoch, last, batch, len(batches), rows.stop, figures)
        for callback in callbacks:
            callback.on_batch_end(event)
    model.epochs_trained = epoch
    # Reading the sums waits for the device, so the clock is stopped after it.
    record: dict[str, Any] = {"epoch": epoch, **figures()}
    seconds = time.perf_counter() - began
    record["seconds"] = seconds
    record["samples_per_second"] = plan.samples / seconds
    record["learning_rate"] = model.learning_rate
    if plan.validation is not None:
        for name, value in model.evaluate_checked(*plan.validation).items():
            record[f"validation_{name}"] = value
    return record


def _batch_order(be: Backend, seed: int, epoch: int, plan: FitPlan) -> Array | None:
    """Return the rows of the data in the order of this epoch, None for their own.

    The order depends on the seed and the epoch alone, so a run that was saved
    and resumed sees the same batches as one that was not.
    """
    if not plan.shuffle:
        return None
    rows = Stream(seed, "batch order", epoch).permutation(plan.samples)
    return be.asarray(rows, "int32")


def _gather(
    be: Backend, plan: FitPlan, order: Array | None, rows: slice
) -> tuple[Array, Array]:
    """Return the features and targets of one batch, features in the model's dtype."""
    if order is None:
        x, y = rows_of(plan.x, rows), rows_of(plan.y, rows)
    else:
        x = be.xp.take(plan.x, order[rows], axis=0)
        y = be.xp.take(plan.y, order[rows], axis=0)
    return be.asarray(x, be.dtype), y


def figures_of(be: Backend, totals: dict[str, Array], metric: Any) -> dict[str, float]:
    """Read the sums back, and return the means over all samples so far."""
    count = int(be.to_numpy(totals["count"]))
    figures = {"loss": float(be.to_numpy(totals["loss"])) / count}
    if metric is not None:
        figures[metric.name] = int(be.to_numpy(totals["correct"])) / count
    return figures
