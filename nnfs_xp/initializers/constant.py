"""Initial values that are all the same."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_number
from nnfs_xp.initializers.base import Initializer
from nnfs_xp.random import Stream
from nnfs_xp.registry import register


@register("initializer")
class Constant(Initializer):
    """The same value everywhere.

    Parameters
    ----------
    value : float
        That value.

    Raises
    ------
    InputError
        If it is not a finite number.
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
class Ones(Constant):
    """Ones, for parameters that scale."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def config(self) -> dict[str, Any]:
        """Return no arguments."""
        return {}
