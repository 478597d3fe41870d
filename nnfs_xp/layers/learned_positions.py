"""A learned row for each position."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_seed_or_none
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
    """Add a learned vector to each position, ``y[:, p] = x[:, p] + W[p]``.

    The gradient of a row is a sum over the samples. It is 0 for rows beyond the length
    of the sequences::

        dx = dy        dW[p] = sum of dy[i, p] over the samples i

    Parameters
    ----------
    length : int
        Number of rows. Sequences may be shorter, but not longer.
    n_features : int
        Number of features.
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
        self.seed = check_seed_or_none(seed)

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
