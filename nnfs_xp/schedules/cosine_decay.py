"""Cosine decay: slow at both ends."""

from __future__ import annotations

import math

from nnfs_xp.arguments import check_count, check_rate
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class CosineDecay(Schedule):
    """Cosine decay to a final rate, without restarts.

    For ``step < steps``, the rate is::

        final + (initial - final) * (1 + cos(pi * step / steps)) / 2

    The rate is `final` from then on.

    Parameters
    ----------
    initial : float
        Rate of the first step, 0 or more.
    steps : int
        Number of steps (batches) until the rate is `final`.
    final : float, default 0.0
        0 or more.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
    Restarts", ICLR 2017, equation 5, for its first run.

    Examples
    --------
    >>> from nnfs_xp import CosineDecay
    >>> rate = CosineDecay(0.1, steps=1000, final=0.001)
    >>> [round(rate(step), 4) for step in (0, 250, 500, 1000, 5000)]
    [0.1, 0.0855, 0.0505, 0.001, 0.001]
    """

    def __init__(self, initial: float, steps: int, final: float = 0.0) -> None:
        self.initial = check_rate(initial, "initial")
        self.steps = check_count(steps, "steps")
        self.final = check_rate(final, "final")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        if step >= self.steps:
            return self.final
        wave = 1.0 + math.cos(math.pi * step / self.steps)
        return self.final + (self.initial - self.final) * wave / 2.0
