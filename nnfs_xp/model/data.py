"""Checked data, and where it lies while a model works with it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.batching import rows_of
from nnfs_xp.errors import InputError

# Of a device's free memory, what data may take; the rest is for the step.
_SHARE_OF_FREE_MEMORY = 0.6


@dataclasses.dataclass(frozen=True)
class Data:
    """Checked samples, targets and weights.

    Attributes
    ----------
    be : Backend
        Where they lie: the model's backend, or the host's.
    x, y : array
    weight : array or None
    outputs : tuple of int
        Shape of the model's output for one sample.
    """

    be: Backend
    x: Array
    y: Array
    weight: Array | None
    outputs: tuple[int, ...]

    @property
    def samples(self) -> int:
        """Number of rows."""
        return self.x.shape[0]

    @property
    def sample(self) -> tuple[int, ...]:
        """Shape of a sample."""
        return tuple(self.x.shape[1:])

    @property
    def arrays(self) -> tuple[Array, Array, Array | None]:
        """Samples, targets and weights."""
        return self.x, self.y, self.weight

    @property
    def bytes_of_a_row(self) -> int:
        """Memory of one sample with its target and weight."""
        return sum(
            math.prod(array.shape[1:]) * _item_size(self.be, array)
            for array in self.arrays
            if array is not None
        )

    def rows(self, rows: slice) -> Data:
        """Return a stretch of rows."""
        return self._each(lambda array: rows_of(array, rows))

    def take(self, rows: Array) -> Data:
        """Return rows by their numbers."""
        return self._each(lambda array: self.be.xp.take(array, rows, axis=0))

    def moved(self, be: Backend) -> Data:
        """Return the same data on another backend."""
        if be == self.be:
            return self
        return dataclasses.replace(self._each(be.asarray), be=be)

    def _each(self, function: Any) -> Data:
        x, y, weight = (
            None if array is None else function(array) for array in self.arrays
        )
        return dataclasses.replace(self, x=x, y=y, weight=weight)


def placed(data: Data, be: Backend, limit: int | None) -> Data:
    """Return the data on the device, or on the host if it is too large for that.

    Parameters
    ----------
    data : Data
        On the host or on the device; what is there already stays.
    be : Backend
        The device.
    limit : int or None
        Bytes that data may take there; by default 60 % of the free memory,
        and on a host no limit at all.
    """
    if data.be == be:
        return data
    size = data.samples * data.bytes_of_a_row
    most = default_limit(be) if limit is None else limit
    return data if most is not None and size > most else data.moved(be)


def default_limit(be: Backend) -> int | None:
    """Return how many bytes data may take on a device, None for any number."""
    free = be.free_memory()
    return None if free is None else int(free * _SHARE_OF_FREE_MEMORY)


def rows_within(data: Data, batch_size: int, limit: int) -> int:
    """Return how many rows half of `limit` bytes hold, as whole batches.

    Raises
    ------
    InputError
        If that is not even one batch.
    """
    batches = limit // (2 * batch_size * data.bytes_of_a_row)
    if not batches:
        needed = 2 * batch_size * data.bytes_of_a_row
        raise InputError(
            f"device_data_limit must hold two batches of {batch_size} samples, "
            f"{needed} bytes, got {limit}"
        )
    return min(batches, -(-data.samples // batch_size)) * batch_size


def _item_size(be: Backend, array: Array) -> int:
    dtype, xp = array.dtype, be.xp
    if xp.isdtype(dtype, "bool"):
        return 1
    info = xp.finfo if xp.isdtype(dtype, "real floating") else xp.iinfo
    return info(dtype).bits // 8
