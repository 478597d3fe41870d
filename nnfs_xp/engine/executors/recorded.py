"""The recorded executor: on NumPy, a step is recorded once, and then replayed.

A step of a small network makes about a hundred calls of NumPy, and the Python code
between them takes as long as they do. A recording has these calls only, bound to arrays
that stay where they are; see `nnfs_xp.engine.recording`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnfs_xp.engine.executors.recorded_predictions import PredictsRecorded
from nnfs_xp.engine.executors.recordings import (
    Recorded,
    arrays_of,
    kind_of,
    made,
    recorded_prediction,
    recorded_step,
    remember,
    row_by_row,
    saved,
    why_not_recorded,
    write_back,
)
from nnfs_xp.engine.held import Held, Watch, held
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.recording import CannotRecord, StalePlanError, mapped
from nnfs_xp.engine.step import Batch, Rows, Tree

# Bytes of buffers that a model keeps for predictions of a shape.
_MOST_KEPT = 2**22


class RecordedExecutor(PredictsRecorded):
    """Records a step for each shape of a batch, when it comes a second time.

    Parameters
    ----------
    network : Network
        What to run.
    required : bool
        Whether a training step that cannot be recorded is an error. If not, it is run
        step by step, and `note` says why.
    """

    name = "recorded"

    def __init__(self, network: Network, required: bool) -> None:
        super().__init__(network)
        self.required = required
        self.note = "recorded when a batch of the same shape occurs again"
        self._records = True
        # None for a shape that has come once.
        self._steps: dict[Any, Recorded | None] = {}
        self._predictions: dict[Any, Recorded | None] = {}
        self._large: dict[Any, Recorded | None] = {}
        # What units of a user's own held when steps were recorded.
        self._held: Held = {}

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network cannot be run this way: empty, because any can."""
        return ""

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Give up the arrays of the previous training."""
        self.release()

    def release(self) -> None:
        """Give up the buffers of steps; recordings stay."""
        for recorded in self._steps.values():
            if recorded is not None:
                recorded.release()

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, writing to `state`."""
        given = arrays_of(batch)
        kind = kind_of(given)
        self._draws.step = step
        if (now := held(self.network)) != self._held:
            self._steps, self._held = {}, now
        recorded = self._steps.get(kind)
        if recorded is not None and self._taken(
            recorded, self._steps, kind, state, given
        ):
            state["batch"] = recorded.outputs
        elif recorded is None and kind in self._steps and self._records:
            self._steps[kind] = self._recorded(state, batch)
        elif (in_rows := row_by_row(batch)) is not batch:
            self.train(state, in_rows, step)
        else:
            remember(self._steps, kind)
            watch = Watch(self.network)
            super().train(state, batch, step)
            if self._records and (what := watch.changed()):
                self._give_up(CannotRecord(what))

    def _taken(
        self, recorded: Recorded, among: Any, kind: Any, state: Tree, given: list[Any]
    ) -> bool:
        """Replay recorded calls, and return whether that was done."""
        try:
            return recorded.take(state, given)
        except StalePlanError:
            # They are recorded anew with the next batch of this shape.
            among[kind] = None
            return False

    def _recorded(self, state: Tree, batch: Batch) -> Recorded | None:
        """Take a step and record it; None if that is impossible."""
        before = saved(state)
        try:
            step = made(
                lambda: recorded_step(self.network, state, batch, self._draws),
                lambda: write_back(before),
            )
            state["batch"] = step.outputs
        except BaseException as error:
            write_back(before)
            if not isinstance(error, Exception):
                raise
            self._give_up(error)
            super().train(state, batch, self._draws.step)
            return None
        self.note = step.note
        return step

    def _predicted(self, state: Tree, x: Any) -> Any:
        """Return the output of a recording; None if there is none."""
        given = list(x) if isinstance(x, tuple) else [x]
        kind = kind_of(given)
        if kind not in self._predictions:
            if kind not in self._large and all(a.flags.c_contiguous for a in given):
                remember(self._predictions, kind)
            return None
        recorded = self._predictions[kind]
        if recorded is not None:
            taken = self._taken(recorded, self._predictions, kind, state, given)
            return mapped(recorded.outputs, np.ndarray, np.copy) if taken else None
        try:
            found = made(lambda: recorded_prediction(self.network, state, x))
        except Exception:
            # Errors of units or data are reported by the pass step by step.
            self._plays = False
            return None
        if found.nbytes <= _MOST_KEPT:
            self._predictions[kind] = found
        else:
            del self._predictions[kind]
            remember(self._large, kind)
        return found.outputs

    def _give_up(self, error: Exception) -> None:
        reason = why_not_recorded(error, self.required)
        self._records = False
        self.note = f"step by step (not recorded: {reason})"
