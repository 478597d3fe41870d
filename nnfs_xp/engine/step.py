"""The training step: one pure function over a tree of arrays, and what runs it.

A step only writes to slots of the tree that `state` describes. There is no branch on
data and no value is read back, so an executor may run it as it is, as that of this
module does, trace it with ``jax.jit``, or capture it as a CUDA graph.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine import loss_scaling
from nnfs_xp.engine.data import Data, as_inputs
from nnfs_xp.engine.draws import Draws, HostDraws
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.statistics import add_statistics, statistics
from nnfs_xp.kernels import has_implementation, whole_step

Tree = dict[str, Any]
Arrays = dict[str, Array]


@dataclasses.dataclass
class Batch:
    """The data that a step learns from.

    Attributes
    ----------
    x : array or tuple of array
    y : array
    weight : array or None
        Weights of the samples.
    rescaled : bool
        Whether the inputs have been through the network's first unit already.
    """

    x: Any
    y: Array
    weight: Array | None = None
    rescaled: bool = False


def train_step(
    network: Network, program: Program, state: Tree, batch: Batch, draws: Draws
) -> None:
    """Take one training step on a batch, writing to the slots of `state`."""
    gradients, values = gradient_pass(network, program, state, batch, draws)
    learn(network, program, state, gradients, values, batch.y.shape[0])


def gradient_pass(
    network: Network,
    program: Program,
    state: Tree,
    batch: Batch,
    draws: Draws,
    part: Callable[[Array | int], Array | float] | None = None,
) -> tuple[Arrays, Tree]:
    """Return the gradients of a batch, which may be scaled, and its statistics.

    If the batch is part of a larger one, `part` gives its share of the larger one's
    loss, given its count.
    """
    be, loss, scaling = network.backend, network.training_loss, state.get("scaling")
    root = program.begin(state, draws)
    y_pred, residuals = root.fwd(batch.x)
    count, losses, dy = loss_and_gradient(network, y_pred, batch.y, batch.weight)
    if part is not None:
        dy = dy * part(count)
    if scaling is not None:
        dy = loss_scaling.scaled(be, scaling, dy)
    root.bwd(residuals, dy)
    weighted = loss.weighted(be, losses, batch.weight)
    values = statistics(network, weighted, count, y_pred, batch.y, batch.weight)
    return program.gradients(state), values


def learn(
    network: Network,
    program: Program,
    state: Tree,
    gradients: Arrays,
    values: Tree,
    rows: int,
) -> None:
    """Learn from the gradients and the statistics of a batch of this many rows."""
    be, optimizer, scaling = network.backend, network.optimizer, state.get("scaling")
    if scaling is not None:
        finite = loss_scaling.unscale(be, scaling, gradients)
        if optimizer.accumulate > 1:
            loss_scaling.clear(be, finite, gradients)
    if network.regularizers:
        be.assign(state, "penalty", penalty(network, program.arrays))
        add_penalties(network, program.arrays, program.slots or gradients)

    counters, kept = [(state["optimizer"], "step", 1)], None
    if "row" in state:
        counters.append((state, "row", rows))
        kept = state["batch"]
    state["batch"] = add_statistics(network, state["totals"], values, kept, counters)

    learned = state["parameters"], state["optimizer"]
    may_leave_out = scaling is not None and optimizer.accumulate == 1
    if may_leave_out:
        before = loss_scaling.snapshot(be, *learned)
    optimizer.update(
        be,
        state["parameters"],
        gradients,
        state["optimizer"],
        counted=True,
        layout=network.learned,
        constrain=(lambda: constrain(network, state)) if network.constraints else None,
    )
    program.commit(state)
    if may_leave_out:
        loss_scaling.keep(be, finite, before, *learned)
    if scaling is not None:
        loss_scaling.adapt(be, scaling, finite)


def loss_and_gradient(
    network: Network, y_pred: Array, y: Array, weight: Array | None = None
) -> tuple[Array | int, Array, Array]:
    """Return a batch's count, its losses, and the gradient of the predictions."""
    be, loss = network.backend, network.training_loss
    shape = loss.losses_shape(tuple(y_pred.shape))
    count, dlosses = loss.factors(be, shape, y, weight)
    return count, *loss.value_and_gradient(be, y_pred, y, dlosses)


def evaluation_step(
    network: Network, program: Program, state: Tree, totals: Tree, batch: Batch
) -> None:
    """Add the loss and the metrics of a batch to the totals."""
    be, loss = network.backend, network.training_loss
    y_pred, _ = program.begin(state).fwd(batch.x)
    losses, _ = loss.fwd(be, y_pred, batch.y)
    shape = loss.losses_shape(tuple(y_pred.shape))
    count, _ = loss.factors(be, shape, batch.y, batch.weight)
    weighted = loss.weighted(be, losses, batch.weight)
    values = statistics(network, weighted, count, y_pred, batch.y, batch.weight)
    add_statistics(network, totals, values)


def sum_of(be: Backend, blocks: Arrays) -> Array:
    """Return the sum of all numbers in blocks, which are finite if it is, 0-d."""
    return sum((be.xp.sum(block) for block in blocks.values()), be.zero)


def penalty(network: Network, parameters: Arrays) -> Array:
    """Return the sum of the penalties of all parameters, given by path, 0-d."""
    be = network.backend
    total = be.zero
    for path, regularizer in network.regularizers.items():
        total = total + regularizer.penalty(be, parameters[path])
    return total


def add_penalties(network: Network, parameters: Arrays, gradients: Arrays) -> None:
    """Add the gradients of the penalties to those of the loss, by path."""
    for path, regularizer in network.regularizers.items():
        gradient = gradients[path]
        found = regularizer.add_gradient(network.backend, gradient, parameters[path])
        if found is not gradient:
            network.backend.assign(gradients, path, found)


def constrain(network: Network, state: Tree) -> None:
    """Apply the constraints to the parameters."""
    parameters = network.learned.views(state["parameters"])
    for path, constraint in network.constraints.items():
        found = constraint.project(network.backend, parameters[path])
        network.backend.assign(parameters, path, found)


class Rows(Protocol):
    """A batch of data that is on the device, to be gathered in the step.

    Which rows they are is known on the device alone, by a counter in the state; so
    the same object stands for every batch of a size.

    ``load(be, state)`` is ``gather(be, sources, state["row"])``, for executors that
    must be given all arrays as arguments. Equal `gather` do the same.
    """

    @property
    def size(self) -> int:
        """Number of rows."""
        ...

    @property
    def gather(self) -> Any:
        """The function that gathers them, given their sources and the first row."""
        ...

    @property
    def sources(self) -> Any:
        """Arrays to gather from."""
        ...

    def load(self, be: Backend, state: Tree) -> Batch:
        """Gather the rows of the next batch."""
        ...


class Steps(Protocol):
    """Steps that are to be taken in one call; see `nnfs_xp.engine.state.Steps`."""

    first: int
    count: int
    rate: float | None

    def limit(self, most: int) -> None:
        """Take at most this many."""

    def __iter__(self) -> Iterator[int]: ...

    def rates(self) -> list[float]:
        """Return the learning rate of each step, of fewer if there are no more."""
        ...

    def end(self) -> None:
        """Count all of them: they are complete."""


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
    # Whether a step is captured, and therefore reads its batch from fixed arrays.
    captures = False
    # A second branch of its steps, if there is one.
    fork: Any = None

    def __init__(self, network: Network, reason: str = "") -> None:
        self.network = network
        self.note = f"step by step ({reason})" if reason else "step by step"
        self._draws = HostDraws(network.backend, 0)
        self.evaluation = Program(network, absorbs=True)
        self.prediction = Program(network)

    @functools.cached_property
    def training(self) -> Program:
        """The program of a training step."""
        return self._program(rescaled=False)

    @functools.cached_property
    def training_on_rescaled(self) -> Program:
        """The same, for inputs that have been through the first unit."""
        return self._program(rescaled=True)

    def _program(self, *, rescaled: bool) -> Program:
        return Program(
            self.network, training=True, keeps=True, absorbs=True, rescaled=rescaled,
            fork=self.fork,
        )  # fmt: skip

    @property
    def gathers(self) -> bool:
        """Whether the device gathers the rows of a batch, as a part of the step."""
        return has_implementation("gather_batch", self.network.backend.name)

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Prepare for batches of each of these kinds."""

    def release(self) -> None:
        """Give up what `prepare` has made, and its memory."""

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, writing to `state`."""
        self._draws.step = step
        train_step(self.network, self.training, state, batch, self._draws)

    def train_many(self, state: Tree, rows: Rows, steps: Steps) -> None:
        """Take several training steps on rows gathered by the device."""
        for step in steps:
            self.train_rows(state, rows, step)

    def train_rows(self, state: Tree, rows: Rows, step: int) -> None:
        """Take one training step on rows gathered by the device."""
        self._draws.step = step
        self.step_on(state, rows, self._draws)

    def step_on(self, state: Tree, rows: Rows, draws: Draws) -> None:
        """Gather rows and take a step, with random numbers from a source."""
        take = whole_step(self.network.backend, self.network, rows, state)
        if not isinstance(take, str):
            take()
            return
        batch = rows.load(self.network.backend, state)
        program = self.training_on_rescaled if batch.rescaled else self.training
        train_step(self.network, program, state, batch, draws)

    def filled(self, data: Data) -> Data:
        """Return samples unchanged: any number of rows is as good as another."""
        return data

    def evaluate(self, state: Tree, totals: Tree, batch: Batch) -> None:
        """Add loss and metrics of a batch to `totals`."""
        evaluation_step(self.network, self.evaluation, state, totals, batch)

    def sum_of(self, blocks: Arrays) -> Array:
        """Return the sum of all numbers in blocks, which are finite if it is, 0-d."""
        return sum_of(self.network.backend, blocks)

    def predict(self, state: Tree, x: Any) -> Any:
        """Return the output of the network."""
        y = self.prediction.begin(state).fwd(x)[0]
        return self.network.backend.in_rows(y)

    def predict_host(self, state: Tree, x: Any, ids: tuple[bool, ...]) -> Any:
        """Return the same for samples on the host, of which some inputs are ids."""
        return self.predict(state, as_inputs(self.network.backend, x, ids))
