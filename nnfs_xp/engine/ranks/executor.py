"""A training step on several ranks, of which each has a part of the batch.

::

    g = sum_r (n_r / n) g_r

`g_r` is the gradient of the mean loss of the rows of rank r, whose count is `n_r`, and
`g` is that of the whole batch, whose count is `n`. The sum is therefore exact for parts
of any size, with weights of samples, with labels that are ignored, and for a rank
without any rows. Penalties, clipping and everything else come after it, on each rank.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.layout import FLAT
from nnfs_xp.engine.network import Network, Node
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.ranks.across import Across, joined, read_number
from nnfs_xp.engine.ranks.buckets import Buckets, Writes
from nnfs_xp.engine.ranks.draws import ShareDraws
from nnfs_xp.engine.ranks.interrupts import AgreedInterrupts
from nnfs_xp.engine.ranks.shares import Share
from nnfs_xp.engine.statistics import batch_sums, empty_statistics, read_back
from nnfs_xp.engine.step import (
    Arrays,
    Batch,
    EagerExecutor,
    Tree,
    gradient_pass,
    learn,
)
from nnfs_xp.parallel import Communicator
from nnfs_xp.trees import leaves, map_leaves


class RanksExecutor(EagerExecutor):
    """Takes training steps together with other ranks.

    Parameters
    ----------
    network : Network
    ranks : Communicator
    required : bool, default False
        Whether a step that cannot be compiled is an error; for subclasses.

    Attributes
    ----------
    interrupts : AgreedInterrupts
        Signals that have come to this rank; the others are told about them.
    """

    name = "ranks"

    def __init__(
        self, network: Network, ranks: Communicator, required: bool = False
    ) -> None:
        super().__init__(network)
        be = network.backend
        self.ranks = ranks
        self.note = f"step by step, on {ranks.size} ranks over {ranks.name}"
        self.interrupts = AgreedInterrupts()
        self.synchronized = ranks.size > 1 and any(map(_is_synchronized, network))
        self._share_draws = ShareDraws(be)
        # Buffers that each rank computes from its own rows.
        self._own_buffers = [
            node.key(name)
            for node in network
            for name in node.buffers
            if not _is_synchronized(node)
        ]
        self._empty: Tree = {}
        learned, itemsize = network.learned, np.dtype(be.dtype_name).itemsize
        self.buckets = Buckets(ranks, learned.shapes, itemsize)
        # A user's unit may write a gradient twice in one step and once in another.
        self._sends_early = (
            ranks.overlap
            and be.in_place
            and be.on_host
            and len(self.buckets.parts) > 1
            and network.has_own_layers_only
        )
        self._buffer: np.ndarray | None = None

    @functools.cached_property
    def training(self) -> Program:
        """The program of a training step."""
        across = Across(self.network.backend, self.ranks) if self.synchronized else None
        program = Program(
            self.network, training=True, keeps=True, absorbs=True, across=across
        )
        if self._sends_early:
            program.run.written = Writes(self._wrote)
        return program

    def _wrote(self, path: str) -> None:
        """Send the parts that are complete, now that a gradient was written."""
        if self._buffer is None:
            return
        for part in self.buckets.wrote(path):
            self.buckets.send(self._buffer[part])
        self.ranks.go_on()

    def expect(self, outputs: tuple[int, ...], weighted: bool) -> None:
        """Prepare for outputs of a shape, of weighted samples or not."""
        self._empty = empty_statistics(self.network, outputs, weighted)

    def train_share(self, state: Tree, batch: Batch, share: Share, step: int) -> None:
        """Take the training step of this number, with the rank's part of its batch."""
        draws = self._share_draws
        draws.step, draws.share = step, share
        self._buffer = self._host_buffer(state.get("gradients", {}))
        self.buckets.begin()
        weigh = Part(self, share)
        if share.count:
            gradients, values = self._own_gradients(state, batch, weigh)
        else:
            gradients = self._no_gradients(state, batch, weigh)
            values = self._empty
        values, gradients = self.over_ranks(
            state, values, self._empty, gradients, share
        )
        self._learn(state, gradients, values, weigh.divides)

    def _own_gradients(
        self, state: Tree, batch: Batch, weigh: Part
    ) -> tuple[Arrays, Tree]:
        """Return gradients and statistics of the rank's rows."""
        network, draws = self.network, self._share_draws
        self.buckets.begin()
        gradients, values = gradient_pass(
            network, self.training, state, batch, draws, weigh
        )
        self.buckets.end_pass()
        return gradients, batch_sums(network, self._empty, values)

    def _learn(
        self, state: Tree, gradients: Arrays, values: Tree, divides: bool
    ) -> None:
        """Learn from gradients and statistics of the whole batch."""
        if divides:
            divide(self.network.backend, gradients, values["count"])
        learn(self.network, self.training, state, gradients, values, 0)

    def _no_gradients(self, state: Tree, batch: Batch, weigh: Part) -> Any:
        """Return gradients of 0, and take part in the units' common computations."""
        be, program, draws = self.network.backend, self.training, self._share_draws
        root = program.begin(state, draws)
        counts = self.network.training_loss.sample_counts(be, batch.y)
        count = 0 if counts is None and batch.weight is None else be.constant(0.0)
        if self.synchronized:
            y_pred, residuals = root.fwd(batch.x)
            weigh(count)
            root.bwd(residuals, be.xp.zeros_like(y_pred))
            self.buckets.end_pass()
            return program.gradients(state)
        weigh(count)
        gradients = state.get("gradients") or self.network.learned.zeros()
        for block in gradients.values() if be.in_place else ():
            block[...] = 0.0
        return gradients

    # Communication between ranks.

    def over_ranks(
        self,
        state: Tree,
        values: Tree,
        empty: Tree,
        gradients: Any = None,
        share: Share | None = None,
    ) -> tuple[Tree, Any]:
        """Return statistics and gradients over all ranks.

        There are two messages: the gradients, and all other numbers in float64. Buffers
        move to the mean of where the ranks would move them.

        Parameters
        ----------
        state : dict
        values : dict
            Statistics of this rank's rows, summed.
        empty : dict
            Those of no row.
        gradients : dict, optional
        share : Share, optional
            This rank's part of the batch, if it is learned from.
        """
        be, ranks, metrics = self.network.backend, self.ranks, self.network.metrics
        host = read_back(be, values)
        added = [host["loss"], host["count"]]
        combined: list[np.ndarray] = []
        for metric in metrics:
            into = added if metric.combines_by_sums else combined
            # In a fixed order, whatever the order in the metric's methods.
            read = host["metrics"][metric.name]
            into += [read[key] for key in empty["metrics"][metric.name]]
        moved = [] if share is None else self._buffer_changes(state, share)
        own = joined([np.array([float(self.interrupts.own)]), *combined])
        by_rank = np.zeros((ranks.size, own.size))
        by_rank[ranks.rank] = own
        message = joined([by_rank, *added, *moved])
        gradients = self._summed(gradients or {}, message)
        by_rank = message[: by_rank.size].reshape(by_rank.shape)
        self.interrupts.agree(by_rank[:, 0].tolist())
        numbers = _Numbers(message, by_rank.size)
        found: Tree = {
            key: be.asarray(numbers.take(()), be.dtype) for key in ("loss", "count")
        }
        found["metrics"] = {}
        start = 1
        for metric in metrics:
            nothing = empty["metrics"][metric.name]
            if metric.combines_by_sums:
                found["metrics"][metric.name] = self._placed(nothing, numbers)
                continue
            size = sum(math.prod(leaf.shape) for leaf in leaves(nothing))
            total = map_leaves(lambda leaf: be.xp.asarray(leaf, copy=True), nothing)
            for row in by_rank[:, start : start + size]:
                total = metric.combine(be, total, self._placed(nothing, _Numbers(row)))
            found["metrics"][metric.name] = total
            start += size
        if moved:
            pending = self.training.run.pending
            for path in self._own_buffers:
                old = state["buffers"][path]
                moved_by = be.asarray(numbers.take(tuple(old.shape)), be.dtype)
                pending[path] = old + moved_by
        return found, gradients

    def _placed(self, like: Tree, numbers: _Numbers) -> Tree:
        """Return the next numbers in the shapes and dtypes of a tree."""
        be = self.network.backend
        return map_leaves(
            lambda leaf: be.asarray(numbers.take(tuple(leaf.shape)), leaf.dtype), like
        )

    def _buffer_changes(self, state: Tree, share: Share) -> list[np.ndarray]:
        """Return how much this rank moves each buffer, for its part of the batch."""
        be, pending, buffers = (
            self.network.backend, self.training.run.pending, state["buffers"],
        )  # fmt: skip
        return [
            np.zeros(buffers[path].shape)
            if path not in pending
            else share.part * np.asarray(be.to_numpy(pending[path] - buffers[path]))
            for path in self._own_buffers
        ]

    def _summed(self, gradients: Any, message: np.ndarray) -> Any:
        """Sum gradients and a message over all ranks; return the gradients."""
        be = self.network.backend
        if gradients and self.ranks.takes(be.name):
            self.ranks.sum_in_place(list(gradients.values()))
            self.ranks.sum([message])
            return gradients
        if not gradients:
            self.ranks.sum([message])
            return gradients
        if self._buffer is not None:
            self.buckets.end(self._buffer, message)
            return gradients
        # If arrays cannot be written to, and on other devices.
        whole = np.concatenate([be.to_numpy(b).ravel() for b in gradients.values()])
        self.ranks.begin_sum(whole)
        self.ranks.end_sums([message])
        numbers = _Numbers(whole)
        summed = {
            key: be.asarray(numbers.take(tuple(block.shape)), block.dtype)
            for key, block in gradients.items()
        }
        if not be.in_place:
            return summed
        for key, block in summed.items():
            be.assign(gradients, key, block)
        return gradients

    def _host_buffer(self, blocks: Arrays) -> np.ndarray | None:
        """Return the memory of all gradients as a NumPy array, if that is possible."""
        if list(blocks) != [FLAT]:
            return None
        view = self.network.backend.host_view(blocks[FLAT])
        return view if view is not None and view.flags.c_contiguous else None


def divide(be: Backend, gradients: Arrays, count: Array) -> None:
    """Divide gradients by the count of the whole batch; if that is 0, they are 0."""
    one = be.constant(1.0)
    factor = be.xp.where(count > 0, one / be.xp.where(count > 0, count, one), 0.0)
    for key, block in gradients.items():
        if be.in_place:
            block *= factor
        else:
            gradients[key] = block * factor


def _is_synchronized(node: Node) -> bool:
    """Return whether a unit computes with the rows of all ranks."""
    return getattr(node.unit, "synchronized", False)


class Part:
    """The share of a batch's loss that belongs to a rank's rows, by their count.

    Attributes
    ----------
    share : Share
    divides : bool
        Whether gradients are still to be divided by the count of the whole batch.
    """

    def __init__(self, executor: RanksExecutor, share: Share) -> None:
        self._executor, self.share = executor, share
        loss = executor.network.training_loss
        self._mean, self.divides = loss.reduction == "mean", False

    def __call__(self, count: Array | int) -> Array | float:
        """Return the share, or the count if the division comes later."""
        if not self._mean:
            return 1.0
        executor, be = self._executor, self._executor.network.backend
        if isinstance(count, int):
            return self.share.part
        if not executor.synchronized:
            self.divides = True
            return count
        # Common computations of units belong to one loss, so its scale is needed
        # before.
        whole = np.array([read_number(be, count)])
        executor.ranks.sum([whole])
        return count / float(whole[0]) if whole[0] > 0 else 0.0


class _Numbers:
    """Cuts arrays off a row of numbers, one after the other."""

    def __init__(self, row: np.ndarray, start: int = 0) -> None:
        self._row, self._start = row, start

    def take(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the next array of this shape."""
        stop = self._start + math.prod(shape)
        cut = self._row[self._start : stop].reshape(shape)
        self._start = stop
        return cut
