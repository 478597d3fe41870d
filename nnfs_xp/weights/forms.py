"""How the arrays of a unit lie in another library."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]


class Part(NamedTuple):
    """An array of a unit and its counterpart.

    Attributes
    ----------
    own, theirs : str
        Their names.
    axes : tuple of int, optional
        The order of the unit's axes there.
    """

    own: str
    theirs: str
    axes: tuple[int, ...] | None = None

    def out(self, array: np.ndarray) -> np.ndarray:
        """Return the array of a unit as the other library has it."""
        if self.axes is not None:
            return array.transpose(self.axes)
        # Biases are rows here, and have one axis everywhere else.
        return array[0] if array.ndim == 2 and self.own.endswith("biases") else array

    def into(self, array: np.ndarray) -> np.ndarray:
        """Return the array of the other library as a unit has it."""
        if self.axes is not None:
            return array.transpose(np.argsort(self.axes))
        return array[None, :] if self.own.endswith("biases") else array


class Form:
    """One array for each array of a unit.

    Parameters
    ----------
    *parts : Part
    **ignored : number
        What the other library keeps besides; it is written, and not read.
    """

    def __init__(self, *parts: Part, **ignored: float) -> None:
        self.parts, self.ignored = parts, ignored

    def out(self, unit: Any, own: Arrays) -> Arrays:
        """Return the arrays of a unit as the other library has them.

        They are given by path within the unit. What it does not have, such as biases,
        is left out.
        """
        found = {
            part.theirs: part.out(own[part.own])
            for part in self.parts
            if part.own in own
        }
        return {**found, **{name: np.asarray(n) for name, n in self.ignored.items()}}

    def into(self, unit: Any, theirs: Arrays) -> Arrays:
        """Return arrays of the other library, in the shapes of `out`, as a unit's."""
        return {
            part.own: part.into(theirs[part.theirs])
            for part in self.parts
            if part.theirs in theirs
        }
