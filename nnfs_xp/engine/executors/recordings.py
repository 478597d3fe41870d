"""Recordings on NumPy, of training steps and of predictions, and how they are kept."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
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
    mapped,
    placed,
    values,
)
from nnfs_xp.engine.step import Batch, Tree, train_step
from nnfs_xp.errors import BackendUnavailableError

Path = tuple[str, ...]
# Number of shapes whose recordings are kept.
_MOST_SHAPES = 16


class Recorded:
    """Calls on arrays of a few shapes, on whichever state they are given.

    Creating it makes the calls once.

    Parameters
    ----------
    network : Network
    state : dict
    given : list of array or None
        Arrays that are new each time.
    function : callable
        Called with the recorder, a network, a state and the given arrays, all of them
        noted. It returns a tree of noted arrays, and changes nothing except elements of
        arrays.

    Attributes
    ----------
    outputs : tree
        What was returned last, in buffers. After making it they are copies.
    calls : int
        Number of calls.
    nbytes : int
        Memory of all buffers.
    """

    _bound: Bound | None = None
    # The state of the last call, and all its slots.
    _state: Tree | None = None
    _slots: Sequence[tuple[Tree, str, Any]] = ()

    def __init__(
        self,
        network: Network,
        state: Tree,
        given: list[Any],
        function: Callable[[Recorder, Network, Tree, list[Any]], Any],
    ) -> None:
        recorder = Recorder(network.backend)  # type: ignore[arg-type]
        twin = copy.copy(network)
        twin.backend = recorder.backend
        noted = _noted(recorder, state)
        before = dict(leaves_of(noted))
        known = [
            None if one is None else recorder.known(one, given=number)
            for number, one in enumerate(given)
        ]
        outputs = _of_its_own(recorder, function(recorder, twin, noted, known))
        for path, leaf in leaves_of(noted):
            if leaf is not before.get(path):
                raise CannotRecord(f"{'.'.join(path)} was given a new array")
        copies = mapped(values(outputs), np.ndarray, lambda a: a.copy())
        self._recording = Recording(recorder.calls, placed(outputs))
        self._bind(state)
        assert self._bound is not None
        self.calls, self.nbytes = len(self._recording.calls), self._bound.nbytes
        self.outputs: Any = copies

    @property
    def note(self) -> str:
        """Its number of calls and its size, in words."""
        size = f"{self.nbytes / 1e6:.1f} MB of buffers"
        return f"recorded: {self.calls} calls, {size}"

    def take(self, state: Tree, given: list[Any]) -> bool:
        """Replay the calls, and return whether that was done.

        For a new state nothing is called: binding the calls to its arrays pays off only
        when it comes again.
        """
        if self._state is not state:
            self.release()
            self._state = state
            return False
        if self._bound is None or not self._is_bound_to_all():
            self._bind(state)
        assert self._bound is not None
        self._bound(given)
        self.outputs = self._bound.outputs
        return True

    def _is_bound_to_all(self) -> bool:
        """Return whether all arrays of the state are those that calls are bound to."""
        # No generator: this runs in every step, and takes half the time this way.
        return all([slots[key] is value for slots, key, value in self._slots])

    def release(self) -> None:
        """Give up all buffers, and the arrays of the state."""
        self._bound = self._state = self.outputs = None
        self._slots = ()

    def _bind(self, state: Tree) -> None:
        """Make the calls on the arrays of a state from now on."""
        leaves = {path: leaf for path, leaf in leaves_of(state) if path[0] != "batch"}
        self._bound = self._recording.bind(leaves)
        self._state, self._slots = state, list(slots_of(state))


def recorded_step(network: Network, state: Tree, batch: Batch, draws: Any) -> Recorded:
    """Take a training step, and record it.

    Parameters
    ----------
    network : Network
    state : dict
        Written to.
    batch : Batch
    draws : HostDraws
        Knows the number of each step.

    Returns
    -------
    Recorded
        Its outputs are the statistics of the batch.
    """

    def step(recorder: Recorder, twin: Network, noted: Tree, given: list[Any]) -> Any:
        *x, y, weight = given
        inputs = tuple(x) if isinstance(batch.x, tuple) else x[0]
        train_step(
            twin,
            Program(twin, training=True, keeps=True, absorbs=True),
            noted,
            Batch(inputs, y, weight, batch.rescaled),
            RecordedDraws(recorder, draws),
        )
        return noted.pop("batch")

    return Recorded(network, state, arrays_of(batch), step)


def recorded_prediction(network: Network, state: Tree, x: Any) -> Recorded:
    """Compute the outputs of a network, and record it.

    Parameters
    ----------
    network : Network
    state : dict
    x : array or tuple of array

    Returns
    -------
    Recorded
        Its outputs are those of the network.
    """

    def predict(
        recorder: Recorder, twin: Network, noted: Tree, given: list[Any]
    ) -> Any:
        inputs = tuple(given) if isinstance(x, tuple) else given[0]
        return Program(twin).begin(noted).fwd(inputs)[0]

    return Recorded(network, state, list(x) if isinstance(x, tuple) else [x], predict)


def arrays_of(batch: Batch) -> list[Any]:
    """Return inputs, targets and weights."""
    x, y, weight = batch.x, batch.y, batch.weight
    return [*x, y, weight] if isinstance(x, tuple) else [x, y, weight]


def leaves_of(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each leaf of a tree with its path."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves_of(value, (*path, key))
        else:
            yield (*path, key), value


def slots_of(tree: Tree) -> Iterator[tuple[Tree, str, Any]]:
    """Yield dict, key and value of everything in a state except the last batch."""
    for key, value in tree.items():
        if key != "batch":
            yield tree, key, value
            if isinstance(value, dict):
                yield from slots_of(value)


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
    """Return a tree in which no array shares memory with the state or the batch."""
    return mapped(
        tree,
        Noted,
        lambda noted: noted if noted.memory.is_temporary else recorder.copied(noted),
    )


def remember(shapes: dict[Any, Any], kind: Any) -> None:
    """Note that arrays of a kind have come once, and forget the oldest kind."""
    shapes.setdefault(kind, None)
    if len(shapes) > _MOST_SHAPES:
        del shapes[next(iter(shapes))]


def made(
    make: Callable[[], Recorded], undo: Callable[[], None] = lambda: None
) -> Recorded:
    """Return a recording, made anew when a kernel turns out to read values."""
    while True:
        try:
            return make()
        except MadeWhole:
            undo()


def kind_of(arrays: list[Any]) -> tuple[Any, ...]:
    """Return a key that tells whether the same calls can be made on arrays."""
    return tuple(
        [a if a is None else (a.shape, a.strides, a.dtype.num) for a in arrays]
    )


def row_by_row(batch: Batch) -> Batch:
    """Return a batch of arrays whose elements lie row by row; most do."""
    arrays = arrays_of(batch)
    if all(one is None or one.flags.c_contiguous for one in arrays):
        return batch
    *x, y, weight = (a if a is None else np.ascontiguousarray(a) for a in arrays)
    several = isinstance(batch.x, tuple)
    return Batch(tuple(x) if several else x[0], y, weight, batch.rescaled)


def saved(
    state: Tree, without: Sequence[str] = ("gradients", "frozen", "batch")
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the arrays that a step changes, each with a copy."""
    return [
        (leaf, leaf.copy()) for path, leaf in leaves_of(state) if path[0] not in without
    ]


def write_back(before: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Undo what was done to the arrays that `saved` has returned."""
    for array, value in before:
        array[...] = value


def why_not_recorded(error: Exception, required: bool) -> str:
    """Return in words why something cannot be recorded.

    Raises
    ------
    BackendUnavailableError
        If that is required.
    """
    reason = str(error)
    if not isinstance(error, CannotRecord):
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    if required:
        raise BackendUnavailableError(
            f"compile='require', and the step cannot be recorded: {reason}"
        ) from error
    return reason
