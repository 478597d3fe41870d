"""Whether a figure has improved: one rule for all callbacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nnfs_xp.arguments import check_choice, check_count, check_rate
from nnfs_xp.callbacks.base import Callback
from nnfs_xp.errors import InputError

if TYPE_CHECKING:
    from nnfs_xp.metrics import Metric


class Best:
    """The best value of a figure so far, and its epoch.

    A value is better if it improves on the best value by more than `min_delta`. NaN is
    never better, and neither is an infinite loss.

    Parameters
    ----------
    monitor : str
        Name of the figure in the records of a training run.
    mode : {"auto", "min", "max"}, default "auto"
        Whether a smaller or a larger value is better. With ``"auto"``, smaller is
        better for names that end in ``loss`` and for metrics with
        ``lower_is_better``, and larger for all others.
    min_delta : float, default 0.0
        A value must differ by more than this; 0 or more.

    Attributes
    ----------
    value : float or None
        The best value, None before the first.
    epoch : int or None
        The epoch with the best value.
    waited : int
        Number of epochs since then.

    Raises
    ------
    InputError
        If an argument does not fit; by `update`, if the figure is not one number.
    """

    def __init__(
        self, monitor: str, mode: str = "auto", min_delta: float = 0.0
    ) -> None:
        if not isinstance(monitor, str):
            raise InputError(f"monitor must be the name of a figure, got {monitor!r}")
        check_choice(mode, "mode", ("auto", "min", "max"))
        self.monitor = monitor
        self.min_delta = check_rate(min_delta, "min_delta")
        self._mode = mode
        self.restart()

    def restart(self, metrics: Iterable[Metric] = ()) -> None:
        """Forget all values, before a run with some metrics."""
        less = self._mode == "min"
        if self._mode == "auto":
            errors = {metric.name for metric in metrics if metric.lower_is_better}
            figure = self.monitor.removeprefix("validation_")
            less = figure.endswith("loss") or figure in errors
        self._sign = -1.0 if less else 1.0
        self.value: float | None = None
        self.epoch: int | None = None
        self.waited = 0

    @property
    def known(self) -> list[Any]:
        """The three attributes, as a list."""
        return [self.value, self.epoch, self.waited]

    @known.setter
    def known(self, known: list[Any]) -> None:
        value, epoch, waited = known
        counts = isinstance(epoch, (int, type(None))) and isinstance(waited, int)
        if not (isinstance(value, (int, float, type(None))) and counts):
            raise InputError(f"best must hold a figure and two counts, got {known!r}")
        self.value, self.epoch, self.waited = value, epoch, waited

    def update(
        self, record: dict[str, Any], accept: Callable[[], bool] = lambda: True
    ) -> bool:
        """Look at the record of an epoch, and return whether it is better.

        A better one must also pass `accept`.
        """
        value = record[self.monitor]
        if not isinstance(value, (int, float)):
            raise InputError(
                f"monitor must name a figure that is one number, and "
                f"{self.monitor!r} is {value!r}"
            )
        best = -math.inf * self._sign if self.value is None else self.value
        # A comparison with NaN is false.
        if self._sign * (value - best) > self.min_delta and accept():
            self.value, self.epoch, self.waited = value, record["epoch"], 0
            return True
        self.waited += 1
        return False


class Patient(Callback):
    """Base of callbacks that act when a figure has not improved for a while.

    Parameters
    ----------
    best : Best
        The best value of the figure so far.
    patience : int
        Number of epochs without improvement that are tolerated, 0 or more.

    Raises
    ------
    InputError
        If `patience` is something else.
    """

    def __init__(self, best: Best, patience: int) -> None:
        self._best, self.monitor = best, best.monitor
        self.patience = check_count(patience, "patience", least=0)

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Start over."""
        self._model = model
        self._best.restart(model.metrics)

    def state_dict(self) -> dict[str, Any]:
        """Return what is known of the figure."""
        return {"best": self._best.known}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take that over."""
        self._best.known = state["best"]

    @property
    def best(self) -> float | None:
        """The best value of the figure."""
        return self._best.value

    @property
    def best_epoch(self) -> int | None:
        """The epoch with the best value."""
        return self._best.epoch
