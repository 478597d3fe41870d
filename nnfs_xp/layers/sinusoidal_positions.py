"""Waves that encode positions."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_count, check_growth
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.sequences import check_sequence
from nnfs_xp.registry import register


@register("layer")
class SinusoidalPositions(Layer):
    """Add sinusoidal position encodings, ``y[:, p] = x[:, p] + P[p]``.

    The encodings P are pairs of a sine and a cosine, with wavelengths from 2 pi to 2 pi
    times `base`::

        P[p, 2i] = sin(p r^i)        P[p, 2i + 1] = cos(p r^i)        r = base^(-2/d)

    The pairs of position p + k are therefore the pairs of position p, rotated by angles
    that depend only on k. The layer has no parameters. The gradient is ``dx = dy``.
    Sequences may have any length.

    Parameters
    ----------
    n_features : int
        Number d of features.
    base : float, default 10000.0
        Ratio of the largest to the smallest wavelength, 1 or more.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is out of range, or inputs are not of shape (n, t, n_features).

    References
    ----------
    Vaswani et al., "Attention Is All You Need", NIPS 2017, section 3.5.

    Examples
    --------
    >>> import numpy as np
    >>> from nnfs_xp import SinusoidalPositions
    >>> layer = SinusoidalPositions(4, dtype="float64")
    >>> layer.forward(np.zeros((1, 2, 4))).round(4)
    array([[[0.    , 1.    , 0.    , 1.    ],
            [0.8415, 0.5403, 0.01  , 1.    ]]])
    """

    def __init__(self, n_features: int, base: float = 10000.0, **where: Any) -> None:
        super().__init__(**where)
        self.n_features = check_count(n_features, "n_features")
        self.base = check_growth(base, "base")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, None]:
        """Return ``x + P``."""
        xp, t, d = cx.xp, x.shape[1], self.n_features
        numbers = [
            xp.arange(count, dtype=cx.be.dtype, device=cx.be.device)
            for count in (t, (d + 1) // 2)
        ]
        rates = xp.exp(numbers[1] * (-2.0 * math.log(self.base) / d))
        angles = numbers[0][:, None] * rates[None, :]
        pairs = xp.stack([xp.sin(angles), xp.cos(angles)], axis=-1)
        return x + xp.reshape(pairs, (t, -1))[:, :d], None

    def bwd(self, cx: Context, residuals: None, dy: Array) -> Array:
        """Return ``dy``."""
        return dy

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the same shape, if it is that of a sequence."""
        return check_sequence(self, shape, self.n_features)
