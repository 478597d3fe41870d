"""The learning-rate range test: which rates a network learns with."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
from typing import Any

from nnfs_xp.arguments import check_count, check_positive
from nnfs_xp.callbacks import BatchEvent, Callback
from nnfs_xp.errors import InputError
from nnfs_xp.model.model import Model

# Weight of the previous losses in the smoothed loss.
_MEMORY = 0.9
# The test ends when the smoothed loss exceeds its minimum so far by this factor.
_TOO_HIGH = 4.0
# The rate with the lowest loss is almost too high; a rate lower by this factor is safe.
_SAFETY = 10.0


@dataclasses.dataclass(frozen=True)
class LearningRateRange:
    """Result of a learning-rate range test.

    Attributes
    ----------
    rates : list of float
        The learning rate of each step.
    losses : list of float
        The loss of each step's batch, before the step.
    smoothed : list of float
        The running mean of the losses, corrected for its beginning as in Adam.
    suggestion : float
        A tenth of the rate where the smoothed loss is lowest.

    Examples
    --------
    >>> from nnfs_xp import LearningRateRange
    >>> found = LearningRateRange([0.1, 1.0], [2.0, 1.0], [2.0, 1.5], 0.1)
    >>> max(found.rates) / found.suggestion
    10.0
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float


def learning_rate_range(
    model: Model,
    x: Any,
    y: Any,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 128,
) -> LearningRateRange:
    """Train a copy of a model with a rising learning rate, and return its losses.

    The rate of step ``t``, counted from 0, is ``lowest * (highest / lowest) ** (t /
    (steps - 1))``. Small rates change little, good rates lower the loss, and large
    rates make it explode, which ends the test. The model itself is not changed.
    `nnfs_xp.plots.learning_rate_curve` draws the result.

    Parameters
    ----------
    model : Model
        A model with a loss and an optimizer. The copy keeps the optimizer's state, such
        as moments, but does not use its learning rate, decay or schedule.
    x, y : array or array_like
        As for `Model.fit`.
    lowest, highest : float, default 1e-6 and 10
        The first rate and the last, above 0.
    steps : int, default 100
        Steps from one to the other, at least 2.
    batch_size : int, default 128
        Samples of each step.

    Returns
    -------
    LearningRateRange

    Raises
    ------
    InputError
        If an argument does not fit, or the first loss is not finite.

    References
    ----------
    Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017,
    section 3.3. The suggestion is that of Howard and Gugger, "Deep Learning for Coders
    with fastai and PyTorch", chapter 5.

    Examples
    --------
    >>> from nnfs_xp import Dense, Model, ReLU, Softmax, learning_rate_range
    >>> from nnfs_xp.data import spiral_data
    >>> model = Model(
    ...     [Dense(2, 64), ReLU(), Dense(64, 3), Softmax()],
    ...     loss="categorical_crossentropy",
    ...     optimizer="adam",
    ... )
    >>> found = learning_rate_range(model, *spiral_data(100, 3), batch_size=32)
    >>> found.rates[0], 1e-4 < found.suggestion < 1
    (1e-06, True)
    """
    if not isinstance(model, Model):
        raise InputError(f"model must be a Model, got {model!r}")
    lowest = check_positive(lowest, "lowest")
    highest = check_positive(highest, "highest")
    if highest <= lowest:
        raise InputError(f"highest must be more than lowest={lowest}, got {highest}")
    steps = check_count(steps, "steps", least=2)
    growth = (highest / lowest) ** (1 / (steps - 1))
    rising = _Rising([lowest * growth**step for step in range(steps)])
    trained = copy.deepcopy(model)
    if trained.optimizer is not None:
        # It would divide the rates of the test.
        trained.optimizer.decay = 0.0
    with contextlib.suppress(_Enough):
        trained.fit(
            x, y, epochs=steps, batch_size=batch_size, callbacks=rising,
            on_divergence="continue",
        )  # fmt: skip
    if not rising.losses:
        raise InputError("x, y: the loss of the first batch must be finite")
    least = min(range(len(rising.smoothed)), key=rising.smoothed.__getitem__)
    rates = rising.rates[: len(rising.losses)]
    suggestion = rates[least] / _SAFETY
    return LearningRateRange(rates, rising.losses, rising.smoothed, suggestion)


class _Enough(Exception):
    """Further steps would show nothing new."""


class _Rising(Callback):
    """Sets the rate of each step, and keeps the losses."""

    def __init__(self, rates: list[float]) -> None:
        self.rates = rates
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._mean = 0.0

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        """Begin with the lowest rate."""
        self._model = model
        model.learning_rate = self.rates[0]

    def on_batch_end(self, event: BatchEvent) -> None:
        """Keep the loss, and set the next rate."""
        loss = event.batch_figures()["loss"]
        if not math.isfinite(loss):
            raise _Enough
        self.losses.append(loss)
        self._mean = _MEMORY * self._mean + (1 - _MEMORY) * loss
        self.smoothed.append(self._mean / (1 - _MEMORY ** len(self.losses)))
        done = len(self.losses) == len(self.rates)
        if done or self.smoothed[-1] > _TOO_HIGH * min(self.smoothed):
            raise _Enough
        self._model.learning_rate = self.rates[len(self.losses)]
