"""Exponential decay: every step reduces the rate by the same fraction."""

from __future__ import annotations

from nnfs_xp.arguments import check_count, check_factor, check_flag, check_rate
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class ExponentialDecay(Schedule):
    """Exponential decay, ``initial * factor ** (step / every)``.

    With `staircase`, the quotient ``step / every`` is rounded down, as in `StepDecay`.

    Parameters
    ----------
    initial : float
        Rate of the first step, 0 or more.
    factor : float
        Factor by which the rate changes in `every` steps, above 0 and up to 1.
    every : int, default 1
        Number of steps (batches) for one factor.
    staircase : bool, default False
        Whether the rate is constant for `every` steps at a time.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    PyTorch's ``torch.optim.lr_scheduler.ExponentialLR``, called at every step,
    has ``every=1``; Keras's ``ExponentialDecay`` calls it ``decay_steps``.

    Examples
    --------
    >>> from nnfs_xp import ExponentialDecay
    >>> rate = ExponentialDecay(1.0, factor=0.25, every=100)
    >>> [rate(step) for step in (0, 50, 100, 200)]
    [1.0, 0.5, 0.25, 0.0625]
    """

    def __init__(
        self, initial: float, factor: float, every: int = 1, *, staircase: bool = False
    ) -> None:
        self.initial = check_rate(initial, "initial")
        self.factor = check_factor(factor, "factor")
        self.every = check_count(every, "every")
        self.staircase = check_flag(staircase, "staircase")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        time = step // self.every if self.staircase else step / self.every
        return self.initial * self.factor**time
