"""Training on several ranks: one of them writes the checkpoint."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from nnfs_xp.callbacks import Callback
from nnfs_xp.errors import InputError
from nnfs_xp.io.run_file import Run
from nnfs_xp.parallel import Communicator


class RanksRun(Run):
    """A `Run` whose file rank 0 writes, and every rank reads.

    Attributes
    ----------
    ranks : Communicator
    callbacks : list of Callback
        Those that this rank calls.
    interrupts : AgreedInterrupts
        Those of the training.
    """

    interrupts: Any = None

    def __init__(self, ranks: Communicator, model: Any, plan: Any, *more: Any) -> None:
        super().__init__(model, plan, *more)
        self.ranks = ranks
        self.callbacks = called_here(plan.callbacks, ranks)

    def resume(self) -> None:
        """Take over model and training from the file, if all ranks see one."""
        seen = self.ranks.exchange(os.path.exists(self.path or ""))
        if any(seen) and not all(seen):
            raise InputError(
                f"checkpoint: {os.fspath(self.path or '')} must be where all ranks can "
                f"read it, and rank {seen.index(False)} finds no such file"
            )
        super().resume()

    def start(self) -> None:
        """Give the callbacks of this rank their states, and save."""
        self._states = [
            pair
            for pair in self._states
            if any(pair[0] is callback for callback in self.callbacks)
        ]
        super().start()

    def end_epoch(self) -> None:
        """End the training if a callback of any rank has; save on rank 0."""
        self._model.stop_training = any(self.ranks.exchange(self._model.stop_training))
        super().end_epoch()
        if self.is_over:
            # No rank may look for a file that is not yet written.
            self.ranks.exchange(None)

    def save(self) -> None:
        """Write the file, on rank 0."""
        if self.ranks.is_first:
            super().save()
        self._saved, self._saved_at = True, time.monotonic()

    def save_interrupted(self) -> None:
        """Save, unless the values in memory do not belong together."""
        super().save_interrupted()
        if self.interrupts is not None and self.interrupts.agreed:
            self.ranks.exchange(None)


def called_here(callbacks: Sequence[Callback], ranks: Communicator) -> list[Callback]:
    """Return the callbacks that a rank calls."""
    return [one for one in callbacks if one.on_every_rank or ranks.is_first]
