"""The base class of callbacks, and what they are given."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.errors import InputError


@dataclasses.dataclass(frozen=True)
class BatchEvent:
    """Progress of a training run after a batch.

    Attributes
    ----------
    epoch, epochs : int
        The current epoch, counted from 1, and the last one.
    batch, batches : int
        The current batch of the epoch, counted from 1, and the last one.
    samples : int
        Samples seen in this epoch.
    learning_rate : float
        The learning rate of the step of this batch, after any decay.
    figures : callable
        Returns ``loss`` and metrics of the epoch so far. The call reads them from the
        device and therefore waits for it. Make this call a few times a second, not
        after every batch.
    batch_figures : callable
        Returns ``loss`` and metrics of this batch alone, computed before the batch
        updated the network. This call also waits for the device.

    Examples
    --------
    >>> from nnfs_xp import Callback, Dense, Model
    >>> class Watch(Callback):
    ...     def on_batch_end(self, event):
    ...         print(f"batch {event.batch} of {event.batches}, {event.samples} seen")
    >>> model = Model([Dense(1, 1)], loss="mean_squared_error", optimizer="adam")
    >>> _ = model.fit([[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]], batch_size=2,
    ...               callbacks=Watch())
    batch 1 of 2, 2 seen
    batch 2 of 2, 3 seen
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    samples: int
    learning_rate: float
    figures: Callable[[], dict[str, Any]]
    batch_figures: Callable[[], dict[str, Any]]


class Callback:
    """Base of all callbacks; every method does nothing until overridden.

    Attributes
    ----------
    monitor : str or None
        The figure of a record that the callback needs, such as ``"validation_loss"``.
        ``Model.fit`` raises an `InputError` before training if the records of the run
        will not contain this figure.
    batch_interval : int or None
        How often ``on_batch_end`` is called: after the first batch of an epoch, then
        every ``batch_interval`` batches, and after the last batch. The default, 1,
        means after each batch. None means a few times a second, whenever training
        returns to Python. A compiled step processes many batches between two calls, so
        a longer interval may be much faster; the figures are still those of that batch
        alone.
    on_every_rank : bool
        Whether every rank calls the callback if training runs on several ranks. A
        callback that prints or writes files sets this attribute to False and is called
        only on rank 0. A callback that changes the model must be called on every rank.

    Examples
    --------
    >>> from nnfs_xp import Callback
    >>> class PrintLoss(Callback):
    ...     def on_epoch_end(self, record):
    ...         print(record["epoch"], record["loss"])
    """

    monitor: str | None = None
    batch_interval: int | None = 1
    on_every_rank: bool = True

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Called before training, with the number of epochs and of batches in each."""

    def on_epoch_begin(self, epoch: int) -> None:
        """Called before the first batch of each epoch.

        Epochs are counted from 1 over the life of the model.
        """

    def on_batch_end(self, event: BatchEvent) -> None:
        """Called after each batch, or some of them; see `batch_interval`."""

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Called after each epoch, with its record as it enters the history."""

    def on_fit_end(self) -> None:
        """Called after training, even if it was interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """Return what is needed to resume in another process, by name.

        ``Model.fit`` asks for it if it keeps a checkpoint. Values are arrays, or
        whatever JSON can hold. A callback without a state returns nothing.
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, after ``on_fit_begin``.

        Arrays arrive as NumPy arrays.
        """


def check_callbacks(value: Any) -> list[Callback]:
    """Return callbacks as a list, from a sequence, a single one, or None."""
    value = () if value is None else value
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(item, Callback) for item in items):
        raise InputError(f"callbacks must hold Callback objects only, got {value!r}")
    for item in items:
        if item.batch_interval is not None:
            check_count(item.batch_interval, f"batch_interval of {type(item).__name__}")
    return items
