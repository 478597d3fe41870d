"""Initial values from a uniform distribution."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.initializers.base import Initializer
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Uniform(Initializer):
    """Uniform values in ``[-limit, limit)``.

    Parameters
    ----------
    limit : float, default 0.05
        Half the width of the interval.

    Raises
    ------
    InputError
        If it is not a finite number.

    Examples
    --------
    >>> from nnfs_xp import Dense, Uniform
    >>> weights = Dense(100, 100, weight_initializer=Uniform(0.3), seed=0).weights
    >>> bool(abs(weights).max() <= 0.3), round(float(weights.std()), 3)  # 0.3 / sqrt(3)
    (True, 0.173)
    """

    def __init__(self, limit: float = 0.05) -> None:
        self.limit = check_number(limit, "limit")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return uniform values around zero."""
        return self.limit * (2.0 * stream.uniform(shape) - 1.0)
