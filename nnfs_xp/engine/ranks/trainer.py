"""The training loop on several ranks."""

from __future__ import annotations

import dataclasses
import importlib
import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.engine.data import Data, FitPlan, each
from nnfs_xp.engine.device_batches import Gather
from nnfs_xp.engine.interrupts import DeferredInterrupts
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.ranks.executor import RanksExecutor
from nnfs_xp.engine.ranks.interrupts import AgreedInterrupts
from nnfs_xp.engine.ranks.run import RanksRun
from nnfs_xp.engine.ranks.shares import RanksPlan
from nnfs_xp.engine.state import State, Steps
from nnfs_xp.engine.statistics import empty_statistics, figures_of
from nnfs_xp.engine.step import Batch
from nnfs_xp.engine.trainer import Trainer
from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.history import History
from nnfs_xp.io.run_file import Run
from nnfs_xp.parallel import Communicator


class RankBatches:
    """Cuts this rank's part of every batch out of the data.

    Parameters
    ----------
    trainer : RanksTrainer
    plan : RanksPlan
    """

    def __init__(self, trainer: RanksTrainer, plan: RanksPlan) -> None:
        self.trainer, self.plan = trainer, plan
        self._order: np.ndarray | None = None

    def begin(self) -> None:
        """Prepare for training."""
        data = self.plan.data
        self.trainer.executor.expect(data.outputs, data.weighted)

    def end(self) -> None:
        """Give up everything that was only for this training."""
        self.trainer.executor.release()

    def begin_epoch(self, epoch: int) -> None:
        """Take the order of an epoch, which is that of all ranks."""
        state, data = self.trainer.state, self.plan.data
        state.reset_totals(data.outputs, data.weighted)
        self._order = self.plan.order(state.network.seed, epoch)

    def train(self, batches: Sequence[slice], steps: Steps) -> None:
        """Take steps on batches, by their rows in the order."""
        trainer, plan = self.trainer, self.plan
        state, every = trainer.state, trainer.ranks.check_every
        # Steps first: when they end, no further batch is taken.
        for step, rows in zip(steps, batches, strict=False):
            share = plan.share(self._order, rows)
            batch = self._gathered(share.rows)
            trainer.executor.train_share(state.tree, batch, share, step)
            if (step + 1) % every == 0:
                trainer.check_same_bits(step + 1)

    def _gathered(self, rows: np.ndarray) -> Batch:
        """Return these rows of the data on the device."""
        data, be = self.plan.data, self.trainer.state.network.backend
        several = isinstance(data.x, tuple)
        gather = Gather(len(rows), data.ids, several, None)
        order, first = data.be.asarray(rows, "int32"), 0
        if self._order is None and len(rows):
            # Consecutive rows are not copied.
            order, first = None, int(rows[0])
        batch = gather(data.be, (data.arrays, order), first)
        if data.be == be:
            return batch
        x, y, weight = batch.x, batch.y, batch.weight
        weight = None if weight is None else be.asarray(weight)
        return Batch(each(be.asarray, x), be.asarray(y), weight)


class RanksTrainer(Trainer):
    """Trains the network of a state on several ranks.

    Parameters
    ----------
    state : State
    ranks : Communicator
    compile : str
        See `nnfs_xp.engine.executors.check_mode`.
    """

    def __init__(self, state: State, ranks: Communicator, compile: str) -> None:
        super().__init__(state, executor_for_ranks(state.network, ranks, compile))
        self.ranks = ranks

    @classmethod
    def of(
        cls, trainer: Trainer, ranks: Communicator, compile: str, changed: bool
    ) -> RanksTrainer:
        """Return the trainer over ranks for this trainer, an earlier one if it fits."""
        known = trainer.of_ranks
        if known is None or known.ranks is not ranks or changed:
            known = trainer.of_ranks = cls(trainer.state, ranks, compile)
        return known

    def check_start(self) -> None:
        """Raise InputError unless all ranks have the same network and values."""
        network, counters = self.state.network, self.state.counters
        settings = ("overlap", "bucket_bytes", "compress", "check_every")
        self.ranks.check_same(
            {
                **{name: getattr(self.ranks, name) for name in settings},
                "dtype": network.backend.dtype_name,
                "seed": network.seed,
                "epochs_trained": counters.epochs,
                "steps_trained": counters.steps,
                "the model": _described(network),
                "the values of parameters (a checksum)": self.digest(),
            }
        )

    def digest(self) -> str:
        """Return a checksum of all parameters and buffers."""
        be, tree, found = self.state.network.backend, self.state.tree, 0
        for part in ("parameters", "frozen", "buffers"):
            for array in tree[part].values():
                host = be.host_view(array)
                host = be.to_numpy(array) if host is None else host
                found = zlib.crc32(np.ascontiguousarray(host).data, found)
        return f"{found:08x}"

    def check_same_bits(self, step: int) -> None:
        """Raise ParallelError if the parameters of ranks differ."""
        self.ranks.check_same_bits(self.digest(), step)

    def fit(self, plan: FitPlan, model: Any, run: Run) -> History:
        """Train, and return a record of each epoch; see `Trainer`."""
        assert isinstance(run, RanksRun)
        self.check_start()
        return super().fit(
            dataclasses.replace(plan, callbacks=run.callbacks), model, run
        )

    def _interrupts(self, run: Run) -> DeferredInterrupts:
        interrupts = AgreedInterrupts(terminate=run.path is not None)
        self.executor.interrupts = run.interrupts = interrupts  # type: ignore[attr-defined]
        return interrupts

    def _batches(self, plan: FitPlan) -> Any:
        return RankBatches(self, plan)  # type: ignore[arg-type]

    def _end_epoch(
        self,
        plan: FitPlan,
        run: Run,
        record: dict[str, Any],
        interrupts: DeferredInterrupts,
    ) -> None:
        assert isinstance(interrupts, AgreedInterrupts)
        self.check_same_bits(self.state.counters.steps)
        # The time is that of rank 0; everything else is the same.
        found = self.ranks.exchange((record, interrupts.own))
        interrupts.agree([own for _, own in found])
        super()._end_epoch(plan, run, found[0][0], interrupts)

    def evaluate(self, data: Data, batch_size: int | None = 1024) -> dict[str, Any]:
        """Return loss and metrics of checked data, of which each rank has a part."""
        network, count = self.state.network, data.samples
        empty, totals = (
            empty_statistics(network, data.outputs, data.weighted) for _ in range(2)
        )
        own = slice(0, count) if self.ranks.sharded else self.ranks.rows(count)
        if own.stop > own.start:
            self._add(totals, data.rows(own), batch_size)
        totals = self.executor.over_ranks({}, totals, empty)[0]
        return figures_of(network, totals)


def _described(network: Network) -> str:
    """Return the units of a network in words, without addresses of functions."""
    units = [network.root, network.loss, network.optimizer, *network.metrics]
    return re.sub(" at 0x[0-9a-f]+", "", repr(units))


def executor_for_ranks(
    network: Network, ranks: Communicator, compile: str
) -> RanksExecutor:
    """Return the executor of a network's steps on several ranks.

    Raises
    ------
    BackendUnavailableError
        If a compiled step is required, and there is none.
    """
    plain, be = RanksExecutor(network, ranks), network.backend
    reason = f"there is no compiled step for several ranks on backend {be.name!r}"
    if be.ranks_executor and plain.synchronized:
        reason = "a compiled step on several ranks cannot have a synchronized layer"
    elif be.ranks_executor and compile != "off":
        module, _, name = be.ranks_executor.partition(":")
        executor: RanksExecutor = getattr(importlib.import_module(module), name)(
            network, ranks, compile == "require"
        )
        return executor
    if compile == "require":
        raise BackendUnavailableError(f"compile='require', and {reason}")
    return plain
