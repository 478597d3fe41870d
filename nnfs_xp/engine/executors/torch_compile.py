"""The PyTorch executor: ``torch.compile`` traces the step and compiles it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from nnfs_xp.engine.draws import AskedDraws, GivenDraws
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import Arrays, Batch, EagerExecutor, Rows, Tree, train_step
from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.kernels import resolve_all
from nnfs_xp.trees import copy_tree, leaves, map_leaves


class TorchCompileExecutor(EagerExecutor):
    """Runs the training step as one compiled function.

    The step is compiled for each shape of a batch. On a GPU its launches are
    captured as CUDA graphs. Predictions and evaluations are run as they are.

    Parameters
    ----------
    network : Network
        What to compile.
    required : bool
        Whether a step that cannot be compiled is an error. If not, it is run
        step by step, and `note` says why.
    """

    name = "torch.compile"

    def __init__(self, network: Network, required: bool) -> None:
        super().__init__(network)
        self.required = required
        self._on_gpu = network.backend.device.type == "cuda"
        mode = "reduce-overhead" if self._on_gpu else "default"
        self.note = f"compiled by torch.compile, mode {mode!r}"
        self._mode = mode
        self._compiles = True
        # The step, and the random numbers it needs, by shapes and dtypes of a batch.
        self._steps: dict[Any, tuple[Any, AskedDraws]] = {}

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network is not run this way, empty if it is."""
        if required or network.backend.device.type == "cuda":
            return ""
        return "torch.compile makes such steps no faster on a CPU"

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, writing to `state`."""
        if not self._compiles:
            super().train(state, batch, step)
            return
        state.pop("batch", None)
        arrays = {"x": batch.x, "y": batch.y, "weight": batch.weight}
        kind = _kind(batch.x), _kind(batch.y), _kind(batch.weight)
        known = self._steps.get(kind)
        try:
            with torch.no_grad():
                compiled, asked = known or (self._new_step(), self._asked(state, batch))
                state["batch"] = compiled(state, arrays, asked.at(step))
        # Whatever is missing is found at the first call, before anything has been
        # computed: a C++ compiler, or a way to trace a user's unit.
        except Exception as error:
            if known:
                raise
            self._give_up(error)
            super().train(state, batch, step)
        else:
            self._steps[kind] = compiled, asked

    def _new_step(self) -> Any:
        """Return the step as a function that is compiled when it is first called."""
        network = self.network
        resolve_all(network.backend.name)

        def step(state: Tree, batch: Arrays, given: Arrays) -> Tree:
            # The arrays are written to, but the slots are to keep the objects
            # they hold: each new one would mean compiling anew.
            state = copy_tree(state)
            draws = GivenDraws(network.backend, given)
            # A program of the trace: one that outlives it is compiled twice.
            train_step(network, self.training.again(), state, Batch(**batch), draws)
            return state["batch"]

        # PyTorch compiles one code no more than eight times, for all functions that
        # share it; those of other models and shapes would.
        step.__code__ = step.__code__.replace()
        return torch.compile(step, fullgraph=True, dynamic=False, mode=self._mode)

    def _asked(self, state: Tree, batch: Batch) -> AskedDraws:
        """Return which random numbers a step on such a batch needs.

        A step on copies shows them.
        """
        asked = AskedDraws(self.network.backend)
        copies = map_leaves(torch.clone, state)
        train_step(self.network, self.training.again(), copies, batch, asked)
        return asked

    def prepare(self, state: Tree, batches: Sequence[Rows], counters: Any) -> None:
        """Promise that the arrays of the state stay where they are.

        Without it a CUDA graph would have to copy them at every step.
        """
        if self._on_gpu:
            for leaf in leaves(state):
                torch._dynamo.mark_static_address(leaf)

    def _give_up(self, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        if self.required:
            raise BackendUnavailableError(
                f"compile='require', and torch.compile cannot compile the step: "
                f"{reason}"
            ) from error
        self._compiles = False
        self.note = f"step by step (not compiled by torch.compile: {reason})"


def _kind(arrays: Any) -> Any:
    """Return shapes and dtypes of an array, of several, or of None."""
    if isinstance(arrays, tuple):
        return tuple(map(_kind, arrays))
    return None if arrays is None else (tuple(arrays.shape), arrays.dtype)
