"""The recorded executor of PyTorch on a CPU: a step is recorded once, then replayed.

A step of a small network makes about fifty calls of PyTorch, and the Python code
between them takes as long as they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from nnfs_xp.engine.executors.recordings import arrays_of, remember, slots_of
from nnfs_xp.engine.executors.torch_tape import NotedDraws, TorchTape
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import Batch, EagerExecutor, Rows, Tree, train_step
from nnfs_xp.trees import leaves, map_leaves

# Larger steps are not limited by calls, and their arrays are better freed early.
_MOST_BYTES = 2**23
# A batch that is smaller is copied in less time than calls are pointed to it.
_FEWEST_BYTES = 2**16
# What PyTorch aligns its memory to. Bits of products may depend on it.
_ALIGNED = 64


class TorchRecordedExecutor(EagerExecutor):
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
        self.note = "recorded when a batch of the same shape comes again"
        # None for a shape that has come once.
        self._steps: dict[Any, _Recorded | None] = {}
        self._records = True
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
        kind = tuple(a if a is None else (a.shape, a.stride(), a.dtype) for a in given)
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
        recorded = self._steps[kind] = _Recorded(tape, slots, own, state["batch"])
        # The next step overwrites its statistics, which others may hold.
        state["batch"] = recorded.outputs_copied()
        size = f"{tape.nbytes / 1e6:.1f} MB of buffers"
        self.note = f"recorded: {len(tape.calls)} calls, {size}"

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
        Everything in the state.
    given : list of tensor or None
        The batch that was recorded, which is nobody else's.
    outputs : dict
        The statistics of a batch, which every step overwrites.
    """

    def __init__(
        self, tape: TorchTape, slots: list[Any], given: list[Any], outputs: Tree
    ) -> None:
        self._calls, self._slots = tape.calls, slots
        self._outputs = outputs
        self._given = [None if one is None else _Given(tape, one) for one in given]

    def is_of(self, state: Tree) -> bool:
        """Return whether a state has the arrays that were recorded."""
        slots = self._slots
        return slots[0][0] is state and all(
            [tree[key] is value for tree, key, value in slots]
        )

    def take(self, given: list[Any]) -> Tree:
        """Take the step on a batch, and return its statistics."""
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


class _Given:
    """An array of a batch: the calls read the one that was recorded, or are given one.

    Parameters
    ----------
    tape : TorchTape
    own : tensor
    """

    def __init__(self, tape: TorchTape, own: torch.Tensor) -> None:
        self._own = own
        found = tape.arguments_of(own) if own.nbytes >= _FEWEST_BYTES else None
        # Arguments that stay what they are; those of the calls are pointed elsewhere.
        self._arguments = [(one, one.storage_offset()) for one in found or ()]
        if found:
            self._own = own.detach()
        self._strides = own.stride()
        self._copies = True

    def take(self, one: torch.Tensor) -> None:
        """Let the calls read this array, which has the shape of the one recorded."""
        aligned = one.data_ptr() % _ALIGNED == 0 and one.stride() == self._strides
        copies = not (self._arguments and aligned)
        if copies:
            self._own.copy_(one)
            one = self._own
        if not (copies and self._copies):
            storage, first = one.untyped_storage(), one.storage_offset()
            for argument, offset in self._arguments:
                argument.set_(
                    storage, first + offset, argument.shape, argument.stride()
                )
        self._copies = copies
