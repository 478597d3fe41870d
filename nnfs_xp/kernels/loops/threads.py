"""Threads that share a loop, beside those of BLAS and never more than they."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

# Numbers of elements that threads begin at, so that no two write to one cache line.
_LINE = 64


@functools.cache
def count() -> int:
    """Return how many threads a loop may take.

    As many as BLAS has been given by ``OPENBLAS_NUM_THREADS``, ``OMP_NUM_THREADS`` or
    ``MKL_NUM_THREADS``, or numba by ``NUMBA_NUM_THREADS``; else one for each processor
    that this process may use.
    """
    try:
        most = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        most = os.cpu_count() or 1
    names = "NUMBA", "OPENBLAS", "OMP", "MKL"
    given = [os.environ.get(f"{name}_NUM_THREADS", "") for name in names]
    return max(1, min([most, *(int(n) for n in given if n.isdecimal())]))


def shares(size: int, parts: int) -> list[slice]:
    """Cut a range into parts of nearly the same size."""
    whole = -(-size // (parts * _LINE)) * _LINE
    return [slice(i, min(i + whole, size)) for i in range(0, size, whole)]


def together(calls: Sequence[Callable[[], Any]]) -> Callable[[], None]:
    """Return a call that makes all of them, each in a thread of its own."""
    first, *others = calls

    def call() -> None:
        begun = [_pool().submit(other) for other in others]
        try:
            first()
        finally:
            # Arrays are theirs until all have ended, however they do.
            for one in begun:
                one.exception()
        for one in begun:
            one.result()

    return call


@functools.cache
def _pool() -> Any:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count(), thread_name_prefix="nnfs_xp loop")


if hasattr(os, "register_at_fork"):
    # Threads stay behind in the parent.
    os.register_at_fork(after_in_child=_pool.cache_clear)
