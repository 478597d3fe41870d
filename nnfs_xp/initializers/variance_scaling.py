"""Initial values whose variance depends on the shape of a weight matrix."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_choice, check_positive
from nnfs_xp.initializers.base import Initializer, fans
from nnfs_xp.initializers.normal import TRUNCATED_DEVIATION, Normal, TruncatedNormal
from nnfs_xp.initializers.uniform import Uniform
from nnfs_xp.random import Stream
from nnfs_xp.registry import register

_MODES = ("fan_in", "fan_out", "fan_average")
_DISTRIBUTIONS = ("normal", "truncated_normal", "uniform")


@register("initializer")
class VarianceScaling(Initializer):
    """Values with variance ``scale / n``, where ``n`` depends on the shape.

    For a matrix of shape (fan_in, fan_out), ``n`` is one of these two numbers or their
    mean. For the weights of a convolution, both numbers are multiplied by the number of
    entries of the window. `GlorotNormal`, `HeNormal`, `LeCunNormal` and their uniform
    forms are special cases.

    Parameters
    ----------
    scale : float, default 1.0
        Factor of the variance, above 0.
    mode : {"fan_in", "fan_out", "fan_average"}, default "fan_in"
        The value of ``n``. Keras calls the last value ``fan_avg``.
    distribution : {"normal", "truncated_normal", "uniform"}, default "normal"
        Distribution of the values. ``"truncated_normal"`` has no values beyond two
        standard deviations, and is widened so that the variance is the same. It is
        Keras's default, also for ``HeNormal``, ``GlorotNormal`` and ``LecunNormal``.
        Keras's name for ``"normal"`` is ``untruncated_normal``.

    Raises
    ------
    InputError
        If an argument is out of range.

    Examples
    --------
    >>> from nnfs_xp import Dense, VarianceScaling
    >>> values = VarianceScaling(4.0, "fan_out", "uniform")
    >>> layer = Dense(300, 400, weight_initializer=values, seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(4 / 400)
    0.1
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal"
    ) -> None:
        self.scale = check_positive(scale, "scale")
        self.mode = check_choice(mode, "mode", _MODES)
        self.distribution = check_choice(distribution, "distribution", _DISTRIBUTIONS)

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return values of this variance."""
        fan_in, fan_out = fans(shape)
        average = (fan_in + fan_out) / 2.0
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_average": average}[self.mode]
        if self.distribution == "uniform":
            return Uniform(math.sqrt(3.0 * self.scale / n))(stream, shape)
        deviation = math.sqrt(self.scale / n)
        if self.distribution == "truncated_normal":
            return TruncatedNormal(deviation / TRUNCATED_DEVIATION)(stream, shape)
        return Normal(deviation)(stream, shape)


@register("initializer")
class GlorotNormal(VarianceScaling):
    """Normal values with ``scale = sqrt(2 / (fan_in + fan_out))``.

    The variance is the one proposed by Glorot and Bengio (2010, eq. 12), the same as
    that of `GlorotUniform`.

    Examples
    --------
    >>> from nnfs_xp import Dense, GlorotNormal
    >>> layer = Dense(300, 500, weight_initializer=GlorotNormal(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / (300 + 500))
    0.05
    """

    def __init__(self) -> None:
        super().__init__(1.0, "fan_average")


@register("initializer")
class HeNormal(VarianceScaling):
    """Normal values with ``scale = sqrt(2 / fan_in)``.

    This preserves the mean square of the signal from layer to layer with ReLU, which
    halves it (He, Zhang, Ren and Sun, 2015, eq. 10).

    Examples
    --------
    >>> from nnfs_xp import Dense, HeNormal
    >>> layer = Dense(200, 500, weight_initializer=HeNormal(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / 200)
    0.1
    """

    def __init__(self) -> None:
        super().__init__(2.0)


@register("initializer")
class LeCunNormal(VarianceScaling):
    """Normal values with ``scale = sqrt(1 / fan_in)``.

    This preserves the variance of the signal from layer to layer if activations are
    nearly linear, as tanh and SELU are near 0 (LeCun, Bottou, Orr and Mueller,
    "Efficient BackProp", 1998, section 4.6).

    Examples
    --------
    >>> from nnfs_xp import Dense, LeCunNormal
    >>> layer = Dense(400, 500, weight_initializer=LeCunNormal(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(1 / 400)
    0.05
    """

    def __init__(self) -> None:
        super().__init__(1.0)


@register("initializer")
class GlorotUniform(VarianceScaling):
    """Uniform values with ``limit = sqrt(6 / (fan_in + fan_out))``.

    This preserves the variance of both the signal and the gradients from layer to layer
    as far as possible if activations are nearly linear (Glorot and Bengio, 2010, eq.
    16).

    Examples
    --------
    >>> from nnfs_xp import Dense, GlorotUniform
    >>> layer = Dense(300, 500, weight_initializer=GlorotUniform(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / (300 + 500))
    0.05
    """

    def __init__(self) -> None:
        super().__init__(1.0, "fan_average", "uniform")


@register("initializer")
class HeUniform(VarianceScaling):
    """Uniform values with ``limit = sqrt(6 / fan_in)``.

    The variance is ``2 / fan_in``, the same as for `HeNormal`.

    Examples
    --------
    >>> from nnfs_xp import Dense, HeUniform
    >>> layer = Dense(200, 500, weight_initializer=HeUniform(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(2 / 200)
    0.1
    """

    def __init__(self) -> None:
        super().__init__(2.0, distribution="uniform")


@register("initializer")
class LeCunUniform(VarianceScaling):
    """Uniform values with ``limit = sqrt(3 / fan_in)``.

    The variance is ``1 / fan_in``, the same as for `LeCunNormal`.

    Examples
    --------
    >>> from nnfs_xp import Dense, LeCunUniform
    >>> layer = Dense(400, 500, weight_initializer=LeCunUniform(), seed=0)
    >>> round(float(layer.weights.std()), 2)  # sqrt(1 / 400)
    0.05
    """

    def __init__(self) -> None:
        super().__init__(1.0, distribution="uniform")
