"""The base of all schedules, and the other forms of a learning rate."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_rate
from nnfs_xp.errors import InputError
from nnfs_xp.registry import resolve
from nnfs_xp.unit import Unit


class Schedule(Unit):
    """Base of all schedules: ``schedule(step)`` is the rate of one step.

    Steps are batches, not epochs, and are counted from 0. A schedule is called on the
    host before each step, so it is plain Python and computes in float64 on every
    backend. The rate should depend only on the step: a schedule may be called more than
    once for the same step, and a saved model continues at the step that it had reached.

    Subclasses define ``__call__``, and also ``config`` if the attributes differ from
    the arguments. To be saved, a class must be decorated with
    ``@register("schedule")``.

    Examples
    --------
    >>> from nnfs_xp import SGD, StepDecay
    >>> optimizer = SGD(StepDecay(0.5, factor=0.5, every=100))
    >>> optimizer.rate_at(99), optimizer.rate_at(100)
    (0.5, 0.25)
    """

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        raise NotImplementedError


LearningRate = float | Schedule | Callable[[int], float]


def check_learning_rate(value: Any, name: str) -> LearningRate:
    """Return a number, a schedule, or a function of the step.

    Parameters
    ----------
    value : object
        One of the three, or the result of `to_config` for a schedule.
    name : str
        The argument's name, for messages.

    Raises
    ------
    InputError
        If `value` is none of them, or is a negative number.
    """
    if isinstance(value, dict):
        return resolve("schedule", value, name)
    if isinstance(value, numbers.Real):
        return check_rate(value, name)
    # A class is also callable, but was most likely meant to be called.
    if callable(value) and not isinstance(value, type):
        return value
    raise InputError(
        f"{name} must be a number of 0 or more, a Schedule, or a function of the "
        f"step, got {value!r}"
    )
