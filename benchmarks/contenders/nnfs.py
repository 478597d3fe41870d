"""nnfs_xp itself, on any of its backends."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable
from typing import Any

from benchmarks.contenders.base import Contender, probe
from benchmarks.workloads import Problem, nnfs_model
from nnfs_xp import Backend, Model
from nnfs_xp.engine.data import Data, FitPlan
from nnfs_xp.engine.device_batches import DeviceBatches
from nnfs_xp.engine.state import Steps
from nnfs_xp.engine.step import Batch

Tree = dict[str, Any]


def internals(
    model: Model, batches: list[tuple[Any, Any]], is_ids: bool = False
) -> tuple[Callable[[Tree, Any, Any], None], Callable[[int], None] | None, Tree]:
    """Return what takes a step on a batch, what takes many, and the state they change.

    This is the only place that reaches below the public interface. Where
    ``fit`` cuts batches out of the data, that is not part of the step, and is
    not timed. Where the device gathers them, it is, and the device takes one
    batch after the other, whatever it is called with; then many steps can be
    taken in one call, as ``fit`` does. `is_ids` says that inputs are integers.
    """
    be, state, executor = model.backend, model._ready, model._trainer.executor
    if not executor.gathers:
        numbers = itertools.count()
        return (
            lambda tree, x, y: executor.train(tree, Batch(x, y), next(numbers)),
            None,
            state.tree,
        )
    x, y = (be.xp.concat(arrays, axis=0) for arrays in zip(*batches, strict=True))
    data = Data(be, x, y, None, (model.n_outputs or 1,), (is_ids,))
    rows = slice(0, batches[0][0].shape[0])
    fed = DeviceBatches(state, executor, FitPlan(data, rows.stop, shuffle=False))
    fed.begin()

    def take(count: int) -> None:
        while count:
            steps = Steps(state, count, lambda: False)
            fed.train([rows], steps)
            count -= state.counters.steps - steps.first

    return lambda tree, x, y: take(1), take, state.tree


class NnfsXp(Contender):
    """The step that `Model.fit` takes, run by the backend's usual executor.

    `compile` is that argument of the model.
    """

    def __init__(
        self, problem: Problem, device: str, backend: str, compile: str = "auto"
    ) -> None:
        self.model = nnfs_model(problem.workload, backend, device, compile=compile)
        self.be = self.model.backend
        with self.be.context():
            for index, (weights, biases) in enumerate(problem.weights):
                # Every other layer is an activation.
                layer = self.model.layers[2 * index]
                layer.weights = self.be.asarray(weights)
                layer.biases = self.be.asarray(biases)
            self.batches = [
                (self.be.asarray(x, self.be.dtype), self.be.asarray(y, "int32"))
                for x, y in problem.batches
            ]
            self.train, self.many, self.state = internals(self.model, self.batches)
            self.initial = copied(self.be, self.state)

    def reset(self) -> None:
        """Write the initial values back into the state."""
        restore(self.be, self.state, copied(self.be, self.initial))

    def step(self, x: Any, y: Any) -> Any:
        """Take the step, which leaves the sum of its losses in the state."""
        self.train(self.state, x, y)
        return self.state["batch"]

    def take(self, steps: int) -> None:
        """Take many steps in one call, where `fit` does that."""
        if self.many is None:
            super().take(steps)
        else:
            self.many(steps)

    def read(self, batch: Any) -> float:
        """Return the loss, of the statistics that the next step writes over."""
        return float(self.be.to_numpy(batch["loss"])) / float(batch["count"])

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.be.name == "jax":
            import jax

            jax.block_until_ready(self.state)
        self.be.synchronize()

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Return the backend's context, as `Model.fit` enters it."""
        return self.be.context()

    @property
    def note(self) -> str:
        """How the model says that it runs its step."""
        return self.model.executor_note


class NnfsFit(NnfsXp):
    """`Model.fit` itself: whole epochs over shuffled data that is on the device."""

    def __init__(self, problem: Problem, device: str, backend: str) -> None:
        super().__init__(problem, device, backend)
        self.whole = len(self.batches)
        with self.be.context():
            concat = self.be.xp.concat
            self.x = concat([x for x, _ in self.batches], axis=0)
            self.y = concat([y for _, y in self.batches], axis=0)

    def reset(self) -> None:
        """Write the initial values into the state that the model has now."""
        self.state = self.model._ready.tree
        for name in set(self.state) - set(self.initial):
            del self.state[name]
        super().reset()

    def step(self, x: Any, y: Any) -> Any:
        """Fit one batch, and return its loss."""
        history = self.model.fit(x, y, batch_size=None, shuffle=False)
        return history["loss"][-1]

    def read(self, loss: Any) -> float:
        """Return the loss, which `fit` has read back already."""
        return loss

    def take(self, steps: int) -> None:
        """Fit as many epochs as have at least so many steps."""
        epochs = math.ceil(steps / self.whole)
        rows = self.x.shape[0] // self.whole
        self.model.fit(self.x, self.y, epochs=epochs, batch_size=rows)


class NnfsPredicts(NnfsXp):
    """`Model.predict` on one batch."""

    def reset(self) -> None:
        """Do nothing: nothing is changed."""

    def take(self, steps: int) -> None:
        """Predict the batches in turn."""
        Contender.take(self, steps)

    def step(self, x: Any, y: Any) -> Any:
        """Return the probabilities of the rows."""
        p = self.model.predict(x)
        if self.be.name == "jax":
            p.block_until_ready()
        return p

    def read(self, p: Any) -> float:
        """Return a number that hangs on all of them."""
        return probe(self.be.to_numpy(p))


def copied(be: Backend, tree: Tree) -> Tree:
    """Return the tree with a copy of every array."""
    return {
        key: copied(be, value)
        if isinstance(value, dict)
        else be.xp.asarray(value, copy=True)
        for key, value in tree.items()
    }


def restore(be: Backend, tree: Tree, saved: Tree) -> None:
    """Write saved arrays into a tree, in place where arrays allow it."""
    if "batch" not in saved:
        # Statistics of the last batch are not part of a state before any step.
        tree.pop("batch", None)
    for key, value in saved.items():
        if isinstance(value, dict):
            restore(be, tree[key], value)
        else:
            be.assign(tree, key, value)
