"""Initial values from a normal distribution."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.initializers.base import Initializer
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Normal(Initializer):
    """Normal values with mean 0: ``scale * N(0, 1)``.

    Parameters
    ----------
    scale : float, default 0.01
        Standard deviation. The book uses 0.01 for its layers.

    Raises
    ------
    InputError
        If it is not a finite number.

    Examples
    --------
    >>> from nnfs_xp import Dense, Normal
    >>> Dense(4, 5, weight_initializer=Normal(0.1), seed=0).weights.shape
    (4, 5)
    """

    def __init__(self, scale: float = 0.01) -> None:
        self.scale = check_number(scale, "scale")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return scaled standard normal values."""
        return self.scale * stream.normal(shape)


@register("initializer")
class TruncatedNormal(Initializer):
    """Normal values with mean 0, truncated at two standard deviations.

    The values follow ``scale * N(0, 1)``. Values beyond ``2 scale`` are drawn again, so
    no neuron starts with a very large weight. The standard deviation of the result is
    about ``0.88 scale``.

    Parameters
    ----------
    scale : float, default 0.05
        Standard deviation before truncation, as in Keras and PyTorch.

    Raises
    ------
    InputError
        If it is not a finite number.

    Examples
    --------
    >>> from nnfs_xp import Dense, TruncatedNormal
    >>> values = TruncatedNormal(0.1)
    >>> weights = Dense(100, 100, weight_initializer=values, seed=0).weights
    >>> bool(abs(weights).max() <= 0.2), round(float(weights.std()), 3)
    (True, 0.087)
    """

    def __init__(self, scale: float = 0.05) -> None:
        self.scale = check_number(scale, "scale")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return scaled truncated normal values."""
        return self.scale * stream.truncated_normal(shape)


# Of a standard normal distribution truncated at 2.
_DENSITY = math.exp(-2.0) / math.sqrt(2.0 * math.pi)
TRUNCATED_DEVIATION = math.sqrt(1.0 - 4.0 * _DENSITY / math.erf(math.sqrt(2.0)))
