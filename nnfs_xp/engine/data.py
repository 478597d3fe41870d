"""Checked data, and where it is stored while a model uses it."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from nnfs_xp.backends import Array, Backend
from nnfs_xp.callbacks import Callback
from nnfs_xp.engine.batching import batch_order, batch_slices, rows_of
from nnfs_xp.errors import InputError

# Share of a device's free memory that data may take; the rest is for the step.
_SHARE_OF_FREE_MEMORY = 0.6


def each(function: Callable[[Any], Any], x: Any) -> Any:
    """Apply a function to an array, or to each array of a tuple."""
    return tuple(map(function, x)) if isinstance(x, tuple) else function(x)


def as_inputs(be: Backend, x: Any, ids: tuple[bool, ...]) -> Any:
    """Return samples in a network's form: ids as integers, all else as floats."""
    if isinstance(x, tuple):
        return tuple(
            as_inputs(be, one, (own,)) for one, own in zip(x, ids, strict=True)
        )
    return be.asarray(x, None if ids[0] else be.dtype)


@dataclasses.dataclass(frozen=True)
class Data:
    """Checked samples, targets and weights.

    Attributes
    ----------
    be : Backend
        Where they are: the model's backend, or the host's.
    x : array or tuple of array
        One for each input of the network.
    y : array or None
        None for predictions.
    weight : array or None
    outputs : tuple of int
        Shape of the model's output for one sample.
    ids : tuple of bool
        For each input, whether it holds ids, which stay integers.
    """

    be: Backend
    x: Any
    y: Array | None
    weight: Array | None
    outputs: tuple[int, ...]
    ids: tuple[bool, ...] = (False,)

    @property
    def samples(self) -> int:
        """Number of rows."""
        x = self.x
        return (x[0] if isinstance(x, tuple) else x).shape[0]

    @property
    def weighted(self) -> bool:
        """Whether the samples have weights."""
        return self.weight is not None

    @property
    def sample(self) -> Any:
        """Shape of a sample, or one for each input."""
        return each(lambda array: tuple(array.shape[1:]), self.x)

    @property
    def inputs(self) -> Any:
        """The samples in the network's form."""
        # They mostly have that form already, and checking costs less than a call.
        if not isinstance(self.x, tuple) and self.x.dtype == self.be.zero.dtype:
            return self.x
        return as_inputs(self.be, self.x, self.ids)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """Each input, then targets and weights."""
        inputs = self.x if isinstance(self.x, tuple) else (self.x,)
        return (*inputs, self.y, self.weight)

    @property
    def bytes_of_a_row(self) -> int:
        """Memory of one sample with its target and weight."""
        return sum(
            math.prod(array.shape[1:]) * _item_size(self.be, array)
            for array in self.arrays
            if array is not None
        )

    def rows(self, rows: slice) -> Data:
        """Return consecutive rows."""
        if rows == slice(0, self.samples):
            return self
        return self.each_array(lambda array: rows_of(array, rows))

    def batch(self, rows: slice, order: Array | None) -> Data:
        """Return consecutive rows of an order, which gives their numbers."""
        if order is None:
            return self.rows(rows)
        return self.each_array(lambda array: self.be.take_rows(array, order[rows]))

    def moved(self, be: Backend) -> Data:
        """Return the same data on another backend."""
        if be == self.be:
            return self
        return self.each_array(be.asarray, be)

    def parts(self, batch_size: int | None) -> Iterator[Data]:
        """Yield parts of this many rows, or of all rows if None."""
        if 0 < self.samples <= (batch_size or self.samples):
            yield self
        else:
            yield from map(self.rows, batch_slices(self.samples, batch_size))

    def each_array(
        self, function: Callable[[Array], Array], be: Backend | None = None
    ) -> Data:
        """Apply a function to each array, on a backend."""
        *inputs, y, weight = (
            None if array is None else function(array) for array in self.arrays
        )
        x = tuple(inputs) if isinstance(self.x, tuple) else inputs[0]
        be = self.be if be is None else be
        return dataclasses.replace(self, be=be, x=x, y=y, weight=weight)


@dataclasses.dataclass(frozen=True)
class FitPlan:
    """Checked arguments of a call of `Model.fit`."""

    data: Data
    batch_size: int | None
    shuffle: bool
    epochs: int = 1
    # Data, or batches of an iterable.
    validation: Any = None
    data_limit: int | None = None
    callbacks: Sequence[Callback] = ()
    # Whether numbers that are not finite end the training.
    stays_finite: bool = True
    # Whether batches come one at a time, by `fetch`.
    one_by_one: ClassVar[bool] = False

    @property
    def samples(self) -> int:
        """Number of rows to train on in an epoch."""
        return self.data.samples

    def fetch(self) -> None:
        """Wait for the next batch, where batches come one by one."""

    @property
    def validation_samples(self) -> int:
        """Number of rows to validate on."""
        return self.validation.samples if self.validation else 0

    @property
    def targets(self) -> tuple[Array, Array | None]:
        """Targets and weights of all rows to train on."""
        return self.data.y, self.data.weight

    @property
    def ends(self) -> list[Any]:
        """The first and the last rows of all arrays, on the host."""
        data, count = self.data, self.data.samples
        stretches = (slice(0, min(8, count)), slice(max(0, count - 8), count))
        return [
            data.be.to_numpy(array)
            for rows in stretches
            for array in data.rows(rows).arrays
            if array is not None
        ]

    @functools.cached_property
    def batches(self) -> list[slice]:
        """Rows of each batch."""
        return batch_slices(self.samples, self.batch_size)

    @property
    def batch_sizes(self) -> list[int]:
        """Possible numbers of rows of a batch: that of the last, and the usual one."""
        return sorted({rows.stop - rows.start for rows in self.batches})

    def order(self, seed: int, epoch: int) -> Any:
        """Return the numbers of the rows of an epoch on the host, None if in order."""
        return batch_order(seed, epoch, self.samples) if self.shuffle else None


def placed(data: Data, be: Backend, limit: int | None) -> Data:
    """Return the data on the device, or on the host if it is to stay there.

    It stays on the host if it is too large, or if the device computes in the host's
    memory, where it would only be copied.

    Parameters
    ----------
    data : Data
        On the host or on the device; data on the device stays there.
    be : Backend
        The device.
    limit : int or None
        Bytes that data may take there; by default 60 % of the free memory,
        and on a host no limit at all.
    """
    if be.on_host and be.in_place:
        return data
    size = data.samples * data.bytes_of_a_row
    most = default_limit(be) if limit is None else limit
    return data if most is not None and size > most else data.moved(be)


def default_limit(be: Backend) -> int | None:
    """Return how many bytes data may take on a device, None for no limit."""
    free = be.free_memory()
    return None if free is None else int(free * _SHARE_OF_FREE_MEMORY)


def rows_within(data: Data, batch_size: int, limit: int) -> int:
    """Return how many rows half of `limit` bytes hold, as whole batches.

    The rows fit into one transfer to the device, if that holds a batch or more: a
    larger part would only take the host longer to fill, while the device waits.

    Raises
    ------
    InputError
        If that is not even one batch.
    """
    needed = 2 * batch_size * data.bytes_of_a_row
    batches = limit // needed
    if not batches:
        raise InputError(
            f"device_data_limit must hold two batches of {batch_size} samples, "
            f"{needed} bytes, got {limit}"
        )
    at_once = max(1, 2 * data.be.piece_bytes // needed)
    return min(batches, at_once, -(-data.samples // batch_size)) * batch_size


def _item_size(be: Backend, array: Array) -> int:
    dtype, xp = array.dtype, be.xp
    if xp.isdtype(dtype, "bool"):
        return 1
    info = xp.finfo if xp.isdtype(dtype, "real floating") else xp.iinfo
    return info(dtype).bits // 8
