"""The least time a step can take here: its products and its bytes at measured rates."""

from __future__ import annotations

import importlib.util
import itertools
import time
from collections.abc import Callable

import numpy as np

from benchmarks.workloads import Workload

# What each element of a hidden layer is read and written for, beside the products:
# biases and activation forward, activation backward, sum for the biases.
_ACTIVATION_BYTES = 4 * (2 + 3 + 1)
# What an optimizer reads and writes for each parameter.
_OPTIMIZER_BYTES = {"adam": 4 * 7, "momentum": 4 * 5}
_SECONDS = 0.05
# Fewer numbers would time the call of the addition.
_FEWEST_ADDED = 2**14


def floor_us(workload: Workload, rows: int, trains: bool = True) -> float:
    """Return microseconds of one step at the rates that were measured here.

    Every product of the step is timed alone, by NumPy and by PyTorch where it is
    installed, and the fastest call counts. The bytes that anything else must move are
    divided by the rate of an addition of arrays as large as the parameters, so what
    fits into a cache has the rate of that cache. Arrays of a few hundred numbers have
    the rate of a few thousand: adding them takes no longer than the call itself.
    """
    seconds = 0.0
    for index, (n, k) in enumerate(itertools.pairwise(workload.sizes)):
        shapes = [(rows, n, k)]
        if trains:
            shapes += [(n, rows, k)] + ([(rows, k, n)] if index else [])
        seconds += sum(product_seconds(*shape) for shape in shapes)
    hidden = rows * sum(workload.sizes[1:])
    moved = hidden * (_ACTIVATION_BYTES if trains else 8)
    if trains:
        moved += workload.parameters * _OPTIMIZER_BYTES[workload.optimizer]
    return 1e6 * (seconds + moved / bytes_per_second(workload.parameters))


def product_seconds(m: int, k: int, n: int) -> float:
    """Return the time of the fastest product of two matrices, (m, k) and (k, n)."""
    random = np.random.default_rng(0)
    a, b = (random.standard_normal(s, np.float32) for s in ((m, k), (k, n)))
    out = np.empty((m, n), np.float32)
    calls: list[Callable[[], object]] = [lambda: np.matmul(a, b, out=out)]
    if importlib.util.find_spec("torch"):
        import torch

        tensors = [torch.from_numpy(array) for array in (a, b)]
        result = torch.from_numpy(out)
        calls.append(lambda: torch.mm(*tensors, out=result))
    return min(map(_fastest, calls))


def bytes_per_second(size: int) -> float:
    """Return the rate of adding up two arrays of so many float32 numbers, or more."""
    size = max(size, _FEWEST_ADDED)
    a, b = np.ones(size, np.float32), np.ones(size, np.float32)
    return 3 * a.nbytes / _fastest(lambda: np.add(a, b, out=a))


def _fastest(call: Callable[[], object]) -> float:
    """Return the least time of a call: whatever else runs only adds to it."""
    call()
    best, ends = float("inf"), time.perf_counter() + _SECONDS
    while True:
        began = time.perf_counter()
        call()
        ended = time.perf_counter()
        best = min(best, ended - began)
        if ended > ends:
            return best
