"""Inverse time decay, the schedule of the book."""

from __future__ import annotations

from nnfs_xp.arguments import check_count, check_flag, check_rate
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class InverseTimeDecay(Schedule):
    """Inverse time decay, ``initial / (1 + decay * step / every)``.

    With ``every=1``, this is the book's schedule, which can also be set by an
    optimizer's argument ``decay``. With `staircase`, the quotient ``step / every`` is
    rounded down.

    Parameters
    ----------
    initial : float
        Rate of the first step, 0 or more.
    decay : float
        Decay rate, 0 or more. After ``every / decay`` steps, the rate is halved.
    every : int, default 1
        Number of steps (batches) to which `decay` refers.
    staircase : bool, default False
        Whether the rate is constant for `every` steps at a time.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10. Keras's
    ``InverseTimeDecay`` calls the last two arguments ``decay_steps`` and
    ``staircase``.

    Examples
    --------
    >>> from nnfs_xp import InverseTimeDecay
    >>> rate = InverseTimeDecay(1.0, decay=0.1)
    >>> [round(rate(step), 4) for step in (0, 1, 10, 20)]
    [1.0, 0.9091, 0.5, 0.3333]
    >>> rate = InverseTimeDecay(1.0, decay=1.0, every=10, staircase=True)
    >>> [rate(step) for step in (0, 9, 10, 30)]
    [1.0, 1.0, 0.5, 0.25]
    """

    def __init__(
        self, initial: float, decay: float, *, every: int = 1, staircase: bool = False
    ) -> None:
        self.initial = check_rate(initial, "initial")
        self.decay = check_rate(decay, "decay")
        self.every = check_count(every, "every")
        self.staircase = check_flag(staircase, "staircase")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        time = step // self.every if self.staircase else step / self.every
        return self.initial / (1.0 + self.decay * time)
