"""Inputs of every kernel that has an implementation on some backend.

Usual ones, empty ones, of size 1, not contiguous, NaN, infinite and huge.

A module has two dicts. ``CASES`` has the cases of each kernel by its name, and
``OVERWRITTEN`` the positions of arguments that it may write to.
"""

from tests.kernels.implementation_cases import (
    activations,
    attention,
    embedding,
    images,
    losses,
    norms,
    optimizers,
    recurrent,
    step,
)

_MODULES = (
    activations, attention, embedding, images, losses, norms, optimizers, recurrent,
    step,
)  # fmt: skip
CASES = {name: cases for module in _MODULES for name, cases in module.CASES.items()}
OVERWRITTEN = {
    name: positions
    for module in _MODULES
    for name, positions in module.OVERWRITTEN.items()
}

__all__ = ["CASES", "OVERWRITTEN"]
