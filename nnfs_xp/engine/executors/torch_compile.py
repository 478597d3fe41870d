"""The PyTorch executor: ``torch.compile`` traces the step and compiles it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from nnfs_xp.engine.draws import AskedDraws, GivenDraws
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import Arrays, Batch, EagerExecutor, Rows, Tree, train_step
from nnfs_xp.errors import BackendUnavailableError
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
        self._compiles = True
        self._has_run = False
        self._asked: dict[Any, AskedDraws] = {}

        def step(state: Tree, batch: Arrays, given: Arrays) -> Tree:
            # The arrays are written to, but the slots are to keep the objects
            # they hold: each new one would mean compiling anew.
            state = copy_tree(state)
            draws = GivenDraws(network.backend, given)
            # A program of the trace: one that outlives it is compiled twice.
            train_step(network, self.training.again(), state, Batch(**batch), draws)
            return state["batch"]

        self._step = torch.compile(step, fullgraph=True, dynamic=False, mode=mode)

    @classmethod
    def why_not(cls, network: Network, required: bool) -> str:
        """Return why a network is not run so, empty if it is."""
        if required or network.backend.device.type == "cuda":
            return ""
        return "torch.compile makes such steps no faster on a CPU"

    def train(self, state: Tree, batch: Batch, step: int) -> None:
        """Take the training step of this number, writing to `state`."""
        if not self._compiles:
            super().train(state, batch, step)
            return
        state.pop("batch", None)
        try:
            with torch.no_grad():
                given = self._asked_for(state, batch).at(step)
                arrays = {"x": batch.x, "y": batch.y, "weight": batch.weight}
                state["batch"] = self._step(state, arrays, given)
        # What is missing is found at the first call, before anything has been
        # computed: a C++ compiler, or a way to trace a unit of the user's.
        except Exception as error:
            if self._has_run:
                raise
            self._give_up(error)
            super().train(state, batch, step)
        self._has_run = True

    def _asked_for(self, state: Tree, batch: Batch) -> AskedDraws:
        """Return which random numbers a step on such a batch asks for.

        A step on copies shows it.
        """
        x = batch.x if isinstance(batch.x, tuple) else (batch.x,)
        key = tuple(tuple(array.shape) for array in x)
        if key not in self._asked:
            asked = AskedDraws(self.network.backend)
            copies = map_leaves(torch.clone, state)
            train_step(self.network, self.training.again(), copies, batch, asked)
            self._asked[key] = asked
        return self._asked[key]

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
