"""Initial values from a normal distribution."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.initializers.base import Initializer, fans
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Normal(Initializer):
    """Normal values of mean 0: ``scale * N(0, 1)``.

    Parameters
    ----------
    scale : float, default 0.01
        Standard deviation. The book takes 0.01 for its layers.

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
class GlorotNormal(Initializer):
    """Normal values with ``scale = sqrt(2 / (fan_in + fan_out))``.

    Of the variance that Glorot and Bengio (2010, eq. 12) propose, as are those
    of `GlorotUniform`. The shape must be that of a matrix, (fan_in, fan_out).

    Examples
    --------
    >>> from nnfs_xp import Dense, GlorotNormal
    >>> layer = Dense(300, 500, weight_initializer=GlorotNormal(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / (300 + 500))
    0.05
    """

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return scaled standard normal values."""
        return Normal(math.sqrt(2.0 / sum(fans(shape))))(stream, shape)


@register("initializer")
class HeNormal(Initializer):
    """Normal values with ``scale = sqrt(2 / fan_in)``.

    Keeps the variance of values from layer to layer under ReLU, which drops
    half of it (He, Zhang, Ren and Sun, 2015, eq. 10). The shape must be that
    of a matrix, (fan_in, fan_out).

    Examples
    --------
    >>> from nnfs_xp import Dense, HeNormal
    >>> layer = Dense(200, 500, weight_initializer=HeNormal(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / 200)
    0.1
    """

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return scaled standard normal values."""
        fan_in, _ = fans(shape)
        return Normal(math.sqrt(2.0 / fan_in))(stream, shape)
