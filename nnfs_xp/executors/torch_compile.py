"""The PyTorch executor: ``torch.compile`` traces the step and compiles it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch

from nnfs_xp.backends import Array
from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.executors.eager import EagerExecutor, Rows
from nnfs_xp.layout import FlatLayout
from nnfs_xp.step import (
    NO_NOISE,
    Batch,
    Network,
    Noise,
    State,
    train_step,
)
from nnfs_xp.trees import copy_tree, leaves


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

        layout = network.layout
        traced = dataclasses.replace(
            network, layout=FlatLayout(layout.backend, layout.shapes, remembers=False)
        )
        # What is computed once must be known before: its lock cannot be traced.
        _ = traced.first_trained, traced.regularized, traced.metrics_need_head

        def step(
            state: State, x: Array, y: Array, weight: Array | None, noise: Noise
        ) -> State:
            # The arrays are written to, but the slots are to keep the objects
            # they hold: each new one would mean compiling anew.
            state = copy_tree(state)
            train_step(traced, state, Batch(x, y, weight, noise))
            return state["batch"]

        self._step = torch.compile(step, fullgraph=True, dynamic=False, mode=mode)

    def train(
        self,
        state: State,
        x: Array,
        y: Array,
        weight: Array | None = None,
        noise: Noise = NO_NOISE,
    ) -> None:
        """Take one training step, writing to `state`."""
        if not self._compiles:
            super().train(state, x, y, weight, noise)
            return
        state.pop("batch", None)
        try:
            with torch.no_grad():
                state["batch"] = self._step(state, x, y, weight, noise)
        # What is missing is found at the first call, before anything has been
        # computed: a C++ compiler, or a way to trace a unit of the user's.
        except Exception as error:
            if self._has_run:
                raise
            self._give_up(error)
            super().train(state, x, y, weight, noise)
        self._has_run = True

    def prepare(self, state: State, batches: Sequence[Rows]) -> None:
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
