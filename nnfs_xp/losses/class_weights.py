"""Weights of classes, as an array on each device on which they are used."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_rates
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_finite
from nnfs_xp.errors import InputError


class ClassWeights:
    """One weight of 0 or more for each class.

    Parameters
    ----------
    values : sequence of float
        The weight of class 0, of class 1 and so on.
    """

    def __init__(self, values: Any) -> None:
        self.values = check_rates(values, "class_weight")
        self._placed: dict[Backend, Array] = {}

    def check_classes(self, n_classes: int | None) -> None:
        """Raise InputError if there are not as many classes as weights."""
        if n_classes not in (None, len(self.values)):
            raise InputError(
                f"class_weight must hold a weight for each of {n_classes} classes, "
                f"got {len(self.values)}"
            )

    def place(self, be: Backend) -> None:
        """Move the weights to a device, once, before a step needs them there.

        Inside a step it would be a copy from the host every time, and one that
        a compiled step could not hold.
        """
        if be not in self._placed:
            array = self._array(be)
            check_finite(be, array, "class_weight")
            self._placed[be] = array

    def on(self, be: Backend) -> Array:
        """Return the weights as an array of shape (classes,)."""
        return self._placed[be] if be in self._placed else self._array(be)

    def _array(self, be: Backend) -> Array:
        return be.asarray(self.values, be.dtype)
