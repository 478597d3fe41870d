"""Blocks of steps, interleaved between contenders."""

from __future__ import annotations

import dataclasses
import gc
import math
import statistics
import time
from collections.abc import Mapping

from benchmarks.contenders.base import Contender

# A block of the fastest contender takes at least so long.
BLOCK_SECONDS = 0.03
WARM_UP_SECONDS = 0.3
# Steps of a block, at least.
FEWEST = 5
# Blocks of a workload whose steps take seconds.
HEAVY = 3


@dataclasses.dataclass(frozen=True)
class Block:
    """One timed block.

    `cpu_seconds` is that of all threads of the process together, so over
    `seconds` it is the number of cores that were busy.
    """

    seconds: float
    cpu_seconds: float


@dataclasses.dataclass(frozen=True)
class Timing:
    """All blocks of one contender on one workload.

    Attributes
    ----------
    steps : int
        Timed steps in each block.
    blocks : list of Block
    """

    steps: int
    blocks: list[Block]

    @property
    def microseconds(self) -> list[float]:
        """Time of one step, for each block."""
        return [1e6 * block.seconds / self.steps for block in self.blocks]

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile over the blocks."""
        values = self.microseconds
        if len(values) == 1:
            return values[0], values[0], values[0]
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
        return lower, median, upper

    @property
    def busy_cores(self) -> float:
        """How many cores the process kept busy on average."""
        seconds = sum(block.seconds for block in self.blocks)
        return sum(block.cpu_seconds for block in self.blocks) / seconds


def time_block(contender: Contender, steps: int) -> Block:
    """Time steps that follow a reset and a third as many untimed steps.

    The untimed ones let threads of the contender before come to rest, and
    fill caches. All blocks begin at the same weights, so every contender is
    timed on the very same steps.
    """
    with contender.context():
        contender.reset()
        contender.take(math.ceil(steps / 3))
        contender.synchronize()
        collecting = gc.isenabled()
        gc.disable()
        try:
            cpu_began, began = time.process_time(), time.perf_counter()
            contender.take(steps)
            contender.synchronize()
            seconds = time.perf_counter() - began
            return Block(seconds, time.process_time() - cpu_began)
        finally:
            if collecting:
                gc.enable()


def warm_up(contender: Contender, seconds: float, fewest: int = FEWEST) -> float:
    """Take steps for a while, and return the time of one at the end."""
    steps = _multiple(fewest, contender.whole)
    began = time.perf_counter()
    while True:
        step_seconds = time_block(contender, steps).seconds / steps
        left = seconds - (time.perf_counter() - began)
        if left <= 0:
            return step_seconds
        more = max(fewest, min(4 * steps, int(left / step_seconds)))
        steps = _multiple(more, contender.whole)


def time_contenders(
    contenders: Mapping[str, Contender],
    repeats: int,
    block_seconds: float,
    warm_up_seconds: float,
    fewest: int = FEWEST,
) -> dict[str, Timing]:
    """Time all contenders in turns.

    In each repeat every contender runs one block. The order is rotated from
    repeat to repeat, so that drifts of the machine hit all alike. The number
    of steps in a block is the same for all.
    """
    fastest = min(
        warm_up(each, warm_up_seconds, fewest) for each in contenders.values()
    )
    whole = math.lcm(*(each.whole for each in contenders.values()))
    steps = _multiple(max(fewest, math.ceil(block_seconds / fastest)), whole)
    labels = list(contenders)
    blocks: dict[str, list[Block]] = {label: [] for label in labels}
    for repeat in range(repeats):
        first = repeat % len(labels)
        for label in labels[first:] + labels[:first]:
            blocks[label].append(time_block(contenders[label], steps))
    return {label: Timing(steps, blocks[label]) for label in labels}


def _multiple(steps: int, whole: int) -> int:
    """Return the smallest multiple of `whole` that is not less than `steps`."""
    return whole * math.ceil(steps / whole)
