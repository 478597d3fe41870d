"""Computations of units that involve all ranks, within a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.backends import Array, Backend
from nnfs_xp.parallel import Communicator


class Across:
    """Sums over ranks, for units that are ``synchronized``.

    All ranks must make the same calls in the same order, including those without rows.

    Parameters
    ----------
    be : Backend
        Where the arrays are.
    ranks : Communicator
    """

    def __init__(self, be: Backend, ranks: Communicator) -> None:
        self.backend, self.ranks = be, ranks

    def sum(self, *arrays: Array) -> list[Array]:
        """Return the sums of arrays over all ranks."""
        be = self.backend
        found = [np.array(a, np.float64) for a in be.read(list(arrays))]
        self.ranks.sum(found)
        return [be.asarray(a, be.dtype) for a in found]

    def gather(self, *arrays: Array | float) -> list[Array]:
        """Return these arrays of all ranks, with a leading axis of ranks."""
        be, ranks = self.backend, self.ranks
        own = be.read(list(arrays))
        found = [np.zeros((ranks.size, *a.shape)) for a in own]
        for whole, part in zip(found, own, strict=True):
            whole[ranks.rank] = part
        ranks.sum(found)
        return [be.asarray(a, be.dtype) for a in found]


def read_number(be: Backend, value: Any) -> float:
    """Return a 0-d array as a number."""
    return float(be.read([value])[0])


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return one row of all numbers, in float64."""
    return np.concatenate([np.ravel(a).astype(np.float64) for a in arrays])
