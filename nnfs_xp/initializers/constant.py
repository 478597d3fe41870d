"""Initial values that are all the same."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.initializers.base import Initializer
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Constant(Initializer):
    """A constant value for all elements.

    Parameters
    ----------
    value : float
        The value.

    Raises
    ------
    InputError
        If it is not a finite number.

    Examples
    --------
    >>> from nnfs_xp import Constant, Dense
    >>> Dense(1, 3, bias_initializer=Constant(0.1), dtype="float64").biases
    array([[0.1, 0.1, 0.1]])
    """

    def __init__(self, value: float) -> None:
        self.value = check_number(value, "value")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return the value, repeated."""
        return 0.0 * stream.uniform(shape) + self.value


@register("initializer")
class Zeros(Constant):
    """Zeros, which the book uses for biases.

    Examples
    --------
    >>> from nnfs_xp import Dense, Zeros
    >>> Dense(1, 3, bias_initializer=Zeros(), dtype="float64").biases
    array([[0., 0., 0.]])
    """

    def __init__(self) -> None:
        super().__init__(0.0)


@register("initializer")
class Ones(Constant):
    """Ones, for parameters that scale.

    Examples
    --------
    >>> from nnfs_xp import Dense, Ones
    >>> Dense(1, 3, bias_initializer=Ones(), dtype="float64").biases
    array([[1., 1., 1.]])
    """

    def __init__(self) -> None:
        super().__init__(1.0)
