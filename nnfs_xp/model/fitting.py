"""The steps of `Model.fit` before training: check, place the data, make a plan."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nnfs_xp.arguments import check_choice, check_count, check_flag
from nnfs_xp.callbacks import Callback, PrintEpochs, check_callbacks
from nnfs_xp.engine.batching import check_batch_size
from nnfs_xp.engine.data import Data, FitPlan, placed
from nnfs_xp.engine.executors import executor_for
from nnfs_xp.engine.given_batches import GivenPlan
from nnfs_xp.engine.ranks import RanksPlan, RanksRun, RanksTrainer, check_split
from nnfs_xp.engine.trainer import Trainer
from nnfs_xp.errors import InputError
from nnfs_xp.io.run_file import Run
from nnfs_xp.model import batches, inputs
from nnfs_xp.model.columns import (
    check_columns,
    check_same_columns,
    keep_columns,
    names_of,
)
from nnfs_xp.model.memory import explain_out_of_memory
from nnfs_xp.model.own_units import explain_own_units

if TYPE_CHECKING:
    from nnfs_xp.model.model import Model


@dataclasses.dataclass(kw_only=True)
class Settings:
    """Arguments of `Model.fit` other than the data, checked.

    Raises
    ------
    InputError
        If one of them is not what `Model.fit` requires.
    """

    epochs: int
    steps_per_epoch: int | None
    batch_size: int | None
    validation_data: Any
    validation_split: float
    device_data_limit: int | None
    checkpoint: Any
    checkpoint_every: int
    resume: bool
    on_divergence: str
    parallel: Any
    callbacks: Any
    shuffle: bool
    verbose: bool
    watchers: list[Callback] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.epochs = check_count(self.epochs, "epochs")
        self.batch_size = check_batch_size(self.batch_size)
        self.validation_split = inputs.check_validation_split(
            self.validation_split, self.validation_data
        )
        if (limit := self.device_data_limit) is not None:
            self.device_data_limit = check_count(limit, "device_data_limit")
        self.checkpoint_every = check_count(self.checkpoint_every, "checkpoint_every")
        if check_flag(self.resume, "resume") and self.checkpoint is None:
            raise InputError("resume needs a checkpoint")
        check_choice(self.on_divergence, "on_divergence", ("raise", "continue"))
        if self.parallel is not None:
            check_split(self.validation_split, self.parallel)
        self.watchers = check_callbacks(self.callbacks)
        self.shuffle = check_flag(self.shuffle, "shuffle")
        if check_flag(self.verbose, "verbose"):
            self.watchers.append(PrintEpochs())


@contextlib.contextmanager
def prepared(
    model: Model, trainer: Trainer, x: Any, y: Any, sample_weight: Any, wanted: Settings
) -> Iterator[tuple[Trainer, FitPlan, Run]]:
    """Check the data, place it on the device, and give trainer, plan and run to fit.

    Inside, a device that runs out of memory is explained.
    """
    with model.backend.context():
        data, source, validation = _data(model, trainer, x, y, sample_weight, wanted)
        names = trainer.figure_names(validation is not None)
        inputs.check_monitors(wanted.watchers, names)
        with (
            explain_out_of_memory(trainer.state, data, wanted.batch_size),
            explain_own_units(model.backend),
        ):
            plan = _plan(data, source, validation, model, wanted)
            units_changed = _prepare_units(trainer, plan)
            if units_changed:
                trainer.executor = executor_for(trainer.state.network, model.compile)
            model.stop_training = False
            run = Run(model, plan, wanted.checkpoint, wanted.checkpoint_every)
            if (ranks := wanted.parallel) is not None:
                trainer = RanksTrainer.of(trainer, ranks, model.compile, units_changed)
                run = RanksRun(
                    ranks, model, plan, wanted.checkpoint, wanted.checkpoint_every
                )
            if wanted.resume:
                run.resume()
            keep_columns(model, source or x)
            yield trainer, plan, run


def _data(
    model: Model, trainer: Trainer, x: Any, y: Any, sample_weight: Any, wanted: Settings
) -> tuple[Data, Any, Any]:
    """Return the training data, the source of its batches, and the validation data."""
    network, share = trainer.state.network, wanted.validation_split
    data, source = batches.training_data(
        network, x, y, sample_weight, wanted.steps_per_epoch,
        batch_size=(wanted.batch_size, 128), validation_split=(share, 0.0),
        device_data_limit=(wanted.device_data_limit, None),
        checkpoint=(wanted.checkpoint, None), parallel=(wanted.parallel, None),
    )  # fmt: skip
    if model.steps_trained:
        check_columns(model, source or x)
    validation: Any = None
    if wanted.validation_data is not None:
        validation = batches.validation_data(
            network, wanted.validation_data, parallel=(wanted.parallel, None)
        )
        is_pair = isinstance(validation, Data)
        held_out = wanted.validation_data[0] if is_pair else validation
        learned_from = names_of(source or x)
        check_same_columns(learned_from, held_out, "validation_data x", "x has")
        if model.steps_trained:
            check_columns(model, held_out, "validation_data x")
    elif share:
        data, validation = inputs.split(data, share)
    # A process may have a part of the data in which nothing counts.
    if wanted.parallel is None:
        if source is None:
            inputs.check_some_count(network, data)
        if isinstance(validation, Data):
            held = "held-out part of " if share else "validation_data "
            inputs.check_some_count(network, validation, held)
    return data, source, validation


def _plan(
    data: Data, source: Any, validation: Any, model: Model, wanted: Settings
) -> FitPlan:
    """Return the plan of the epochs, its data on the device if there is room."""
    be, limit = model.backend, wanted.device_data_limit
    if isinstance(validation, Data):
        validation = placed(validation, be, limit)
    ends_early = wanted.on_divergence == "raise"
    settings = wanted.epochs, validation, limit, wanted.watchers, ends_early
    plan: FitPlan
    if source is None:
        data = placed(data, be, limit)
        plan = FitPlan(data, wanted.batch_size, wanted.shuffle, *settings)
    else:
        plan = GivenPlan(data, None, False, *settings, source=source)
    return plan if wanted.parallel is None else RanksPlan.of(plan, wanted.parallel)


def _prepare_units(trainer: Trainer, plan: FitPlan) -> bool:
    """Let loss and metrics see the targets; return whether one of them has changed."""
    network, be = trainer.state.network, plan.data.be
    y, weight = plan.targets
    # A list, because every unit must be asked.
    changed = [metric.prepare(be, y) for metric in network.metrics]
    changed.append(network.loss.prepare(be, y, weight, network.backend))
    return any(changed)
