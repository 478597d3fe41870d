"""Initial weights that form an identity matrix."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.errors import InputError
from nnfs_xp.initializers.base import Initializer, fans
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Identity(Initializer):
    """Scaled identity matrix: `gain` on the diagonal, and 0 elsewhere.

    A layer with a square weight matrix then initially multiplies its inputs by `gain`.
    The shape must be that of a matrix, (fan_in, fan_out). A matrix that is not square
    is padded with zeros.

    Parameters
    ----------
    gain : float, default 1.0
        The value on the diagonal.

    Raises
    ------
    InputError
        If it is not a finite number.

    References
    ----------
    Le, Jaitly and Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified
    Linear Units", 2015.

    Examples
    --------
    >>> from nnfs_xp import Dense, Identity
    >>> Dense(2, 3, weight_initializer=Identity(0.5), dtype="float64").weights
    array([[0.5, 0. , 0. ],
           [0. , 0.5, 0. ]])
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check_number(gain, "gain")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return the diagonal matrix."""
        if len(shape) != 2:
            raise InputError(
                f"shape must be that of a matrix, (fan_in, fan_out), got {shape}"
            )
        values = 0.0 * stream.uniform(fans(shape))
        for place in range(min(shape)):
            values[place, place] = self.gain
        return values
