"""The recorded executor: on NumPy a step is recorded once, and then made again.

A step of a small network is some hundred calls of NumPy, and what Python does between
them takes as long as they do. A recording has these calls only, bound to arrays that
stay where they are; see `nnfs_xp.engine.recording`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnfs_xp.engine.network import Network
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.recording import (
    Bound,
    CannotRecord,
    MadeWhole,
    Noted,
    RecordedDraws,
    Recorder,
    Recording,
    StalePlanError,
    mapped,
    placed,
    values,
)
from nnfs_xp.engine.step import Batch, EagerExecutor, Rows, Tree, train_step
from nnfs_xp.errors import BackendUnavailableError

Path = tuple[str, ...]

# Of how many shapes recordings are kept.
_MOST_SHAPES = 16


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
        self._steps: dict[Any, RecordedStep | None] = {}

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network cannot be run so: empty, as any may be."""
        return ""

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Give up the arrays of the training before."""
        self.release()

    def release(self) -> None:
        """Give up all buffers; recordings stay."""
        for recorded in self._steps.values():
            if recorded is not None:
                recorded.release()

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, writing to `state`."""
        given = _arrays(batch)
        kind = _kind(given)
        recorded = self._steps.get(kind)
        self._draws.step = step
        if recorded is not None and self._taken(recorded, kind, state, given):
            state["batch"] = recorded.outputs
        elif recorded is None and kind in self._steps and self._records:
            self._steps[kind] = self._recorded(state, batch)
        elif (in_rows := _row_by_row(batch)) is not batch:
            self.train(state, in_rows, step)
        else:
            self._steps.setdefault(kind, None)
            if len(self._steps) > _MOST_SHAPES:
                del self._steps[next(iter(self._steps))]
            super().train(state, batch, step)

    def _taken(self, step: RecordedStep, kind: Any, state: Tree, given: Any) -> bool:
        """Take a recorded step, and return whether it was taken."""
        try:
            return step.take(state, given)
        except StalePlanError:
            # It is recorded anew with the next batch of this shape.
            self._steps[kind] = None
            return False

    def _recorded(self, state: Tree, batch: Batch) -> RecordedStep | None:
        """Take a step and record it; None if that is impossible."""
        saved, step = _saved(state), None
        try:
            while step is None:
                try:
                    step = RecordedStep(self.network, state, batch, self._draws)
                except MadeWhole:
                    _write_back(saved)
        except BaseException as error:
            _write_back(saved)
            if not isinstance(error, Exception):
                raise
            self._give_up(error)
            super().train(state, batch, self._draws.step)
            return None
        self.note = step.note
        return step

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


class RecordedStep:
    """A training step for batches of one shape, on whichever state it is given.

    Making it takes the step.

    Parameters
    ----------
    network : Network
    state : dict
        Written to.
    batch : Batch
    draws : HostDraws
        Knows the number of each step.

    Attributes
    ----------
    outputs : dict
        The statistics of the last batch.
    calls : int
        Number of calls.
    nbytes : int
        Memory of all buffers.
    """

    outputs: Any
    _bound: Bound | None = None
    # That it was asked for last, and all that is in it.
    _state: Tree | None = None
    _slots: Sequence[tuple[Tree, str, Any]] = ()

    def __init__(self, network: Network, state: Tree, batch: Batch, draws: Any) -> None:
        recorder = Recorder(network.backend)  # type: ignore[arg-type]
        twin = copy.copy(network)
        twin.backend = recorder.backend
        noted = _noted(recorder, state)
        before = dict(_leaves(noted))
        *x, y, weight = (
            None if one is None else recorder.known(one, given=number)
            for number, one in enumerate(_arrays(batch))
        )
        inputs = tuple(x) if isinstance(batch.x, tuple) else x[0]
        train_step(
            twin,
            Program(twin, training=True, keeps=True, absorbs=True),
            noted,
            Batch(inputs, y, weight, batch.rescaled),
            RecordedDraws(recorder, draws),
        )
        outputs = _of_its_own(recorder, noted.pop("batch"))
        for path, leaf in _leaves(noted):
            if leaf is not before.get(path):
                raise CannotRecord(f"{'.'.join(path)} was given a new array")
        state["batch"] = mapped(values(outputs), np.ndarray, lambda a: a.copy())
        self._recording = Recording(recorder.calls, placed(outputs))
        self._bind(state)
        assert self._bound is not None
        self.calls, self.nbytes = len(self._recording.calls), self._bound.nbytes

    @property
    def note(self) -> str:
        """What it takes, in words."""
        size = f"{self.nbytes / 1e6:.1f} MB of buffers"
        return f"recorded: {self.calls} calls, {size}"

    def take(self, state: Tree, given: list[Any]) -> bool:
        """Take the step on a batch, and return whether it was taken.

        It is not where the state has other arrays than the last time: to be bound to
        them is only worth while if they come again.
        """
        if self._bound is None or not all(
            slots[key] is value for slots, key, value in self._slots
        ):
            if self._state is not state:
                self.release()
                self._state = state
                return False
            self._bind(state)
        assert self._bound is not None
        self._bound(given)
        return True

    def release(self) -> None:
        """Give up all buffers, and the arrays of the state."""
        self._bound = self._state = self.outputs = None
        self._slots = ()

    def _bind(self, state: Tree) -> None:
        """Make the calls on the arrays of a state from now on."""
        leaves = {path: leaf for path, leaf in _leaves(state) if path[0] != "batch"}
        self._bound = self._recording.bind(leaves)
        self.outputs = self._bound.outputs
        self._state, self._slots = state, list(_slots(state))


def _arrays(batch: Batch) -> list[Any]:
    """Return inputs, targets and weights."""
    x, y, weight = batch.x, batch.y, batch.weight
    return [*x, y, weight] if isinstance(x, tuple) else [x, y, weight]


def _kind(arrays: list[Any]) -> tuple[Any, ...]:
    """Return what says whether the same calls can be made on arrays."""
    return tuple(
        [a if a is None else (a.shape, a.strides, a.dtype.num) for a in arrays]
    )


def _row_by_row(batch: Batch) -> Batch:
    """Return a batch of arrays whose elements lie row by row; most do."""
    arrays = _arrays(batch)
    if all(one is None or one.flags.c_contiguous for one in arrays):
        return batch
    *x, y, weight = (a if a is None else np.ascontiguousarray(a) for a in arrays)
    several = isinstance(batch.x, tuple)
    return Batch(tuple(x) if several else x[0], y, weight, batch.rescaled)


def _leaves(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each leaf of a tree with its path."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _slots(tree: Tree) -> Iterator[tuple[Tree, str, Any]]:
    """Yield dict, key and value of all that is in a state but the last batch."""
    for key, value in tree.items():
        if key != "batch":
            yield tree, key, value
            if isinstance(value, dict):
                yield from _slots(value)


def _noted(recorder: Recorder, tree: Tree, path: Path = ()) -> Tree:
    """Return a state with noted arrays, without the last batch."""
    return {
        key: _noted(recorder, value, (*path, key))
        if isinstance(value, dict)
        else recorder.known(value, state=(*path, key))
        for key, value in tree.items()
        if (*path, key) != ("batch",)
    }


def _of_its_own(recorder: Recorder, tree: Any) -> Any:
    """Return a tree in which nothing lies in the state or in the batch."""
    return mapped(
        tree,
        Noted,
        lambda noted: noted if noted.memory.is_temporary else recorder.copied(noted),
    )


def _saved(state: Tree) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the arrays that a step changes, each with a copy."""
    return [
        (leaf, leaf.copy())
        for path, leaf in _leaves(state)
        if path[0] not in ("gradients", "frozen", "batch")
    ]


def _write_back(saved: list[tuple[np.ndarray, np.ndarray]]) -> None:
    for array, value in saved:
        array[...] = value
