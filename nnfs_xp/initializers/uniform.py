"""Initial values from a uniform distribution."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.initializers.base import Initializer, fans
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Uniform(Initializer):
    """Uniform values of ``[-limit, limit)``.

    Parameters
    ----------
    limit : float, default 0.05
        Half of the width of the interval.

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


@register("initializer")
class GlorotUniform(Initializer):
    """Uniform values with ``limit = sqrt(6 / (fan_in + fan_out))``.

    Keeps the variance of values and of gradients alike from layer to layer
    where activations are near linear (Glorot and Bengio, 2010, eq. 16). The
    shape must be that of a matrix, (fan_in, fan_out).

    Examples
    --------
    >>> from nnfs_xp import Dense, GlorotUniform
    >>> layer = Dense(300, 500, weight_initializer=GlorotUniform(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / (300 + 500))
    0.05
    """

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return uniform values around zero."""
        return Uniform(math.sqrt(6.0 / sum(fans(shape))))(stream, shape)


@register("initializer")
class HeUniform(Initializer):
    """Uniform values with ``limit = sqrt(6 / fan_in)``.

    Of the same variance, ``2 / fan_in``, as those of `HeNormal`. The shape must
    be that of a matrix, (fan_in, fan_out).

    Examples
    --------
    >>> from nnfs_xp import Dense, HeUniform
    >>> layer = Dense(200, 500, weight_initializer=HeUniform(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / 200)
    0.1
    """

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return uniform values around zero."""
        fan_in, _ = fans(shape)
        return Uniform(math.sqrt(6.0 / fan_in))(stream, shape)
