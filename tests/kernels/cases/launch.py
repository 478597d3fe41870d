"""What a case of a kernel is made of."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import nnfs_xp as nx

# Where what is expected is computed.
HOST = nx.get_backend("numpy", dtype="float64")


@dataclasses.dataclass
class Launch:
    """One launch of a kernel, and what must be in its arguments after it.

    Attributes
    ----------
    grid, block : tuple of int
        Number of blocks, and of threads of a block.
    arguments : list
        Arrays for pointers, NumPy scalars for values, in the kernel's dtypes.
    expected : dict
        What arrays must hold, by their position; all others must be unchanged.
    rtol : float, optional
        Largest relative error; 0 demands the same bits.
    """

    grid: tuple[int, ...]
    block: tuple[int, ...]
    arguments: list[Any]
    expected: dict[int, np.ndarray]
    rtol: float | None = None

    def addressed(self, given: list[Any]) -> list[Any]:
        """Return what the kernel gets, for copies of the arguments.

        A kernel that finds arrays by addresses in a struct needs those of the copies.
        """
        return given


def unset(shape: Any, dtype: str) -> np.ndarray:
    """Return an array to be written to, with values that nobody would expect."""
    if np.dtype(dtype).kind == "f":
        return np.full(shape, np.nan, dtype)
    return np.full(shape, 77, dtype)
