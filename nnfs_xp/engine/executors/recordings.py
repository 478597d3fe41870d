"""What is recorded on NumPy: a training step, and a prediction."""

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
    Noted,
    RecordedDraws,
    Recorder,
    Recording,
    mapped,
    placed,
    values,
)
from nnfs_xp.engine.step import Batch, Tree, train_step

Path = tuple[str, ...]


class Recorded:
    """Calls on arrays of a few shapes, on whichever state they are given.

    Making it makes the calls once.

    Parameters
    ----------
    network : Network
    state : dict
    given : list of array or None
        What comes anew each time.
    function : callable
        Given the recorder, a network, a state and what is given, all of them noted. It
        returns a tree of noted arrays, and changes no more than elements of arrays.

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
    # That it was asked for last, and all that is in it.
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
        """What it takes, in words."""
        size = f"{self.nbytes / 1e6:.1f} MB of buffers"
        return f"recorded: {self.calls} calls, {size}"

    def take(self, state: Tree, given: list[Any]) -> bool:
        """Make the calls, and return whether they were made.

        A new state is noted, and nothing is called: binding the calls to its arrays
        only pays off when it comes again.
        """
        if self._state is not state:
            self.release()
            self._state = state
            return False
        if self._bound is None or not all(
            slots[key] is value for slots, key, value in self._slots
        ):
            self._bind(state)
        assert self._bound is not None
        self._bound(given)
        self.outputs = self._bound.outputs
        return True

    def release(self) -> None:
        """Give up all buffers, and the arrays of the state."""
        self._bound = self._state = self.outputs = None
        self._slots = ()

    def _bind(self, state: Tree) -> None:
        """Make the calls on the arrays of a state from now on."""
        leaves = {path: leaf for path, leaf in leaves_of(state) if path[0] != "batch"}
        self._bound = self._recording.bind(leaves)
        self._state, self._slots = state, list(_slots(state))


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
