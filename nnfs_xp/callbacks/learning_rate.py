"""Change the learning rate from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_decay, check_positive, check_rate
from nnfs_xp.callbacks.base import Callback
from nnfs_xp.callbacks.best import Best, Patient
from nnfs_xp.errors import InputError


class LearningRateSchedule(Callback):
    """Set the learning rate before each epoch.

    It is set as ``model.learning_rate``: it replaces the number or schedule
    that the optimizer has, and a ``decay`` of the optimizer divides it at each step.

    Parameters
    ----------
    function : callable
        Called with the number of the epoch, counted from 1 over the life of
        the model, so that a resumed run continues there. Returns the
        learning rate, a finite number of 0 or more.

    Raises
    ------
    InputError
        If `function` cannot be called; by ``fit``, if it returns something other than a
        learning rate. The model then keeps what it has learned so far.

    Examples
    --------
    >>> from nnfs_xp import Dense, LearningRateSchedule, Model, Softmax
    >>> model = Model(
    ...     [Dense(2, 2), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer="sgd",
    ...     dtype="float64",
    ... )
    >>> halve = LearningRateSchedule(lambda epoch: 0.5**epoch)
    >>> history = model.fit([[0, 1], [1, 0]], [0, 1], epochs=3, callbacks=halve)
    >>> history["learning_rate"]
    [0.5, 0.25, 0.125]
    """

    def __init__(self, function: Callable[[int], float]) -> None:
        if not callable(function):
            raise InputError(
                f"function must be a function of the epoch, got {function!r}"
            )
        self.function = function

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Remember the model."""
        self._model = model

    def on_epoch_begin(self, epoch: int) -> None:
        """Set the learning rate."""
        rate = check_rate(self.function(epoch), f"function({epoch})")
        self._model.learning_rate = rate


class ReduceOnPlateau(Patient):
    """Lower the learning rate when a figure has stopped improving.

    After more than `patience` epochs without improvement the learning rate is
    multiplied by `factor`, and the epochs are counted from 0 again::

        learning_rate = max(factor * learning_rate, least)

    This is ``model.learning_rate``. The optimizer must have been given a number, not a
    schedule; a ``decay`` divides it at each step.

    An epoch improves on the best one so far if its figure is less (or more,
    as `mode` says) by more than `min_delta`. NaN is not an improvement. A second
    ``fit`` starts over, with the learning rate that the first one left.

    Parameters
    ----------
    monitor : str, default "validation_loss"
        The figure, as records of the history name it.
    factor : float, default 0.1
        More than 0, and less than 1.
    patience : int, default 10
        Epochs without improvement that are tolerated, 0 or more.
    min_delta : float, default 1e-4
        An improvement must be more than this; 0 or more.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less is better, or more. With ``"auto"`` it is less for names that end
        in ``loss`` and for metrics with ``lower_is_better``, and more for all others.
    least : float, default 0.0
        The learning rate is not reduced below this; a smaller rate is left unchanged.

    Attributes
    ----------
    best : float or None
        The best value of the figure, None before the first.
    best_epoch : int or None
        The epoch that had it.

    Raises
    ------
    InputError
        If an argument does not fit; by ``fit``, if the run has no such figure,
        or the optimizer has a schedule of its own.

    Examples
    --------
    >>> from nnfs_xp import SGD, Dense, Model, ReduceOnPlateau, Softmax
    >>> model = Model(
    ...     [Dense(1, 2), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer=SGD(1.0),
    ...     dtype="float64",
    ... )
    >>> reduce = ReduceOnPlateau("accuracy", factor=0.5, patience=1)
    >>> x, y = [[3], [3]], [0, 1]  # nothing tells them apart
    >>> history = model.fit(x, y, epochs=6, callbacks=reduce)
    >>> history["learning_rate"]
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        mode: str = "auto",
        least: float = 0.0,
    ) -> None:
        super().__init__(Best(monitor, mode, min_delta), patience)
        self.factor = check_decay(check_positive(factor, "factor"), "factor")
        self.least = check_rate(least, "least")

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Start over, if there is a number to lower."""
        if not isinstance(model.optimizer.learning_rate, float):
            raise InputError(
                "learning_rate of the optimizer must be a number for it to be "
                f"reduced, got {model.optimizer.learning_rate!r}"
            )
        super().on_fit_begin(model, epochs, batches)

    def on_epoch_end(self, record: dict[str, Any]) -> None:
        """Lower the learning rate, if it is time to."""
        if self._best.update(record) or self._best.waited <= self.patience:
            return
        self._best.waited = 0
        rate = self._model.learning_rate
        # A rate below the least one must not be raised to it.
        if rate > self.least:
            self._model.learning_rate = max(self.factor * rate, self.least)
