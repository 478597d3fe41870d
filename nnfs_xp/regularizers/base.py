"""The base of all regularizers."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.registry import resolve
from nnfs_xp.unit import Unit


class Regularizer(Unit):
    """Base of all regularizers: a pure penalty and its gradient.

    Examples
    --------
    >>> from nnfs_xp import Dense, Regularizer
    >>> class TowardsOne(Regularizer):
    ...     def penalty(self, be, w):
    ...         return be.xp.sum((w - 1.0) ** 2)
    ...     def gradient(self, be, w):
    ...         return 2.0 * (w - 1.0)
    >>> layer = Dense(1, 1, weight_regularizer=TowardsOne(), dtype="float64")
    >>> layer.weights = [[3.0]]
    >>> _ = layer.forward([[0.0]]), layer.backward([[0.0]])
    >>> layer.dweights
    array([[4.]])
    """

    def penalty(self, be: Backend, w: Array) -> Array:
        """Return the penalty of a parameter, a 0-d array."""
        raise NotImplementedError

    def gradient(self, be: Backend, w: Array) -> Array:
        """Return the gradient of the penalty, of the shape of `w`."""
        raise NotImplementedError

    def add_gradient(self, be: Backend, gradient: Array, w: Array) -> Array:
        """Return the gradient of a loss plus that of the penalty.

        `gradient` may be overwritten. A regularizer need not override this method,
        which exists to compute both in one pass over the arrays.
        """
        return gradient + self.gradient(be, w)


def regularizer_or_none(value: Any, name: str) -> Regularizer | None:
    """Return the regularizer given for the argument `name`, if any, else None."""
    return None if value is None else resolve("regularizer", value, name, Regularizer)
