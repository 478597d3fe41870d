"""One cycle: up to a high rate, then down to a very low one."""

from __future__ import annotations

import math

from nnfs_xp.arguments import check_count, check_growth, check_rate, check_share
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class OneCycle(Schedule):
    """One-cycle schedule: the rate rises to a peak and then decays to a final rate.

    Let ``initial = peak / divisor`` and ``final = initial / final_divisor``. The rate
    rises from `initial` to `peak` until step ``top = rising * steps - 1``, and then
    falls to `final` until step ``steps - 1``, after which it stays there. At a fraction
    ``p`` of the way from ``a`` to ``b``, the rate is
    ``b + (a - b) * (1 + cos(pi * p)) / 2``, half a wave of a cosine.

    Parameters
    ----------
    peak : float
        The highest rate, 0 or more.
    steps : int
        Length of the cycle in steps (batches).
    rising : float, default 0.3
        Fraction of the steps during which the rate rises, from 0 to 1.
    divisor : float, default 25.0
        Ratio of `peak` to the first rate, 1 or more.
    final_divisor : float, default 10000.0
        Ratio of the first rate to the last rate, 1 or more.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using
    Large Learning Rates", 2018, in the form and with the defaults of PyTorch's
    ``OneCycleLR``, which also changes the momentum; here, the momentum stays constant.

    Examples
    --------
    >>> from nnfs_xp import OneCycle
    >>> rate = OneCycle(0.1, steps=100)
    >>> [round(rate(step), 6) for step in (0, 29, 64, 99, 500)]
    [0.004, 0.1, 0.05, 0.0, 0.0]
    """

    def __init__(
        self,
        peak: float,
        steps: int,
        rising: float = 0.3,
        divisor: float = 25.0,
        final_divisor: float = 1e4,
    ) -> None:
        self.peak = check_rate(peak, "peak")
        self.steps = check_count(steps, "steps")
        self.rising = check_share(rising, "rising")
        self.divisor = check_growth(divisor, "divisor")
        self.final_divisor = check_growth(final_divisor, "final_divisor")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        initial, last = self.peak / self.divisor, self.steps - 1
        top = self.rising * self.steps - 1.0
        if step < top:
            return _half_wave(initial, self.peak, step / top)
        final = initial / self.final_divisor
        top = max(0.0, top)
        if step >= last:
            return final
        return _half_wave(self.peak, final, (step - top) / (last - top))


def _half_wave(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * part)) / 2.0
