"""The learning rate of an optimizer, computed on the host before each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_rate
from nnfs_xp.backends import Backend
from nnfs_xp.checks import check_fits
from nnfs_xp.errors import InputError
from nnfs_xp.schedules import InverseTimeDecay
from nnfs_xp.schedules.base import LearningRate, check_learning_rate
from nnfs_xp.unit import Unit


class HasLearningRate(Unit):
    """A learning rate with its decay, and how it is written to an optimizer's state.

    Parameters
    ----------
    learning_rate : float, Schedule or callable
    decay : float
        See `Optimizer`.
    """

    _changing = frozenset({"iterations"})
    _below_one = frozenset({"beta_1", "beta_2", "ema", "momentum", "rho"})
    # Batches of a step.
    accumulate: int = 1
    # The number of steps taken so far.
    iterations: int = 0

    def __init__(self, learning_rate: LearningRate, decay: float) -> None:
        self._follow(
            check_learning_rate(learning_rate, "learning_rate"),
            check_rate(decay, "decay"),
        )

    @property
    def learning_rate(self) -> LearningRate:
        """The given rate; a new one takes effect from the next ``fit`` or ``step``."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: LearningRate) -> None:
        self._follow(check_learning_rate(value, "learning_rate"), self._decay)

    @property
    def decay(self) -> float:
        """The book's decay, for a learning rate that is a number."""
        return self._decay

    @decay.setter
    def decay(self, value: float) -> None:
        self._follow(self._learning_rate, check_rate(value, "decay"))

    def _follow(self, learning_rate: LearningRate, decay: float) -> None:
        """Set both, or raise before either changes."""
        schedule: Callable[[int], float]
        if not callable(learning_rate):
            schedule = InverseTimeDecay(learning_rate, decay)
        elif decay == 0.0:
            schedule = learning_rate
        else:
            raise InputError(
                f"decay must be 0 if learning_rate is not a number, got "
                f"{decay!r} with {learning_rate!r}"
            )
        self._learning_rate, self._decay = learning_rate, decay
        self._schedule = schedule

    def rate_at(self, step: int) -> float:
        """Return the learning rate of the step with this number, counted from 0.

        With `accumulate`, it is the number of a batch.

        Raises
        ------
        InputError
            If a schedule or function does not return a finite number of 0 or more.
        """
        rate = self._schedule(step // self.accumulate)
        return check_rate(rate, f"learning_rate at step {step}")

    @property
    def current_learning_rate(self) -> float:
        """The learning rate of the next ``step``."""
        return self.rate_at(self.iterations)

    def rate_on(self, be: Backend, step: int) -> float:
        """Return the learning rate of a step, if it is in the range of a backend."""
        constant = (
            type(self).rate_at is HasLearningRate.rate_at
            and not self._decay
            and not callable(self._learning_rate)
        )
        rate: Any = self._learning_rate if constant else self.rate_at(step)
        if rate >= 1:
            check_fits(be, rate, f"learning_rate at step {step}")
        return rate

    def write_rate(
        self, be: Backend, state: dict[str, Any], step: int, written: float | None
    ) -> float:
        """Write the rate of a step to a state, unless it is the last one `written`.

        Returns
        -------
        float
            The rate that the state now has.
        """
        rate = self.rate_on(be, step)
        if rate != written:
            with be.context():
                be.write_number(state, "learning_rate", rate)
        return rate
