"""The plain executor: Python calls the step, operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from nnfs_xp.backends import Array, Backend
from nnfs_xp.layout import Blocks
from nnfs_xp.step import (
    NO_NOISE,
    Batch,
    Network,
    Noise,
    State,
    evaluation_step,
    forward,
    train_step,
)


class Rows(Protocol):
    """A batch of data that is on the device, to be gathered in the step.

    Which rows they are is known on the device alone, by the state's clock; so
    the same object stands for every batch of a size.
    """

    @property
    def size(self) -> int:
        """Number of rows."""
        ...

    def load(self, be: Backend, state: State) -> Batch:
        """Gather the rows of the next batch."""
        ...


class EagerExecutor:
    """Runs every operation at once, on any backend.

    Parameters
    ----------
    network : Network
        What to run.
    reason : str, optional
        Why nothing compiles the step.

    Attributes
    ----------
    note : str
        How the step is run, and why, in words.
    """

    name = "eager"

    def __init__(self, network: Network, reason: str = "") -> None:
        self.network = network
        self.note = f"step by step ({reason})" if reason else "step by step"

    def prepare(self, state: State, batches: Sequence[Rows]) -> None:
        """Make ready for batches of each of these kinds."""

    def release(self) -> None:
        """Give up what `prepare` has made, and the memory it takes."""

    def train(
        self,
        state: State,
        x: Array,
        y: Array,
        weight: Array | None = None,
        noise: Noise = NO_NOISE,
    ) -> None:
        """Take one training step, writing to `state`."""
        train_step(self.network, state, Batch(x, y, weight, noise))

    def train_rows(self, state: State, rows: Rows) -> None:
        """Take one training step on rows gathered by the device."""
        train_step(self.network, state, rows.load(self.network.backend, state))

    def evaluate(
        self,
        parameters: Blocks,
        totals: State,
        x: Array,
        y: Array,
        weight: Array | None = None,
    ) -> None:
        """Add loss and metrics of a batch to `totals`."""
        evaluation_step(self.network, parameters, totals, Batch(x, y, weight))

    def predict(self, parameters: Blocks, x: Array) -> Any:
        """Return the output of the network, before its head."""
        return forward(self.network, self.network.layout.views(parameters), x)
