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

    The rate is assigned to ``model.learning_rate``. It replaces the number or the
    schedule of the optimizer, and a ``decay`` of the optimizer is applied to it at each
    step.

    Parameters
    ----------
    function : callable
        Called with the number of the epoch, counted from 1 over all runs of the model,
        so that a resumed run continues the count. Returns the learning rate, a finite
        number of 0 or more.

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
    """Reduce the learning rate when a figure has stopped improving.

    After more than `patience` epochs without improvement, the learning rate is
    multiplied by `factor`, and the count of epochs starts again at 0::

        learning_rate = max(factor * learning_rate, least)

    The new rate is assigned to ``model.learning_rate``. The learning rate of the
    optimizer must be a number, not a schedule. A ``decay`` of the optimizer is applied
    to it at each step.

    An epoch is an improvement if its figure is smaller (or larger, depending on `mode`)
    than the best figure so far by more than `min_delta`. NaN is not an improvement. A
    second call to ``fit`` starts over with the current learning rate.

    Parameters
    ----------
    monitor : str, default "validation_loss"
        Name of the figure in the records of the history.
    factor : float, default 0.1
        Factor of the learning rate, above 0 and below 1.
    patience : int, default 10
        Number of epochs without improvement that are tolerated, 0 or more.
    min_delta : float, default 1e-4
        An improvement must be larger than this; 0 or more.
    mode : {"auto", "min", "max"}, default "auto"
        Whether a smaller or a larger value is better. With ``"auto"``, smaller is
        better for names that end in ``loss`` and for metrics with
        ``lower_is_better``, and larger for all others.
    least : float, default 0.0
        The learning rate is not reduced below this; a smaller rate is left unchanged.

    Attributes
    ----------
    best : float or None
        The best value of the figure, None before the first.
    best_epoch : int or None
        The epoch with the best value.

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
    >>> x, y = [[3], [3]], [0, 1]  # equal inputs, different labels
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
