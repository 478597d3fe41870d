"""Stand-ins for arrays that may be other ones at each launch of a graph.

A graph keeps the arguments of its kernels. A kernel that is to read other data at the
next training is therefore given where an address is, and not the address.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import INTEGERS, SOURCE_TYPES

# What kernels that read several numbers at once want addresses to be multiples of.
_ALIGNMENT = 16
# The kernels count in 32 bits.
_MOST_ROWS = 2**31


@dataclasses.dataclass(frozen=True)
class Kind:
    """What all arrays have in common that one stand-in is for."""

    sample: tuple[int, ...]
    dtype: str


@dataclasses.dataclass(frozen=True, eq=False)
class Elsewhere:
    """Stands for an array of any number of rows.

    Attributes
    ----------
    kind : Kind
    cell : cupy.ndarray of uint64
        Where the address of the array is.
    table : cupy.ndarray of uint64
        Number of rows, and the addresses of the order and of all arrays.
    """

    kind: Kind
    cell: Any
    table: Any

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the array."""
        return np.dtype(self.kind.dtype)

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return 1 + len(self.kind.sample)


class Sources:
    """Stand-ins for the sources of a batch.

    Parameters
    ----------
    kinds : sequence of Kind or None
        Of the order and of each array; None where there is none.
    """

    def __init__(self, kinds: Sequence[Kind | None]) -> None:
        import cupy

        self._table = cupy.zeros(1 + len(kinds), np.uint64)
        order, *arrays = (
            None
            if kind is None
            else Elsewhere(kind, self._table[place : place + 1], self._table)
            for place, kind in enumerate(kinds, 1)
        )
        self.arrays = tuple(arrays), order

    def point_to(self, arrays: Sequence[Any], order: Any) -> None:
        """Let the next launches read these arrays."""
        import cupy

        addresses = [0 if a is None else a.data.ptr for a in (order, *arrays)]
        numbers = np.array([len(arrays[0]), *addresses], np.uint64)
        self._table.set(numbers, cupy.cuda.get_current_stream())


def kinds_of(arrays: Sequence[Any], order: Any) -> tuple[Kind | None, ...] | None:
    """Return the kinds of order and arrays; None if stand-ins cannot do for them."""
    given = [one for one in (order, *arrays) if one is not None]
    if (
        not all(map(_is_plain, given))
        or (order is not None and order.dtype.name not in INTEGERS)
        or (arrays[-1] is not None and arrays[-1].ndim != 1)
        or not 0 < len(arrays[0]) < _MOST_ROWS
    ):
        return None
    return tuple(
        None if a is None else Kind(tuple(a.shape[1:]), a.dtype.name)
        for a in (order, *arrays)
    )


def _is_plain(array: Any) -> bool:
    return (
        array.flags.c_contiguous
        and array.size > 0
        and array.dtype.name in SOURCE_TYPES
        and array.data.ptr % _ALIGNMENT == 0
    )
