"""Cosine decay with restarts: slow at both ends of each run."""

from __future__ import annotations

import math

from nnfs_xp.arguments import check_count, check_factor, check_growth, check_rate
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class CosineDecayRestarts(Schedule):
    """Cosine decay with warm restarts.

    Run ``i``, counted from 0, is ``steps * growth ** i`` steps long. At a fraction
    ``p`` of a run, from 0 up to 1, the rate is::

        final + (initial - final) * shrinkage ** i * (1 + cos(pi * p)) / 2

    Parameters
    ----------
    initial : float
        Rate of the first step, 0 or more.
    steps : int
        Length of the first run in steps (batches).
    growth : float, default 2.0
        Factor by which the length grows from run to run, 1 or more.
    shrinkage : float, default 1.0
        Factor by which the range of rates shrinks from run to run, above 0 and up to 1.
    final : float, default 0.0
        The rate to which each run decays, 0 or more.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
    Restarts", ICLR 2017, equation 5. Keras calls the arguments ``t_mul``, ``m_mul``
    and ``alpha``, which is ``final / initial``; PyTorch's
    ``CosineAnnealingWarmRestarts`` has no `shrinkage`.

    Examples
    --------
    >>> from nnfs_xp import CosineDecayRestarts
    >>> rate = CosineDecayRestarts(0.1, steps=100)
    >>> [round(rate(step), 4) for step in (0, 50, 99, 100, 200, 300)]
    [0.1, 0.05, 0.0, 0.1, 0.05, 0.1]
    """

    def __init__(
        self,
        initial: float,
        steps: int,
        growth: float = 2.0,
        shrinkage: float = 1.0,
        final: float = 0.0,
    ) -> None:
        self.initial = check_rate(initial, "initial")
        self.steps = check_count(steps, "steps")
        self.growth = check_growth(growth, "growth")
        self.shrinkage = check_factor(shrinkage, "shrinkage")
        self.final = check_rate(final, "final")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        run, length, left = 0, float(self.steps), float(step)
        if self.growth == 1.0:
            run, left = step // self.steps, float(step % self.steps)
        while left >= length:
            left -= length
            length *= self.growth
            run += 1
        height = (self.initial - self.final) * self.shrinkage**run
        return self.final + height * (1.0 + math.cos(math.pi * left / length)) / 2.0
