"""The training loop: epochs, batches, records, and those who watch."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnfs_xp.backends import Array, Backend, get_backend
from nnfs_xp.batching import batch_slices, rows_of
from nnfs_xp.callbacks import BatchEvent, Callback
from nnfs_xp.history import History
from nnfs_xp.random import Stream
from nnfs_xp.step import Network, Noise, State, penalty

if TYPE_CHECKING:
    from nnfs_xp.model.learning import Learning


@dataclasses.dataclass(frozen=True)
class Data:
    """Checked samples, targets and weights on the model's device.

    Attributes
    ----------
    x, y : array
    weight : array or None
    outputs : tuple of int
        Shape of the model's output for one sample.
    """

    x: Array
    y: Array
    weight: Array | None
    outputs: tuple[int, ...]

    @property
    def samples(self) -> int:
        """Number of rows."""
        return self.x.shape[0]

    def rows(self, rows: slice) -> Data:
        """Return a stretch of rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Data(rows_of(self.x, rows), rows_of(self.y, rows), weight, self.outputs)

    def take(self, rows: Array, be: Backend) -> Data:
        """Return rows by their numbers."""
        take = be.xp.take
        weight = None if self.weight is None else take(self.weight, rows, axis=0)
        return Data(
            take(self.x, rows, axis=0), take(self.y, rows, axis=0), weight, self.outputs
        )


@dataclasses.dataclass(frozen=True)
class FitPlan:
    """Checked arguments of a call of `Model.fit`."""

    data: Data
    epochs: int
    batch_size: int | None
    shuffle: bool
    validation: Data | None

    @property
    def batches(self) -> list[slice]:
        """Rows of each batch."""
        return batch_slices(self.data.samples, self.batch_size)

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
    with contextlib.ExitStack() as begun:
        for callback in callbacks:
            callback.on_fit_begin(model, plan.epochs, len(plan.batches))
            begun.callback(callback.on_fit_end)
        last = model.epochs_trained + plan.epochs
        for _ in range(plan.epochs):
            record = _run_epoch(model, plan, callbacks, last)
            history.epochs.append(record)
            for callback in callbacks:
                callback.on_epoch_end(record)
            if model.stop_training:
                break
    return history


def _run_epoch(
    model: Learning, plan: FitPlan, callbacks: Sequence[Callback], last: int
) -> dict[str, Any]:
    be, state = model.backend, model._ready
    epoch = model.epochs_trained + 1
    for callback in callbacks:
        callback.on_epoch_begin(epoch)
    state.reset_totals(plan.data.outputs)
    order = _batch_order(be, model.seed, epoch, plan)
    noisy = _noisy_layers(model, plan.data)
    began = time.perf_counter()

    def figures() -> dict[str, Any]:
        return training_figures(state.network, state.tree)

    def batch_figures() -> dict[str, Any]:
        return training_figures(state.network, state.tree, of_batch=True)

    batches = plan.batches
    for batch, rows in enumerate(batches, start=1):
        if order is None:
            given = plan.data.rows(rows)
        else:
            given = plan.data.take(order[rows], be)
        x = be.asarray(given.x, be.dtype)
        noise = draw_noise(model, noisy, x.shape[0])
        state.begin_step()
        model._executor.train(state.tree, x, given.y, given.weight, noise)
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


def _batch_order(be: Backend, seed: int, epoch: int, plan: FitPlan) -> Array | None:
    """Return the rows of the data in the order of this epoch, None for their own.

    The order depends on the seed and the epoch alone, so a run that was saved
    and resumed sees the same batches as one that was not.
    """
    if not plan.shuffle:
        return None
    rows = Stream(seed, "batch order", epoch).permutation(plan.data.samples)
    return be.asarray(rows, "int32")


def _noisy_layers(model: Learning, data: Data) -> dict[int, tuple[int, ...]]:
    """Return the shape of a sample that comes to each noisy layer, by its number."""
    shape: tuple[int, ...] | None = tuple(data.x.shape[1:])
    found = {}
    for index, layer in enumerate(model.leaves):
        if layer.noisy:
            assert shape is not None
            found[index] = shape
        shape = layer.output_shape(shape)
    return found


def draw_noise(
    model: Learning, noisy: dict[int, tuple[int, ...]], samples: int
) -> Noise:
    """Return what the noisy layers need for the next step.

    It depends on the seed, the layer's number and that of the step alone.
    """
    noise = {}
    for index, shape in noisy.items():
        layer = model.leaves[index]
        seed, name = model.seed, f"layers.{index}.noise"
        if layer.seed is not None:
            seed, name = layer.seed, "layer.noise"
        stream = Stream(seed, name, model.steps_trained)
        values = layer.noise(stream, (samples, *shape))
        noise[index] = model.backend.asarray(values)
    return noise


def figures_of(network: Network, statistics: State) -> dict[str, Any]:
    """Read statistics back, and return loss and metrics as Python numbers.

    The division is done in float64 on the host, so that a share of counts is
    as exact as it can be.
    """
    be, host = network.backend, get_backend("numpy", dtype="float64")
    assert network.loss is not None
    total, count = (_number(be, statistics[key]) for key in ("loss", "count"))
    figures: dict[str, Any] = {"loss": network.loss.finish(total, count)}
    for metric in network.metrics:
        read = {
            key: host.asarray(value if isinstance(value, int) else be.to_numpy(value))
            for key, value in statistics["metrics"][metric.name].items()
        }
        with host.context():
            figures[metric.name] = metric.compute(host, read).tolist()
    return figures


def training_figures(
    network: Network, state: State, of_batch: bool = False
) -> dict[str, Any]:
    """Return the figures of the epoch so far or of the last batch.

    The loss has the penalties in it: as they are now, or as they were when the
    batch was learned.
    """
    figures = figures_of(network, state["batch" if of_batch else "totals"])
    if network.regularized:
        be = network.backend
        if of_batch:
            added = state["penalty"]
        else:
            with be.context():
                added = penalty(network, network.layout.views(state["parameters"]))
        figures["data_loss"] = figures["loss"]
        figures["regularization_loss"] = _number(be, added)
        figures["loss"] = figures["data_loss"] + figures["regularization_loss"]
    return figures


def _number(be: Backend, value: Any) -> float:
    return float(value) if isinstance(value, int) else float(be.to_numpy(value))
