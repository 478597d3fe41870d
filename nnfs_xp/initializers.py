"""Initial values of parameters.

All of them draw from a host stream in float64, so a seed gives the same
values on every backend, bit for bit. `fan_in` and `fan_out` are the two
lengths of a weight matrix.
"""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.random import Stream
from nnfs_xp.registry import describe, register


class Initializer:
    """Base of all initialisers: ``initializer(stream, shape)`` draws values."""

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return host values of the shape, drawn from the stream."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this initialiser again."""
        return dict(vars(self))

    def __repr__(self) -> str:
        return describe(self)


@register("initializer")
class Constant(Initializer):
    """The same value everywhere.

    Parameters
    ----------
    value : float
        That value.
    """

    def __init__(self, value: float) -> None:
        self.value = check_number(value, "value")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return the value, repeated."""
        return 0.0 * stream.uniform(shape) + self.value


@register("initializer")
class Zeros(Constant):
    """Zeros, as the book takes for biases."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def config(self) -> dict[str, Any]:
        """Return no arguments."""
        return {}


@register("initializer")
class Normal(Initializer):
    """Normal values of mean 0: ``scale * N(0, 1)``.

    Parameters
    ----------
    scale : float, default 0.01
        Standard deviation. The book takes 0.01 for its layers.

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
class Uniform(Initializer):
    """Uniform values of ``[-limit, limit)``.

    Parameters
    ----------
    limit : float, default 0.05
        Half of the width of the interval.
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
    where activations are near linear (Glorot and Bengio, 2010, eq. 16).
    """

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return uniform values around zero."""
        return Uniform(math.sqrt(6.0 / sum(shape)))(stream, shape)


@register("initializer")
class HeNormal(Initializer):
    """Normal values with ``scale = sqrt(2 / fan_in)``.

    Keeps the variance of values from layer to layer under ReLU, which drops
    half of it (He, Zhang, Ren and Sun, 2015, eq. 10).
    """

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return scaled standard normal values."""
        return Normal(math.sqrt(2.0 / shape[0]))(stream, shape)
