"""The recorded executor: on NumPy a step is recorded once, and then made again.

A step of a small network is some hundred calls of NumPy, and what Python does between
them takes as long as they do. A recording has these calls only, bound to arrays that
stay where they are; see `nnfs_xp.engine.recording`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnfs_xp.engine.executors.recordings import (
    Recorded,
    arrays_of,
    leaves_of,
    recorded_prediction,
    recorded_step,
)
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.recording import CannotRecord, MadeWhole, StalePlanError, mapped
from nnfs_xp.engine.step import Batch, EagerExecutor, Rows, Tree
from nnfs_xp.errors import BackendUnavailableError

# Of how many shapes recordings are kept.
_MOST_SHAPES = 16
# Bytes of buffers that a model keeps for predictions of a shape.
_MOST_KEPT = 2**22


class RecordedExecutor(EagerExecutor):
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
        self.note = "recorded when a batch of the same shape comes again"
        self._records = True
        # None for a shape that has come once.
        self._steps: dict[Any, Recorded | None] = {}
        self._predictions: dict[Any, Recorded | None] = {}
        self._large: dict[Any, Recorded | None] = {}
        # Two threads may predict at the same time, with one set of buffers.
        self._predicting = threading.Lock()
        self._plays = all(
            type(node.unit).__module__.startswith("nnfs_xp.") for node in network
        )

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network cannot be run so: empty, as any may be."""
        return ""

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Give up the arrays of the training before."""
        self.release()

    def release(self) -> None:
        """Give up the buffers of steps; recordings stay."""
        for recorded in self._steps.values():
            if recorded is not None:
                recorded.release()

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, writing to `state`."""
        given = arrays_of(batch)
        kind = _kind(given)
        recorded = self._steps.get(kind)
        self._draws.step = step
        if recorded is not None and self._taken(
            recorded, self._steps, kind, state, given
        ):
            state["batch"] = recorded.outputs
        elif recorded is None and kind in self._steps and self._records:
            self._steps[kind] = self._recorded(state, batch)
        elif (in_rows := _row_by_row(batch)) is not batch:
            self.train(state, in_rows, step)
        else:
            _remember(self._steps, kind)
            super().train(state, batch, step)

    def _taken(
        self, recorded: Recorded, among: Any, kind: Any, state: Tree, given: list[Any]
    ) -> bool:
        """Make recorded calls, and return whether they were made."""
        try:
            return recorded.take(state, given)
        except StalePlanError:
            # They are recorded anew with the next batch of this shape.
            among[kind] = None
            return False

    def _recorded(self, state: Tree, batch: Batch) -> Recorded | None:
        """Take a step and record it; None if that is impossible."""
        saved = _saved(state)
        try:
            step = _made(
                lambda: recorded_step(self.network, state, batch, self._draws),
                lambda: _write_back(saved),
            )
            state["batch"] = step.outputs
        except BaseException as error:
            _write_back(saved)
            if not isinstance(error, Exception):
                raise
            self._give_up(error)
            super().train(state, batch, self._draws.step)
            return None
        self.note = step.note
        return step

    def predict(self, state: Tree, x: Any) -> Any:
        """Return the output of the network."""
        found = None
        if self._plays and self._predicting.acquire(blocking=False):
            try:
                found = self._predicted(state, x)
            finally:
                self._predicting.release()
        return super().predict(state, x) if found is None else found

    def _predicted(self, state: Tree, x: Any) -> Any:
        """Return the output as it was recorded; None for what is not."""
        given = list(x) if isinstance(x, tuple) else [x]
        kind = _kind(given)
        if kind not in self._predictions:
            if kind not in self._large and all(a.flags.c_contiguous for a in given):
                _remember(self._predictions, kind)
            return None
        recorded = self._predictions[kind]
        if recorded is not None:
            taken = self._taken(recorded, self._predictions, kind, state, given)
            return mapped(recorded.outputs, np.ndarray, np.copy) if taken else None
        try:
            made = _made(lambda: recorded_prediction(self.network, state, x))
        except Exception:
            # What is wrong with units or data, the pass step by step will say.
            self._plays = False
            return None
        if made.nbytes <= _MOST_KEPT:
            self._predictions[kind] = made
        else:
            del self._predictions[kind]
            _remember(self._large, kind)
        return made.outputs

    def _give_up(self, error: Exception) -> None:
        reason = str(error)
        if not isinstance(error, CannotRecord):
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        if self.required:
            raise BackendUnavailableError(
                f"compile='require', and the step cannot be recorded: {reason}"
            ) from error
        self._records = False
        self.note = f"step by step (not recorded: {reason})"


def _remember(shapes: dict[Any, Recorded | None], kind: Any) -> None:
    """Note that arrays of a kind have come once, and forget the oldest kind."""
    shapes.setdefault(kind, None)
    if len(shapes) > _MOST_SHAPES:
        del shapes[next(iter(shapes))]


def _made(
    make: Callable[[], Recorded], undo: Callable[[], None] = lambda: None
) -> Recorded:
    """Return a recording, made anew when a kernel turns out to read values."""
    while True:
        try:
            return make()
        except MadeWhole:
            undo()


def _kind(arrays: list[Any]) -> tuple[Any, ...]:
    """Return what says whether the same calls can be made on arrays."""
    return tuple(
        [a if a is None else (a.shape, a.strides, a.dtype.num) for a in arrays]
    )


def _row_by_row(batch: Batch) -> Batch:
    """Return a batch of arrays whose elements lie row by row; most do."""
    arrays = arrays_of(batch)
    if all(one is None or one.flags.c_contiguous for one in arrays):
        return batch
    *x, y, weight = (a if a is None else np.ascontiguousarray(a) for a in arrays)
    several = isinstance(batch.x, tuple)
    return Batch(tuple(x) if several else x[0], y, weight, batch.rescaled)


def _saved(state: Tree) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the arrays that a step changes, each with a copy."""
    return [
        (leaf, leaf.copy())
        for path, leaf in leaves_of(state)
        if path[0] not in ("gradients", "frozen", "batch")
    ]


def _write_back(saved: list[tuple[np.ndarray, np.ndarray]]) -> None:
    for array, value in saved:
        array[...] = value
