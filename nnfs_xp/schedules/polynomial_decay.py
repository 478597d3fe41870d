"""Polynomial decay: a power of the remaining fraction of the steps."""

from __future__ import annotations

from nnfs_xp.arguments import check_count, check_flag, check_rate
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class PolynomialDecay(Schedule):
    """Polynomial decay to a final rate, linear with ``power=1``.

    For ``step < steps``, the rate is::

        final + (initial - final) * (1 - step / steps) ** power

    The rate is `final` from then on. With `cycle`, the rate rises again instead:
    `steps` is replaced with its smallest multiple that is not below `step`.

    Parameters
    ----------
    initial : float
        Rate of the first step, 0 or more.
    steps : int
        Number of steps (batches) until the rate is `final`.
    final : float, default 0.0
        0 or more. Keras's default is 0.0001.
    power : float, default 1.0
        0 or more.
    cycle : bool, default False
        Whether the rate rises again after `steps`.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Keras's ``PolynomialDecay``; PyTorch's ``PolynomialLR``, called at every step, has
    ``final=0``.

    Examples
    --------
    >>> from nnfs_xp import PolynomialDecay
    >>> rate = PolynomialDecay(0.5, steps=100, power=2)
    >>> [rate(step) for step in (0, 50, 100, 150)]
    [0.5, 0.125, 0.0, 0.0]
    >>> PolynomialDecay(0.5, steps=100, cycle=True)(150)
    0.125
    """

    def __init__(
        self,
        initial: float,
        steps: int,
        final: float = 0.0,
        power: float = 1.0,
        *,
        cycle: bool = False,
    ) -> None:
        self.initial = check_rate(initial, "initial")
        self.steps = check_count(steps, "steps")
        self.final = check_rate(final, "final")
        self.power = check_rate(power, "power")
        self.cycle = check_flag(cycle, "cycle")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        cycles = -(-step // self.steps) if self.cycle else 1
        steps = self.steps * max(1, cycles)
        left = max(0.0, 1.0 - step / steps)
        return self.final + (self.initial - self.final) * left**self.power
