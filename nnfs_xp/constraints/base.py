"""What a constraint is, and the lengths that several of them look at."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend
from nnfs_xp.registry import resolve
from nnfs_xp.unit import Unit

_PARTS = ("columns", "rows")


class Constraint(Unit):
    """Base of all constraints: ``project(be, w)`` is applied after each step.

    A constraint affects neither the loss and its gradient nor the initial values.

    Examples
    --------
    >>> from nnfs_xp import SGD, Constraint, Dense
    >>> class NotNegative(Constraint):
    ...     def project(self, be, w):
    ...         return be.xp.maximum(w, be.zero)
    >>> layer = Dense(1, 2, weight_constraint=NotNegative(), dtype="float64")
    >>> layer.weights = [[1.0, 2.0]]
    >>> _ = layer.forward([[1.0]]), layer.backward([[1.5, 1.5]])
    >>> SGD(1.0).step(layer)
    >>> layer.weights
    array([[0. , 0.5]])
    """

    def project(self, be: Backend, w: Array) -> Array:
        """Return what replaces a parameter, a new array of its shape."""
        raise NotImplementedError


class OfLengths(Constraint):
    """A constraint on the Euclidean lengths of the columns or rows of a parameter."""

    def __init__(self, of: str) -> None:
        self.of = check_choice(of, "of", _PARTS)

    def lengths(self, be: Backend, w: Array) -> Array:
        """Return the length of each column or row, with as many axes as `w`."""
        last = w.ndim - 1
        axes = tuple(range(last)) if self.of == "columns" else (last,)
        return be.xp.sqrt(be.xp.sum(w * w, axis=axes, keepdims=True))


def constraint_or_none(value: Any, name: str) -> Constraint | None:
    """Return the constraint given for the argument `name`, None for none."""
    return None if value is None else resolve("constraint", value, name, Constraint)
