"""The numbers by which kernels know activations."""

from __future__ import annotations

from typing import Any, NamedTuple

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


_PACKAGE = "nnfs_xp.activations."
_KNOWN = {
    f"{_PACKAGE}linear.Linear": lambda unit: Activation(LINEAR, 0.0, True),
    f"{_PACKAGE}relu.ReLU": lambda unit: Activation(1, 0.0, True),
    f"{_PACKAGE}leaky_relu.LeakyReLU": lambda unit: Activation(2, unit.negative_slope),
    f"{_PACKAGE}elu.ELU": lambda unit: Activation(3, unit.alpha),
    f"{_PACKAGE}gelu.GELU": lambda unit: Activation(
        4 if unit.approximate == "none" else 5
    ),
    f"{_PACKAGE}silu.SiLU": lambda unit: Activation(6),
    f"{_PACKAGE}softplus.Softplus": lambda unit: Activation(7),
    f"{_PACKAGE}sigmoid.Sigmoid": lambda unit: Activation(8, 0.0, True),
    f"{_PACKAGE}tanh.Tanh": lambda unit: Activation(9, 0.0, True),
}


def find(unit: Any) -> Activation | None:
    """Return what kernels know of a layer, None if that is nothing.

    By the full name of its class, as kernels do not import the units. A subclass
    has another name, and may compute something else.
    """
    cls = type(unit)
    make = _KNOWN.get(f"{cls.__module__}.{cls.__qualname__}")
    return None if make is None else make(unit)
