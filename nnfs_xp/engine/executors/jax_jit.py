"""The JAX executor: the step is traced once and compiled by XLA."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Sequence
from operator import is_
from typing import Any

import jax
import numpy as np

from nnfs_xp.backends import Array
from nnfs_xp.engine.data import Data
from nnfs_xp.engine.draws import (
    AskedDraws,
    Draws,
    GivenDraws,
    dtype_of,
    values,
)
from nnfs_xp.engine.held import Watch, held
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.step import (
    Arrays,
    Batch,
    Rows,
    Steps,
    Tree,
    evaluation_step,
    sum_of,
    train_step,
)
from nnfs_xp.errors import InputError
from nnfs_xp.registry import is_of_library
from nnfs_xp.trees import copy_tree

# The parts of a state that a prediction or evaluation needs.
_VALUES = ("parameters", "frozen", "buffers")
# Results of a single step that are only read, and never passed to the next step.
_SEEN = ("batch", "penalty", "row")
# Entries that an epoch begins with zeros. These are not donated, because every epoch
# uses them.
_COUNTED = ("row", "totals", "batch")
# The most steps of one call, and the most bytes of random numbers for them.
_MOST_STEPS, _MOST_BYTES = 1024, 2**25
# Up to this many rows, twice as many take hardly longer to predict.
_FEW_ROWS = 128


class JaxJitExecutor:
    """Runs the whole step, or many of them, as one compiled function.

    Many steps are a loop in the program, so one program serves any number of them, and
    the results do not depend on how the steps are divided into calls. It is compiled
    for each size of a batch. The old state's memory is given to the new one (donation).
    Random numbers are drawn on the host, and are arguments.

    Parameters
    ----------
    network : Network
        What to compile.
    required : bool
        Not used: a step that cannot be compiled is an error.
    """

    name = "jax.jit"
    note = "compiled by XLA, many steps in one program for each size of a batch"
    gathers = True
    captures = False

    def __init__(self, network: Network, required: bool = False) -> None:
        self.network = network
        # Only the library's own units are known to compute each row by itself, and to
        # leave out rows without weight.
        self._rows_alone = network.has_own_layers_only
        self._leaves_out = self._rows_alone and all(
            is_of_library(type(part)) for part in (network.loss, *network.metrics)
        )
        self.held = held(network)
        self.make_programs()

    def make_programs(self) -> None:
        """Make what is compiled when it is called."""
        network = self.network
        be = network.backend
        self._asked: dict[Any, AskedDraws] = {}
        # The blocks that many steps have returned, and the sum of all their numbers.
        self._summed: tuple[list[Array], Any] = [], None
        training = Program(network, training=True, keeps=True, absorbs=True)
        on_rescaled = Program(
            network, training=True, keeps=True, absorbs=True, rescaled=True
        )
        evaluation = Program(network, absorbs=True)
        prediction = Program(network)

        def after_step(
            changing: Tree, frozen: Arrays, rate: Any, batch: Batch, draws: Draws
        ) -> Tree:
            """Return everything that a step has changed, or computed for reading."""
            state = {**copy_tree(changing), "frozen": frozen}
            state["optimizer"]["learning_rate"] = rate
            program = on_rescaled if batch.rescaled else training
            train_step(network, program.again(), state, batch, draws)
            del state["optimizer"]["learning_rate"], state["frozen"]
            return state

        def pure_train(
            changing: Tree, frozen: Arrays, rate: Any, batch: Arrays, given: Arrays
        ) -> tuple[Tree, Tree]:
            draws = GivenDraws(be, given)
            state = after_step(changing, frozen, rate, Batch(**batch), draws)
            # Separately: donated arrays are matched with results in order.
            seen = {name: state.pop(name) for name in _SEEN if name in state}
            return state, seen

        def pure_train_many(
            changing: Tree, counted: Tree, frozen: Arrays, sources: Any, rates: Array,
            given: Arrays, count: Array, gather: Any,
        ) -> tuple[Tree, Tree, Array]:  # fmt: skip
            def one(i: Array, changing: Tree) -> Tree:
                batch = gather(be, sources, changing["row"])
                draws = GivenDraws(be, {key: each[i] for key, each in given.items()})
                state = after_step(changing, frozen, rates[i], batch, draws)
                # A loop must keep the dtypes that it began with.
                return jax.tree.map(
                    lambda new, old: jax.numpy.asarray(new, old.dtype), state, changing
                )

            changing = jax.lax.fori_loop(0, count, one, changing | counted)
            counted = {name: changing.pop(name) for name in _COUNTED}
            return changing, counted, sum_of(be, changing["parameters"])

        def pure_evaluate(values: Tree, totals: Tree, batch: Arrays) -> Tree:
            new = copy_tree(totals)
            evaluation_step(network, evaluation.again(), values, new, Batch(**batch))
            # Counts of weighted samples are floats.
            return jax.tree.map(
                lambda new, old: jax.numpy.asarray(new, old.dtype), new, totals
            )

        def pure_predict(
            parameters: Tree, frozen: Tree, buffers: Tree, x: Any
        ) -> Array:
            values = {"parameters": parameters, "frozen": frozen, "buffers": buffers}
            return prediction.again().begin(values).fwd(x)[0]

        def ask(state: Tree, batch_of: Any, *arguments: Any) -> AskedDraws:
            """Return what a step asks for, on a batch made of these arguments."""
            asked, watch = AskedDraws(be), Watch(network)
            changing, rate = split_state(state)

            def abstract_train(changing: Tree, frozen: Arrays, *arguments: Any) -> None:
                batch = batch_of(*arguments)
                after_step(changing, frozen, rate, batch, asked)

            given = changing, state["frozen"], *arguments
            jax.eval_shape(abstract_train, *given)
            check_repeats(watch, abstract_train, given)
            return asked

        self._train = jax.jit(pure_train, donate_argnums=0)
        self._train_many = jax.jit(
            pure_train_many, donate_argnums=0, static_argnames="gather"
        )
        self._evaluate = jax.jit(pure_evaluate)
        self._sum_of = jax.jit(lambda blocks: sum_of(be, blocks))
        self._predict = jax.jit(pure_predict)
        self._ask = ask

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network cannot be run this way: empty, because any can."""
        return ""

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Do nothing: a step is compiled when the first batch of a size comes."""

    def release(self) -> None:
        """Do nothing: compiled steps serve the next training too."""

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, putting new arrays into `state`."""
        with following(self):
            # Nothing of the last batch is needed.
            for name in _SEEN:
                state.pop(name, None)
            arrays = _arrays(batch)
            kind = jax.tree.map(lambda array: array.shape, arrays)
            key = tuple(jax.tree.leaves(kind)), batch.weight is None
            if key not in self._asked:
                self._asked[key] = self._ask(state, lambda a: Batch(**a), arrays)
            asked = self._asked[key]
            changing, rate = split_state(state)
            changing, seen = self._train(
                changing, state["frozen"], rate, arrays, asked.at(step)
            )
            write_state(state, changing | seen)

    def train_many(self, state: Tree, rows: Rows, steps: Steps) -> None:
        """Take several training steps, and wait for their end."""
        with following(self):
            be, gather, sources = self.network.backend, rows.gather, rows.sources
            kind = tuple(array.shape[1:] for array in jax.tree.leaves(sources))
            key = gather, jax.tree.structure(sources), kind
            if key not in self._asked:
                self._asked[key] = self._ask(
                    state, lambda s, r: gather(be, s, r), sources, state["row"]
                )
            asked = self._asked[key]
            steps.limit(_most_steps(asked))
            found = steps.rates()
            if not found:
                return
            rates = np.zeros(_MOST_STEPS, be.dtype_name)
            rates[: len(found)] = found
            given = _drawn(asked, steps.first, steps.count)
            changing, _ = split_state(state)
            counted = {name: changing.pop(name) for name in _COUNTED}
            changing, counted, total = self._train_many(
                changing, counted, state["frozen"], sources, rates, given,
                np.int32(steps.count), gather=gather,
            )  # fmt: skip
            write_state(state, changing | counted)
            self._summed = list(state["parameters"].values()), total
            jax.block_until_ready(state["row"])
            steps.end()

    def evaluate(self, state: Tree, totals: Tree, batch: Batch) -> None:
        """Put totals that include the batch into `totals`."""
        with following(self):
            values = {name: state[name] for name in _VALUES}
            totals.update(self._evaluate(values, totals, _arrays(batch)))

    def filled(self, data: Data) -> Data:
        """Return samples on the host, padded to one of the compiled sizes.

        Further rows are copies of the first one, without weight.
        """
        rows, host = data.samples, data.be
        room = self.rows_for(rows)
        if host == self.network.backend or room == rows or not self._leaves_out:
            return data

        def longer(array: np.ndarray) -> np.ndarray:
            return np.concatenate([array, array[:1].repeat(room - rows, axis=0)])

        given = data.weight
        weight = longer(np.ones(rows, host.dtype_name) if given is None else given)
        weight[rows:] = 0
        return dataclasses.replace(data.each_array(longer), weight=weight)

    def sum_of(self, blocks: Arrays) -> Array:
        """Return the sum of all numbers in blocks, 0-d."""
        summed, total = self._summed
        # Usually the blocks of the last step, which has added them up.
        if total is not None and all(map(is_, summed, blocks.values())):
            return total
        return self._sum_of(blocks)

    def rows_for(self, rows: int) -> int:
        """Return the number of rows to pad a prediction to, so that few are compiled.

        It is the next power of two; above 128 rows, it is the next quarter of one.
        """
        if not self._rows_alone:
            return rows
        power = 1 << (rows - 1).bit_length()
        if power <= _FEW_ROWS:
            return power
        quarter = power // 8
        return -(-rows // quarter) * quarter

    def predict(self, state: Tree, x: Any) -> Array:
        """Return the output of the network."""
        with following(self):
            return self._predict(
                state["parameters"], state["frozen"], state["buffers"], x
            )

    def predict_host(self, state: Tree, x: Any, ids: tuple[bool, ...]) -> Array:
        """Return the same for samples on the host, computed with some rows of zeros."""
        be, first = self.network.backend, x[0] if isinstance(x, tuple) else x
        rows = first.shape[0]
        room = self.rows_for(rows)

        def filled(array: np.ndarray, is_ids: bool) -> Any:
            # A copy, so that nobody writes to it while the program reads it.
            dtype = array.dtype if is_ids else be.dtype_name
            copy = np.zeros((room, *array.shape[1:]), dtype)
            copy[:rows] = array
            return be.asarray(copy) if is_ids else copy

        several = isinstance(x, tuple)
        pairs = zip(x if several else (x,), ids, strict=True)
        arrays = tuple(filled(*pair) for pair in pairs)
        y = self.predict(state, arrays if several else arrays[0])
        # Cut on the host, because a slice would be a program for each number of rows.
        return y if room == rows else be.asarray(be.to_numpy(y)[:rows])


def following(executor: Any) -> contextlib.AbstractContextManager[None]:
    """Let an executor compile anew what a user's own units held other values for."""
    if executor.network.has_own_parts_only:
        return _NOTHING
    return _following(executor)


_NOTHING = contextlib.nullcontext()


@contextlib.contextmanager
def _following(executor: Any) -> Iterator[None]:
    if held(executor.network) != executor.held:
        executor.make_programs()
    yield
    # What a trace itself has changed makes no difference to the next one.
    executor.held = held(executor.network)


def check_repeats(
    watch: Watch, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    """Check that a traced function will do the same again.

    Raises
    ------
    InputError
        If units of a user's own have changed what it depends on.
    """
    what = watch.changed()
    if not what:
        return

    def traced() -> Any:
        # A function of its own, because JAX keeps the trace of one that it knows.
        return jax.make_jaxpr(lambda *given: function(*given))(*arguments)

    one, two = traced(), traced()
    # The texts name Python's functions with their addresses.
    texts = [re.sub(r"0x[0-9a-f]+", "", str(jaxpr)) for jaxpr in (one, two)]
    pairs = zip(one.consts, two.consts, strict=False)
    if texts[0] != texts[1] or not all(np.array_equal(*pair) for pair in pairs):
        raise InputError(
            f"a compiled step would repeat what it does now, but {what}; use "
            "cx.random or cx.buffers, or make the model with compile='off'"
        )


def _arrays(batch: Batch) -> Arrays:
    return {"x": batch.x, "y": batch.y, "weight": batch.weight}


def split_state(state: Tree) -> tuple[Tree, Any]:
    """Return what a step changes, and the learning rate."""
    changing = {name: part for name, part in state.items() if name != "frozen"}
    changing["optimizer"] = dict(state["optimizer"])
    return changing, changing["optimizer"].pop("learning_rate")


def write_state(state: Tree, changed: Tree) -> None:
    """Put what a step has changed into a state, whose learning rate stays."""
    rate = state["optimizer"]["learning_rate"]
    state |= changed
    state["optimizer"]["learning_rate"] = rate


def _most_steps(asked: AskedDraws) -> int:
    """Return how many steps may get their random numbers together."""
    size = sum(
        math.prod(wanted[1]) * np.dtype(dtype_of(asked.backend, wanted)).itemsize
        for _, _, wanted in asked.asked.values()
    )
    return max(1, min(_MOST_STEPS, _MOST_BYTES // max(1, size)))


def _drawn(asked: AskedDraws, first: int, count: int) -> Arrays:
    """Return the random numbers of several steps on the host, with an axis in front.

    There is room for as many steps as the next power of eight, so that few lengths
    are ever compiled. It is never for one step alone, which XLA would compute without
    the loop's index, and round differently.
    """
    room, found = max(2, 8 ** math.ceil(math.log(count, 8) - 1e-9)), {}
    for key, (seed, name, wanted) in asked.asked.items():
        numbers = np.zeros((room, *wanted[1]), dtype_of(asked.backend, wanted))
        for i in range(count):
            numbers[i] = values(seed, name, first + i, wanted)
        found[key] = numbers
    return found
