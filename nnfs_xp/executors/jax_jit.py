"""The JAX executor: the step is traced once and compiled by XLA."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from nnfs_xp.backends import Array
from nnfs_xp.executors.eager import Rows
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
from nnfs_xp.trees import copy_tree


class JaxJitExecutor:
    """Runs the whole step as one compiled function.

    The step is compiled for each shape of a batch, so a short last batch
    costs a second compilation. The old state's memory is given to the new one
    (donation).

    Parameters
    ----------
    network : Network
        What to compile.
    """

    name = "jax.jit"
    note = "compiled by XLA, once for each shape of a batch"

    def __init__(self, network: Network) -> None:
        self.network = network

        def pure_train(
            state: State, x: Array, y: Array, weight: Array | None, noise: Noise
        ) -> State:
            state = copy_tree(state)
            train_step(network, state, Batch(x, y, weight, noise))
            return state

        def pure_evaluate(
            parameters: Blocks, totals: State, x: Array, y: Array, weight: Array | None
        ) -> State:
            totals = copy_tree(totals)
            evaluation_step(network, parameters, totals, Batch(x, y, weight))
            return totals

        def pure_predict(parameters: Blocks, x: Array) -> Array:
            return forward(network, network.layout.views(parameters), x)

        self._train = jax.jit(pure_train, donate_argnums=0)
        self._evaluate = jax.jit(pure_evaluate)
        self._predict = jax.jit(pure_predict)

    def prepare(self, state: State, batches: Sequence[Rows]) -> None:
        """Do nothing: a step is compiled when the first batch of a shape comes."""

    def release(self) -> None:
        """Do nothing: compiled steps serve the next training too."""

    def train(
        self,
        state: State,
        x: Array,
        y: Array,
        weight: Array | None = None,
        noise: Noise = NO_NOISE,
    ) -> None:
        """Take one training step, putting new arrays into `state`."""
        # Of the last batch nothing is needed, and its memory may be reused.
        state.pop("batch", None)
        state.update(self._train(state, x, y, weight, noise))

    def evaluate(
        self,
        parameters: Blocks,
        totals: State,
        x: Array,
        y: Array,
        weight: Array | None = None,
    ) -> None:
        """Put totals that include the batch into `totals`."""
        totals.update(self._evaluate(parameters, totals, x, y, weight))

    def predict(self, parameters: Blocks, x: Array) -> Array:
        """Return the output of the network, before its head."""
        return self._predict(parameters, x)
