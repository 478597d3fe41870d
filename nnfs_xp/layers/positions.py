"""Positions: what tells a layer without an order where each row stands."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_count, check_growth, check_seed
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.initializers import Initializer, Normal
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.sequences import check_sequence
from nnfs_xp.registry import register, resolve

_SMALL = Normal(0.02)


@register("layer")
class LearnedPositions(Layer):
    """Add a learned row to each position, ``y[:, p] = x[:, p] + W[p]``.

    The gradient of a row is the sum over the samples, and 0 for rows beyond the
    sequences::

        dx = dy        dW[p] = sum of dy[i, p] over the samples i

    Parameters
    ----------
    length : int
        Number of rows: sequences may be shorter, not longer.
    n_features : int
        Length of a row.
    weight_initializer : Initializer or str, default Normal(0.02)
        Initial rows; the default is that of GPT-2.
    seed : int, optional
        Seed of the initial rows; see `Dense`.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    weights : array, shape (length, n_features)

    Raises
    ------
    InputError
        If a size is not a positive integer, or inputs are not of shape (n, t,
        n_features) with t up to `length`.

    References
    ----------
    Gehring et al., "Convolutional Sequence to Sequence Learning", ICML 2017.

    Examples
    --------
    >>> from nnfs_xp import LearnedPositions
    >>> layer = LearnedPositions(3, 2, dtype="float64")
    >>> layer.weights = [[1, 1], [2, 2], [3, 3]]
    >>> layer.forward([[[0.0, 0.5], [0.0, 0.5]]])
    array([[[1. , 1.5],
            [2. , 2.5]]])
    """

    def __init__(
        self,
        length: int,
        n_features: int,
        *,
        weight_initializer: Initializer | str | dict[str, Any] = _SMALL,
        seed: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.length = check_count(length, "length")
        self.n_features = check_count(n_features, "n_features")
        self.weight_initializer = resolve(
            "initializer", weight_initializer, "weight_initializer", Initializer
        )
        self.seed = None if seed is None else check_seed(seed)

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of the rows."""
        return {"weights": (self.weight_initializer, (self.length, self.n_features))}

    def fwd(self, cx: Context, x: Array) -> tuple[Array, None]:
        """Return ``x + W`` of the first positions."""
        return x + cx.params["weights"][: x.shape[1], ...], None

    def bwd(self, cx: Context, residuals: None, dy: Array) -> Array:
        """Write ``dW``, and return ``dy``."""
        if cx.learns:
            rows, unused = cx.xp.sum(dy, axis=0), self.length - dy.shape[1]
            if unused:
                zeros = cx.be.zeros((unused, self.n_features))
                rows = cx.xp.concat([rows, zeros], axis=0)
            cx.grads["weights"] = rows
        return dy

    def output_shape(self, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
        """Return the same shape, if sequences are not too long."""
        check_sequence(self, shape, self.n_features)
        if shape is not None and shape[0] > self.length:
            raise InputError(
                f"layers: {self!r} takes sequences of up to {self.length} positions, "
                f"got {shape[0]}"
            )
        return shape

    def __repr__(self) -> str:
        return f"LearnedPositions({self.length}, {self.n_features})"


@register("layer")
class SinusoidalPositions(Layer):
    """Add waves of many lengths, ``y[:, p] = x[:, p] + P[p]``.

    Features are pairs of a sine and a cosine, with wavelengths from 2 pi up to 2 pi
    times `base`::

        P[p, 2i] = sin(p r^i)        P[p, 2i + 1] = cos(p r^i)        r = base^(-2/d)

    So the pairs of position p + k are those of p, turned by angles that depend on k
    alone. Nothing is learned, and its gradient is ``dx = dy``. Sequences may have any
    length.

    Parameters
    ----------
    n_features : int
        Number d of features.
    base : float, default 10000.0
        Largest wavelength over the smallest, 1 or more.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If an argument is out of its range, or inputs are not of shape (n, t,
        n_features).

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
