"""Which rows of each batch belong to a rank."""

from __future__ import annotations

import dataclasses
import functools
import zlib
from typing import Any

import numpy as np

from nnfs_xp.backends import Array
from nnfs_xp.engine.data import Data, FitPlan
from nnfs_xp.errors import InputError
from nnfs_xp.parallel import Communicator

# Rows at each end of the data, by which a checkpoint recognizes it.
_ENDS = 8


@dataclasses.dataclass(frozen=True)
class Share:
    """A rank's part of a batch.

    Attributes
    ----------
    rows : array of int
        Numbers of the rows in the rank's data.
    positions : slice or array of int
        Where they are in the batch.
    size : int
        Rows of the whole batch.
    """

    rows: np.ndarray
    positions: Any
    size: int

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def part(self) -> float:
        """Its share of the batch."""
        return self.count / self.size


@dataclasses.dataclass(frozen=True)
class RanksPlan(FitPlan):
    """A plan of which each rank has a part.

    Attributes
    ----------
    ranks : Communicator
    starts : tuple of int
        The first row of each rank in the whole data, and the number of all rows. If
        each has all rows, the first is 0 and the others are the number of rows.
    global_ends : tuple of array
        See `FitPlan.ends`.
    validated : int
        Rows that all ranks together validate on.
    """

    ranks: Any = None
    starts: tuple[int, ...] = ()
    global_ends: tuple[Any, ...] = ()
    validated: int = 0

    @classmethod
    def of(cls, plan: FitPlan, ranks: Communicator) -> RanksPlan:
        """Return a plan over ranks, from that of this rank.

        Raises
        ------
        InputError
            On all ranks, if their plans do not fit each other.
        """
        own = {f.name: getattr(plan, f.name) for f in dataclasses.fields(plan)}
        ranks.check_same(_facts(plan, ranks.sharded))
        counts = ranks.exchange((plan.samples, plan.validation_samples))
        sizes, validated = [one for one, _ in counts], plan.validation_samples
        ends = plan.ends
        if ranks.sharded:
            halves = zip(*ranks.exchange(ends), strict=True)
            joined = [np.concatenate(parts) for parts in halves]
            first, last = joined[: len(joined) // 2], joined[len(joined) // 2 :]
            ends = [a[:_ENDS] for a in first] + [a[-_ENDS:] for a in last]
            validated = sum(own for _, own in counts)
        else:
            sizes[1:] = [0] * (ranks.size - 1)
        starts = tuple(np.cumsum([0, *sizes]).tolist())
        return cls(
            **own, ranks=ranks, starts=starts, global_ends=tuple(ends),
            validated=validated,
        )  # fmt: skip

    @property
    def samples(self) -> int:
        """Number of rows of all ranks."""
        return self.starts[-1]

    @property
    def validation_samples(self) -> int:
        """Number of rows that all ranks together validate on."""
        return self.validated

    @property
    def ends(self) -> list[Any]:
        """The first and the last rows of all arrays, on the host."""
        return list(self.global_ends)

    def share(self, order: np.ndarray | None, rows: slice) -> Share:
        """Return this rank's part of a batch, given by its rows in the order."""
        size = rows.stop - rows.start
        numbers = np.arange(rows.start, rows.stop) if order is None else order[rows]
        if not self.ranks.sharded:
            own = self.ranks.rows(size)
            return Share(numbers[own], own, size)
        start, stop = self.starts[self.ranks.rank : self.ranks.rank + 2]
        (positions,) = np.nonzero((start <= numbers) & (numbers < stop))
        return Share(numbers[positions] - start, positions, size)

    @functools.cached_property
    def targets(self) -> tuple[Array, Array | None]:
        """Targets and weights of the rows of all ranks."""
        data = self.data
        if not self.ranks.sharded:
            return data.y, data.weight
        own = [None if a is None else data.be.to_numpy(a) for a in data.arrays[-2:]]
        y, weight = (
            None if parts[0] is None else data.be.asarray(np.concatenate(parts))
            for parts in zip(*self.ranks.exchange(own), strict=True)
        )
        return y, weight


def check_split(share: float, ranks: Communicator) -> None:
    """Raise InputError if each rank would validate on the last of its own rows."""
    if share and ranks.sharded:
        raise InputError(
            "validation_split needs all rows; with sharded data give validation_data, "
            "of which each rank has its own rows"
        )


def _facts(plan: FitPlan, sharded: bool) -> dict[str, Any]:
    """Return what must be the same on all ranks."""
    data, validation = plan.data, plan.validation
    facts = {
        "the shape of a sample": data.sample,
        "the shape and dtype of a target": _kind(data, data.y),
        "whether there is sample_weight": data.weighted,
        "batch_size": plan.batch_size,
        "shuffle": plan.shuffle,
        "epochs": plan.epochs,
        "on_divergence": plan.stays_finite,
        "whether there is validation data": validation is not None,
        "sharded": sharded,
    }
    if validation is not None:
        facts["whether validation data is weighted"] = validation.weighted
    if not sharded:
        facts["the number of samples"] = data.samples
        facts["the data (a checksum of some rows)"] = functools.reduce(
            lambda found, end: zlib.crc32(np.ascontiguousarray(end).data, found),
            plan.ends, 0,
        )  # fmt: skip
        if validation is not None:
            facts["the number of samples to validate on"] = validation.samples
    return facts


def _kind(data: Data, array: Array) -> tuple[Any, ...]:
    return tuple(array.shape[1:]), str(array.dtype).rpartition(".")[2]
