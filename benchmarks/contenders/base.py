"""What every contender can do."""

from __future__ import annotations

import contextlib
from itertools import cycle, islice
from typing import Any

import numpy as np


def probe(outputs: Any) -> float:
    """Return a number that hangs on every output of a batch, for comparison."""
    outputs = np.asarray(outputs, np.float64).reshape(-1)
    return float(outputs @ (2.0 + np.cos(np.arange(outputs.size))))


class Contender:
    """One way of taking the same training step.

    A subclass puts the problem's batches on its device when it is made, and
    its network and optimizer into `reset`.

    Attributes
    ----------
    batches : list of (x, y)
        On the contender's device, in the types it likes best.
    whole : int
        It takes steps in multiples of this number.
    """

    batches: list[tuple[Any, Any]]
    whole: int = 1

    def reset(self) -> None:
        """Go back to the initial weights and to an optimizer at step 0."""
        raise NotImplementedError

    def step(self, x: Any, y: Any) -> Any:
        """Take one training step, and return its loss without waiting for it."""
        raise NotImplementedError

    def take(self, steps: int) -> None:
        """Take steps on the batches in turn, reading nothing back."""
        step = self.step
        for x, y in islice(cycle(self.batches), steps):
            step(x, y)

    def read(self, loss: Any) -> float:
        """Return the number in a loss that `step` returned."""
        return float(loss)

    def synchronize(self) -> None:
        """Wait until all steps are really done."""

    def context(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which steps have to be taken."""
        return contextlib.nullcontext()

    @property
    def note(self) -> str:
        """What has to be said about how the steps were taken; often nothing."""
        return ""
