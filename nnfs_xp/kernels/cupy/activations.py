"""The numbers by which kernels know activations."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnfs_xp.registry import UNITS, library_class

LINEAR = 0


class Activation(NamedTuple):
    """An activation as ``cuda/functors.cuh`` knows it.

    Attributes
    ----------
    number : int
        Its case in ``with_activation``.
    parameter : float
        What it was made with, 0 if there is nothing.
    from_output : bool
        Whether its slope follows from its output.
    """

    number: int
    parameter: float = 0.0
    from_output: bool = False

    def as_arguments(self, be: Any) -> tuple[Any, Any]:
        """Return what a kernel is told of it."""
        return np.int32(self.number), be.dtype(self.parameter)


_KNOWN = {
    "Linear": lambda unit: Activation(LINEAR, 0.0, True),
    "ReLU": lambda unit: Activation(1, 0.0, True),
    "LeakyReLU": lambda unit: Activation(2, unit.negative_slope),
    "ELU": lambda unit: Activation(3, unit.alpha),
    "GELU": lambda unit: Activation(4 if unit.approximate == "none" else 5),
    "SiLU": lambda unit: Activation(6),
    "Softplus": lambda unit: Activation(7),
    "Sigmoid": lambda unit: Activation(8, 0.0, True),
    "Tanh": lambda unit: Activation(9, 0.0, True),
}


def find(unit: Any) -> Activation | None:
    """Return what kernels know of a unit, None if that is nothing.

    A subclass has another class, and may compute something else.
    """
    cls = library_class(unit)
    if UNITS["layer"].get(cls.__name__) is not cls or cls.__name__ not in _KNOWN:
        return None
    return _KNOWN[cls.__name__](unit)
