"""The recorded executor of PyTorch on a CPU: a step is recorded once, then replayed.

A step of a small network makes about fifty calls of PyTorch, and the Python code
between them takes as long as they do.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch

from nnfs_xp.engine.executors.recorded_predictions import PredictsRecorded
from nnfs_xp.engine.executors.recordings import arrays_of, remember, slots_of
from nnfs_xp.engine.executors.torch_tape import NotedDraws, TorchTape
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import Batch, Rows, Tree, train_step
from nnfs_xp.kernels import kernel_mode
from nnfs_xp.trees import leaves, map_leaves

# Larger steps are not limited by calls, and their arrays are better freed early.
_MOST_BYTES = 2**23
# A batch that is smaller is copied in less time than calls are pointed to it.
_FEWEST_BYTES = 2**16
# Predictions for more are not limited by calls.
_MOST_COPIED = 2**18
_MOST_KEPT = 2**22
# What PyTorch aligns its memory to. Bits of products may depend on it.
_ALIGNED = 64


class TorchRecordedExecutor(PredictsRecorded):
    """Records a step for each shape of a batch, when it comes a second time.

    Parameters
    ----------
    network : Network
        What to run.
    required : bool
        Never true: a required compiled step uses ``torch.compile``.
    """

    name = "recorded"

    def __init__(self, network: Network, required: bool) -> None:
        super().__init__(network)
        self.note = "recorded when a batch of the same shape occurs again"
        # None for a shape that has come once.
        self._steps: dict[Any, _Recorded | None] = {}
        self._records = True
        self._predictions: dict[Any, _Prediction | None] = {}
        self._not_recorded: dict[Any, None] = {}
        # The library's own never look at values.
        if not network.has_own_parts_only:
            self._give_up("it has parts of your own")

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network cannot be run this way, empty if it can."""
        on_cpu = network.backend.device.type == "cpu"
        return "" if on_cpu and not required else "steps are recorded on a CPU"

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Forget the previous training, which had other arrays."""
        self.release()

    def release(self) -> None:
        """Give up the recordings, with their buffers."""
        self._steps.clear()

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, writing to `state`."""
        self._draws.step = step
        if not self._records:
            super().train(state, batch, step)
            return
        given = arrays_of(batch)
        kind = _kind_of(given)
        recorded = self._steps.get(kind)
        if recorded is not None and recorded.is_of(state):
            state["batch"] = recorded.take(given)
        elif kind in self._steps:
            self._record(kind, state, given, batch)
        else:
            remember(self._steps, kind)
            super().train(state, batch, step)

    def _record(self, kind: Any, state: Tree, given: list[Any], batch: Batch) -> None:
        """Take a step, and record it if that is possible."""
        state.pop("batch", None)
        own = [None if one is None else one.clone() for one in given]
        *x, y, weight = own
        copy = Batch(tuple(x) if isinstance(batch.x, tuple) else x[0], y, weight)
        slots = list(slots_of(state))
        tape = TorchTape([t for t in (*leaves(state), *own) if t is not None])
        draws = NotedDraws(tape, self._draws)
        with tape:
            train_step(self.network, self.training, state, copy, draws)
        reason = tape.why_not
        if not all(tree[key] is value for tree, key, value in slots):
            reason = "it puts new arrays into the state"
        if tape.nbytes > _MOST_BYTES:
            reason = f"it has {tape.nbytes / 1e6:.0f} MB of results"
        if reason:
            self._give_up(reason)
            return
        places = [None if one is None else _place_of(tape, one) for one in own]
        recorded = self._steps[kind] = _Recorded(tape, slots, places, state["batch"])
        # The next step overwrites its statistics, which others may hold.
        state["batch"] = recorded.outputs_copied()
        size = f"{tape.nbytes / 1e6:.1f} MB of buffers"
        self.note = f"recorded: {len(tape.calls)} calls, {size}"

    def _predicted(self, state: Tree, x: Any) -> Any:
        """Return the output of a recording; None if there is none."""
        given = [*x] if isinstance(x, tuple) else [x]
        kind = kernel_mode(), _kind_of(given)
        recorded = self._predictions.get(kind)
        if recorded is not None and recorded.is_of(state):
            return recorded.take(given)
        if kind not in self._predictions:
            large = sum(one.nbytes for one in given) > _MOST_COPIED
            if not large and kind not in self._not_recorded:
                remember(self._predictions, kind)
            return None
        own = [one.clone() for one in given]
        tape = TorchTape(own)
        with tape:
            copy = tuple(own) if isinstance(x, tuple) else own[0]
            y = self.prediction.begin(state).fwd(copy)[0]
        if tape.why_not or tape.nbytes > _MOST_KEPT or not tape.made(y):
            del self._predictions[kind]
            remember(self._not_recorded, kind)
        else:
            self._predictions[kind] = _Prediction(tape, state, own, y)
        # Nobody else may have a buffer of the recording.
        return y.clone(memory_format=torch.contiguous_format)

    def _give_up(self, reason: str) -> None:
        self._records = False
        self._steps.clear()
        self.note = f"step by step (not recorded: {reason})"


class _Recorded:
    """The calls of a step on the arrays of one state.

    Parameters
    ----------
    tape : TorchTape
    slots : list of (dict, str, object)
        Everything in the state that matters, the state first.
    given : list of _Copied, _Pointed or None
        Where the calls read a batch.
    outputs : dict or tensor
        What they compute: the statistics of a batch, which every step overwrites.
    """

    def __init__(
        self, tape: TorchTape, slots: list[Any], given: list[Any], outputs: Any
    ) -> None:
        self._calls, self._slots = tape.calls, slots
        self._outputs = outputs
        self._given = given

    def is_of(self, state: Tree) -> bool:
        """Return whether a state has the arrays that were recorded."""
        slots = self._slots
        return slots[0][0] is state and all(
            [tree[key] is value for tree, key, value in slots]
        )

    def take(self, given: list[Any]) -> Any:
        """Make the calls on a batch, and return its statistics."""
        for own, one in zip(self._given, given, strict=True):
            if own is not None:
                own.take(one)
        for call in self._calls:
            call()
        return self._outputs

    def outputs_copied(self) -> Tree:
        """Return the statistics of the step that was recorded."""
        return map_leaves(
            lambda leaf: leaf.clone() if isinstance(leaf, torch.Tensor) else leaf,
            self._outputs,
        )


class _Prediction(_Recorded):
    """The calls of a prediction, of which the last one makes a new array each time.

    Parameters
    ----------
    tape : TorchTape
    state : dict
    given : list of tensor
        The samples that were recorded, which are nobody else's.
    y : tensor
    """

    def __init__(
        self, tape: TorchTape, state: Tree, given: list[Any], y: torch.Tensor
    ) -> None:
        read = [name for name in ("parameters", "frozen", "buffers") if name in state]
        slots: list[Any] = [(state, name, state[name]) for name in read]
        slots += [slot for name in read for slot in slots_of(state[name])]
        super().__init__(tape, slots, [_Copied(one) for one in given], y)
        last: Any = self._calls[-1]
        options = dict(getattr(last, "keywords", {}))
        function: Any = getattr(last, "func", None)
        # An overload that is named as such takes nothing without its `out`.
        is_plain = function is getattr(torch, getattr(function, "__name__", ""), None)
        if is_plain and options.pop("out", None) is y and y.is_contiguous():
            self._last = functools.partial(function, *last.args, **options)
            self._calls = self._calls[:-1]
        else:
            rows = torch.contiguous_format
            self._last = functools.partial(y.clone, memory_format=rows)

    def take(self, given: list[Any]) -> torch.Tensor:
        """Make the calls on samples, and return the outputs, row by row in memory."""
        super().take(given)
        return self._last()


class _Copied:
    """An array of a batch that is copied to where the calls read it.

    Parameters
    ----------
    own : tensor
        The one that was recorded, which is nobody else's.
    """

    def __init__(self, own: torch.Tensor) -> None:
        self.take = own.copy_


class _Pointed:
    """An array of a batch that the calls are pointed to.

    Parameters
    ----------
    own : tensor
        The one that was recorded, which is nobody else's.
    arguments : list of tensor
        All arguments of calls that lie in its memory. None is written to.
    """

    def __init__(self, own: torch.Tensor, arguments: list[torch.Tensor]) -> None:
        # It stays where it is if it is one of the arguments.
        self._own = own.detach()
        self._arguments = [
            (one, one.storage_offset(), one.shape, one.stride()) for one in arguments
        ]

    def take(self, one: torch.Tensor) -> None:
        """Let the calls read this array, or a copy that lies as the first one did."""
        if one.data_ptr() % _ALIGNED or one.stride() != self._own.stride():
            one = self._own.copy_(one)
        storage, first = one.untyped_storage(), one.storage_offset()
        for argument, offset, *form in self._arguments:
            argument.set_(storage, first + offset, *form)


def _place_of(tape: TorchTape, own: torch.Tensor) -> _Copied | _Pointed:
    """Return how the calls come to read a batch in place of one that was recorded."""
    arguments = tape.arguments_of(own)
    if own.nbytes < _FEWEST_BYTES or arguments is None:
        return _Copied(own)
    return _Pointed(own, arguments)


def _kind_of(given: list[Any]) -> tuple[Any, ...]:
    """Return a key that tells whether the same calls can be made on arrays."""
    return tuple([a if a is None else (a.shape, a.stride(), a.dtype) for a in given])
