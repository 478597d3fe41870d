"""The JAX executor: the step is traced once and compiled by XLA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from nnfs_xp.backends import Array
from nnfs_xp.engine.draws import AskedDraws, GivenDraws
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.step import Arrays, Batch, Rows, Tree, evaluation_step, train_step
from nnfs_xp.trees import copy_tree

# The parts of a state that no training is needed for.
_VALUES = ("parameters", "frozen", "buffers")


class JaxJitExecutor:
    """Runs the whole step as one compiled function.

    The step is compiled for each shape of a batch, so a short last batch
    costs a second compilation. The old state's memory is given to the new one
    (donation). Random numbers are drawn on the host, and are arguments of the step.

    Parameters
    ----------
    network : Network
        What to compile.
    required : bool
        Not used: a step that cannot be compiled is an error.
    """

    name = "jax.jit"
    note = "compiled by XLA, once for each shape of a batch"

    def __init__(self, network: Network, required: bool = False) -> None:
        self.network = network
        self._asked: dict[Any, AskedDraws] = {}
        training = Program(network, training=True, keeps=True, absorbs=True)
        evaluation = Program(network, absorbs=True)
        prediction = Program(network)

        def pure_train(state: Tree, batch: Arrays, given: Arrays) -> Tree:
            state, draws = copy_tree(state), GivenDraws(network.backend, given)
            train_step(network, training.again(), state, Batch(**batch), draws)
            return state

        def pure_evaluate(values: Tree, totals: Tree, batch: Arrays) -> Tree:
            totals = copy_tree(totals)
            evaluation_step(network, evaluation.again(), values, totals, Batch(**batch))
            return totals

        def pure_predict(values: Tree, x: Any) -> Array:
            return prediction.again().begin(values).fwd(x)[0]

        def ask(state: Tree, batch: Arrays) -> AskedDraws:
            asked = AskedDraws(network.backend)

            def abstract_train(state: Tree, batch: Arrays) -> None:
                state = copy_tree(state)
                train_step(network, training.again(), state, Batch(**batch), asked)

            jax.eval_shape(abstract_train, state, batch)
            return asked

        self._train = jax.jit(pure_train, donate_argnums=0)
        self._evaluate = jax.jit(pure_evaluate)
        self._predict = jax.jit(pure_predict)
        self._ask = ask

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network cannot be run so: empty, as any can be."""
        return ""

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Do nothing: a step is compiled when the first batch of a shape comes."""

    def release(self) -> None:
        """Do nothing: compiled steps serve the next training too."""

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, putting new arrays into `state`."""
        # Of the last batch nothing is needed, and its memory may be reused.
        state.pop("batch", None)
        arrays = _arrays(batch)
        kind = jax.tree.map(lambda array: array.shape, arrays)
        key = tuple(jax.tree.leaves(kind)), batch.weight is None
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = self._ask(state, arrays)
        state.update(self._train(state, arrays, asked.at(step)))

    def evaluate(self, state: Tree, totals: Tree, batch: Batch) -> None:
        """Put totals that include the batch into `totals`."""
        values = {name: state[name] for name in _VALUES}
        totals.update(self._evaluate(values, totals, _arrays(batch)))

    def predict(self, state: Tree, x: Any) -> Array:
        """Return the output of the network."""
        return self._predict({name: state[name] for name in _VALUES}, x)


def _arrays(batch: Batch) -> dict[str, Any]:
    return {"x": batch.x, "y": batch.y, "weight": batch.weight}
