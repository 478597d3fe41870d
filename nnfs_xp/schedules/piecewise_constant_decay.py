"""Piecewise constant decay: a rate for each part of the training."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from nnfs_xp.arguments import check_increasing, check_rates
from nnfs_xp.errors import InputError
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import Schedule


@register("schedule")
class PiecewiseConstantDecay(Schedule):
    """Piecewise constant rates, ``values[i]`` after step ``boundaries[i - 1]``.

    The rate is ``values[0]`` up to and including the step ``boundaries[0]``, then
    ``values[1]`` up to and including the step ``boundaries[1]``, and so on.

    Parameters
    ----------
    boundaries : sequence of int
        The last step of each value, except for the last value; 0 or more, in increasing
        order.
    values : sequence of float
        The rates, 0 or more. There must be one more value than boundaries.

    Raises
    ------
    InputError
        If an argument is out of range, or their lengths do not match.

    References
    ----------
    Keras's ``PiecewiseConstantDecay``. PyTorch's ``MultiStepLR`` changes the rate one
    step earlier, at the boundary itself.

    Examples
    --------
    >>> from nnfs_xp import PiecewiseConstantDecay
    >>> rate = PiecewiseConstantDecay([100, 150], [0.1, 0.05, 0.01])
    >>> [rate(step) for step in (0, 100, 101, 150, 151)]
    [0.1, 0.1, 0.05, 0.05, 0.01]
    """

    def __init__(self, boundaries: Sequence[int], values: Sequence[float]) -> None:
        self.boundaries = check_increasing(boundaries, "boundaries")
        self.values = check_rates(values, "values")
        if len(self.values) != len(self.boundaries) + 1:
            raise InputError(
                f"values must have one more entry than boundaries, got "
                f"{len(self.values)} values and {len(self.boundaries)} boundaries"
            )

    def __call__(self, step: int) -> float:
        """Return the learning rate of the step with this number."""
        return self.values[bisect.bisect_left(self.boundaries, step)]
