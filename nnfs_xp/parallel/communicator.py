"""Operations that ranks perform together, whichever library carries them.

A *rank* is one of the processes that train a model together; ranks are numbered from
0. A subclass says how arrays are added up and values are exchanged, and how a rank
learns that another one has failed.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from nnfs_xp.arguments import check_choice, check_count, check_flag, check_positive
from nnfs_xp.errors import InputError, ParallelError

P = ParamSpec("P")
R = TypeVar("R")
COMPRESSIONS = ("bfloat16",)


class Communicator:
    """The ranks that train a model together.

    Parameters
    ----------
    rank, size : int
        Number of this process, and how many there are.
    sharded : bool, default False
        Whether each rank passes only its own rows to `nnfs_xp.Model.fit`. If so, the
        rows of rank 0 come first, followed by those of the other ranks in order. If
        not, all ranks pass the same data, and each takes its part of every batch.
    timeout : float, default 300
        Seconds that a rank waits for the others before it gives up.
    check_every : int, default 100
        Number of steps between comparisons of a checksum of all parameters. The ranks
        also compare it after every epoch.
    overlap : bool, default True
        Whether gradients are sent while others are still computed, where that is
        possible. The result is the same.
    bucket_bytes : int, default 16 MiB
        Gradients are sent once this many bytes of them are complete.
    compress : {None, "bfloat16"}, optional
        Whether gradients are sent as bfloat16, in half of float32's bytes. Each number
        that is sent is off by up to 0.4 %, so the result is no longer that of one
        process; all ranks still have the same bits.

    Attributes
    ----------
    name : str
        The library that carries the messages.
    calls, volume : int
        Collective calls so far, and the bytes of the arrays in them.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Examples
    --------
    >>> from nnfs_xp.parallel import mpi
    >>> ranks = mpi(timeout=60)
    >>> ranks.is_first, ranks.rows(100)
    (True, slice(0, 100, None))
    """

    name = ""

    def __init__(
        self,
        rank: int,
        size: int,
        *,
        sharded: bool = False,
        timeout: float = 300.0,
        check_every: int = 100,
        overlap: bool = True,
        bucket_bytes: int = 2**24,
        compress: str | None = None,
    ) -> None:
        self.rank, self.size = rank, size
        self.sharded = check_flag(sharded, "sharded")
        self.timeout = check_positive(timeout, "timeout")
        self.check_every = check_count(check_every, "check_every")
        self.overlap = check_flag(overlap, "overlap")
        self.bucket_bytes = check_count(bucket_bytes, "bucket_bytes")
        if compress is not None:
            check_choice(compress, "compress", COMPRESSIONS)
        self.compress = compress
        self.calls = self.volume = 0

    # Methods that a library must define.

    def sum(self, arrays: Sequence[np.ndarray]) -> None:
        """Write to each array its sum over all ranks, with the same bits on each."""
        raise NotImplementedError

    def begin_sum(self, array: np.ndarray) -> None:
        """Begin to write to a 1-D array of gradients its sum over all ranks.

        It ends with `end_sums`, and nobody uses the array until then.
        """
        raise NotImplementedError

    def go_on(self) -> None:
        """Let sums that have begun proceed, without waiting for them."""

    def end_sums(self, arrays: Sequence[np.ndarray]) -> None:
        """End all sums that have begun, and those of further arrays with them."""
        raise NotImplementedError

    def exchange(self, value: Any) -> list[Any]:
        """Return the values of all ranks, by rank; anything that can be pickled."""
        raise NotImplementedError

    def takes(self, library: str) -> bool:
        """Return whether arrays of a library are added up on their own device."""
        return False

    def sum_in_place(self, arrays: Sequence[Any]) -> None:
        """Write to each array of such a library its sum over all ranks."""
        raise NotImplementedError

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Tell all ranks about an error inside, so that none waits for this one."""
        yield

    # Methods that follow from them.

    def count(self, size: int) -> None:
        """Count a collective call with this many bytes."""
        self.calls += 1
        self.volume += size

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which prints and writes files."""
        return self.rank == 0

    def rows(self, samples: int) -> slice:
        """Return the rows of this rank, out of those that all ranks share.

        Parts differ by one row at most.

        Parameters
        ----------
        samples : int
            Number of all rows.

        Examples
        --------
        >>> from nnfs_xp.parallel import Communicator
        >>> [Communicator(rank, 3).rows(8) for rank in range(3)]
        [slice(0, 2, None), slice(2, 5, None), slice(5, 8, None)]
        """
        return slice(
            samples * self.rank // self.size, samples * (self.rank + 1) // self.size
        )

    def check_same(self, facts: dict[str, Any]) -> None:
        """Raise InputError on all ranks unless they agree on facts, by name."""
        found = self.exchange(facts)
        for name, value in found[0].items():
            for rank, other in enumerate(found):
                if other.get(name) != value:
                    raise InputError(
                        f"parallel: {name} must be the same on all ranks, got "
                        f"{_short(value)} on rank 0 and {_short(other.get(name))} on "
                        f"rank {rank}"
                    )

    def check_same_bits(self, digest: str, step: int) -> None:
        """Raise ParallelError on all ranks, naming those whose digest differs."""
        found = self.exchange(digest)
        if len(set(found)) == 1:
            return
        # If two digests occur equally often, the one of the lower rank comes first.
        usual = max(found, key=found.count)
        others = [rank for rank, own in enumerate(found) if own != usual]
        names = ", ".join(map(str, others))
        raise ParallelError(
            f"after step {step} the parameters of rank {names} differ from those of "
            f"the other {self.size - len(others)} of {self.size} ranks",
            rank=others[0],
        )

    def __repr__(self) -> str:
        return f"{self.name}, rank {self.rank} of {self.size}"


def check_communicator(value: Any) -> Communicator:
    """Return a communicator, or raise InputError."""
    if isinstance(value, Communicator):
        return value
    raise InputError(
        "parallel must be a communicator, such as nnfs_xp.parallel.mpi(), "
        f"got {value!r}"
    )


def told_to_all_ranks(method: Callable[P, R]) -> Callable[P, R]:
    """Let all ranks know of an error in a method with an argument `parallel`."""

    @functools.wraps(method)
    def told(*arguments: P.args, **options: P.kwargs) -> R:
        if options.get("parallel") is None:
            return method(*arguments, **options)
        with check_communicator(options["parallel"]).together():
            return method(*arguments, **options)

    return told


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 100 else f"{text[:97]}..."
