"""Recorded predictions, which one thread at a time may replay."""

from __future__ import annotations

import threading
from typing import Any

from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import EagerExecutor, Tree


class PredictsRecorded(EagerExecutor):
    """Base of executors that record predictions beside their steps."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        # Two threads may predict at the same time, with one set of buffers.
        self._predicting = threading.Lock()
        self._plays = network.has_own_layers_only

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
        """Return the output of a recording; None if there is none."""
        raise NotImplementedError
