"""The plain executor: Python calls the step, operation by operation."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.layout import Blocks
from nnfs_xp.step import (
    NO_NOISE,
    Network,
    Noise,
    State,
    evaluation_step,
    forward,
    train_step,
)


class EagerExecutor:
    """Runs every operation at once, on any backend.

    Parameters
    ----------
    network : Network
        What to run.
    """

    name = "eager"

    def __init__(self, network: Network) -> None:
        self.network = network

    def train(
        self,
        state: State,
        x: Array,
        y: Array,
        weight: Array | None = None,
        noise: Noise = NO_NOISE,
    ) -> None:
        """Take one training step, writing to `state`."""
        train_step(self.network, state, x, y, weight, noise)

    def evaluate(
        self,
        parameters: Blocks,
        totals: State,
        x: Array,
        y: Array,
        weight: Array | None = None,
    ) -> None:
        """Add loss and metrics of a batch to `totals`."""
        evaluation_step(self.network, parameters, totals, x, y, weight)

    def predict(self, parameters: Blocks, x: Array) -> Array:
        """Return the output of the network, before its head."""
        return forward(self.network, self.network.layout.views(parameters), x)
