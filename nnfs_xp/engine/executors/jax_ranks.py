"""A training step on several ranks with JAX: two compiled functions, and a sum between.

The first one returns the gradients of the rank's rows. They are added up over all ranks
on the host, and the second one learns from them.
"""

from __future__ import annotations

from typing import Any

import jax

from nnfs_xp.backends import Array
from nnfs_xp.engine.draws import AskedDraws, Draws, GivenDraws
from nnfs_xp.engine.executors.jax_jit import (
    JaxJitExecutor,
    check_repeats,
    following,
    split_state,
    write_state,
)
from nnfs_xp.engine.held import Watch, held
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.ranks.executor import Part, RanksExecutor, divide
from nnfs_xp.engine.ranks.shares import Share
from nnfs_xp.engine.statistics import batch_sums
from nnfs_xp.engine.step import Arrays, Batch, Tree, gradient_pass, learn
from nnfs_xp.parallel import Communicator
from nnfs_xp.trees import copy_tree


class JaxRanksExecutor(RanksExecutor):
    """Compiles the parts before and after the sum over ranks, for each size of a part.

    Parameters
    ----------
    network : Network
        None of its units may be ``synchronized``: a compiled function waits for nobody.
    ranks : Communicator
    required : bool
        Whether a compiled step is required, which this is.
    """

    name = "jax.jit on ranks"

    def __init__(self, network: Network, ranks: Communicator, required: bool) -> None:
        super().__init__(network, ranks, required)
        self.note = (
            f"compiled by XLA before and after the sum over {ranks.size} ranks of "
            f"{ranks.name}"
        )
        plain = JaxJitExecutor(network)
        # These need no other rank.
        self.evaluate, self.sum_of = plain.evaluate, plain.sum_of  # type: ignore[method-assign]
        self.held = held(network)
        self.make_programs()

    def make_programs(self) -> None:
        """Make what is compiled when it is called."""
        network = self.network
        be = network.backend
        self._asked: dict[Any, tuple[AskedDraws, bool]] = {}
        program = Program(network, training=True, keeps=True, absorbs=True)

        def pure_gradients(
            state: Tree, empty: Tree, batch: Arrays, draws: Draws, part: Any
        ) -> tuple[Arrays, Tree, Arrays, bool]:
            own, divides = program.again(), False

            def weigh(count: Array | int) -> Any:
                nonlocal divides
                if network.training_loss.reduction != "mean":
                    return 1.0
                divides = not isinstance(count, int)
                return count if divides else part

            gradients, values = gradient_pass(
                network, own, state, Batch(**batch), draws, weigh
            )
            values = batch_sums(network, empty, values)
            return gradients, values, own.run.pending, divides

        def given_gradients(
            state: Tree, empty: Tree, batch: Arrays, given: Arrays, part: Any
        ) -> tuple[Arrays, Tree, Arrays]:
            draws = GivenDraws(be, given)
            return pure_gradients(state, empty, batch, draws, part)[:3]

        def ask(*arguments: Any) -> tuple[AskedDraws, bool]:
            """Return what a step asks for, and whether it divides by a count."""
            asked, divides, watch = AskedDraws(be), False, Watch(network)

            def abstract(state: Tree, empty: Tree, batch: Arrays) -> None:
                nonlocal divides
                divides = pure_gradients(state, empty, batch, asked, 1.0)[3]

            jax.eval_shape(abstract, *arguments)
            check_repeats(watch, abstract, arguments)
            return asked, divides

        def pure_learn(
            changing: Tree, frozen: Arrays, rate: Any, gradients: Arrays, values: Tree,
            pending: Arrays,
        ) -> tuple[Tree, Tree]:  # fmt: skip
            state = {**copy_tree(changing), "frozen": frozen}
            state["optimizer"]["learning_rate"] = rate
            own = program.again()
            own.begin(state)
            own.run.pending.update(pending)
            learn(network, own, state, dict(gradients), values, 0)
            del state["optimizer"]["learning_rate"], state["frozen"]
            seen: Tree = {
                name: state.pop(name) for name in ("batch", "penalty") if name in state
            }
            return state, seen

        self._gradients = jax.jit(given_gradients)
        self._pure_learn = pure_learn
        self._learned = jax.jit(pure_learn, donate_argnums=0)
        # Whether it is known to do the same in every step.
        self._learns_alike = not network.users_parts
        self._ask = ask

    def train_share(self, state: Tree, batch: Batch, share: Share, step: int) -> None:
        """Take the training step of this number, with the rank's part of its batch."""
        with following(self):
            super().train_share(state, batch, share, step)

    def _own_gradients(
        self, state: Tree, batch: Batch, weigh: Part
    ) -> tuple[Arrays, Tree]:
        arrays = {"x": batch.x, "y": batch.y, "weight": batch.weight}
        seen = {k: state[k] for k in ("parameters", "frozen", "buffers")}
        if "scaling" in state:
            seen["scaling"] = state["scaling"]
        shapes = tuple(array.shape for array in jax.tree.leaves(arrays))
        kind = shapes, batch.weight is None
        if kind not in self._asked:
            self._asked[kind] = self._ask(seen, self._empty, arrays)
        asked, weigh.divides = self._asked[kind]
        draws = self._share_draws
        given = {key: draws.draw(key, *wanted) for key, wanted in asked.asked.items()}
        gradients, values, pending = self._gradients(
            seen, self._empty, arrays, given, weigh.share.part
        )
        self.training.run.pending = pending
        return gradients, values

    def _learn(
        self, state: Tree, gradients: Arrays, values: Tree, divides: bool
    ) -> None:
        if divides:
            divide(self.network.backend, gradients, values["count"])
        for name in ("batch", "penalty"):
            state.pop(name, None)
        changing, rate = split_state(state)
        pending = self.training.run.pending
        given = changing, state["frozen"], rate, gradients, values, pending
        if not self._learns_alike:
            watch = Watch(self.network)
            jax.eval_shape(self._pure_learn, *given)
            check_repeats(watch, self._pure_learn, given)
            self._learns_alike = True
        changing, seen = self._learned(*given)
        write_state(state, changing | seen)
