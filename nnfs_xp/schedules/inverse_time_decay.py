"""Inverse time decay: the book's."""

from __future__ import annotations

from nnfs_xp.arguments import check_rate
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class InverseTimeDecay(Schedule):
    """Inverse time decay, ``initial / (1 + decay * step)``.

    The book's; an optimizer's argument ``decay`` is short for it.

    Parameters
    ----------
    initial : float
        Rate of the first step, 0 or more.
    decay : float
        0 or more; after ``1 / decay`` steps the rate is halved.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10.

    Examples
    --------
    >>> from nnfs_xp import InverseTimeDecay
    >>> rate = InverseTimeDecay(1.0, decay=0.1)
    >>> [round(rate(step), 4) for step in (0, 1, 10, 20)]
    [1.0, 0.9091, 0.5, 0.3333]
    """

    def __init__(self, initial: float, decay: float) -> None:
        self.initial = check_rate(initial, "initial")
        self.decay = check_rate(decay, "decay")

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        return self.initial / (1.0 + self.decay * step)
