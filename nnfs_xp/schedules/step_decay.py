"""Step decay: constant for a while, then reduced to a fraction."""

from __future__ import annotations

from nnfs_xp.arguments import check_count, check_factor, check_rate
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class StepDecay(Schedule):
    """Step decay, ``initial * factor ** floor(step / every)``.

    Parameters
    ----------
    initial : float
        Rate of the first `every` steps, 0 or more.
    factor : float
        Factor by which the rate changes every `every` steps, above 0 and up to 1.
    every : int
        Number of steps (batches) from one change to the next.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    PyTorch's ``torch.optim.lr_scheduler.StepLR``, called at every step.

    Examples
    --------
    >>> from nnfs_xp import StepDecay
    >>> rate = StepDecay(0.5, factor=0.5, every=100)
    >>> [rate(step) for step in (0, 99, 100, 200)]
    [0.5, 0.5, 0.25, 0.125]
    """

    def __init__(self, initial: float, factor: float, every: int) -> None:
        self.initial = check_rate(initial, "initial")
        self.factor = check_factor(factor, "factor")
        self.every = check_count(every, "every")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        return self.initial * self.factor ** (step // self.every)
