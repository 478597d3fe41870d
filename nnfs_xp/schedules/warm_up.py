"""Warm-up: small steps at first."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice, check_count
from nnfs_xp.errors import InputError
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import (
    Schedule,
    check_learning_rate,
)

_MODES = ("from_one", "keras")


@register("schedule")
class WarmUp(Schedule):
    """Linear warm-up, followed by another schedule.

    ::

        (step + 1) / steps * then(0)    while step < steps
        then(step - steps)              from then on

    The first step uses ``1 / steps`` of the full rate instead of 0, and the last step
    of the warm-up uses the full rate. The next schedule counts its own steps from 0.

    Parameters
    ----------
    steps : int
        Length of the warm-up in steps (batches).
    then : float or Schedule
        The schedule after the warm-up; a number is a constant rate.
    mode : {"from_one", "keras"}, default "from_one"
        ``"keras"`` counts the steps of the warm-up from 0, as Keras's ``CosineDecay``
        and optax do: the rates are ``step / steps * then(0)``, so the first step does
        not change the parameters.

    Raises
    ------
    InputError
        If an argument is out of range, or `then` is neither.

    References
    ----------
    Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour",
    2017, section 2.2.

    Examples
    --------
    >>> from nnfs_xp import CosineDecay, WarmUp
    >>> rate = WarmUp(4, then=CosineDecay(0.1, steps=100))
    >>> [round(rate(step), 4) for step in (0, 1, 2, 3, 4, 54, 104)]
    [0.025, 0.05, 0.075, 0.1, 0.1, 0.05, 0.0]
    >>> [WarmUp(4, then=0.1, mode="keras")(step) for step in (0, 2, 4)]
    [0.0, 0.05, 0.1]
    """

    def __init__(
        self,
        steps: int,
        then: float | Schedule | dict[str, Any],
        *,
        mode: str = "from_one",
    ) -> None:
        self.steps = check_count(steps, "steps")
        checked = check_learning_rate(then, "then")
        if not isinstance(checked, float | Schedule):
            raise InputError(f"then must be a number or a Schedule, got {then!r}")
        self.then = checked
        self.mode = check_choice(mode, "mode", _MODES)

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        if step < self.steps:
            taken = step if self.mode == "keras" else step + 1
            return taken / self.steps * self._following(0)
        return self._following(step - self.steps)

    def _following(self, step: int) -> float:
        return self.then(step) if isinstance(self.then, Schedule) else self.then
