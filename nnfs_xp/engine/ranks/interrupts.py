"""Ctrl-C when training on several ranks: all of them end after the same step."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from types import FrameType

from nnfs_xp.engine.interrupts import DeferredInterrupts


class AgreedInterrupts(DeferredInterrupts):
    """Holds signals back until all ranks know of them.

    A signal may come to one rank, or to several in different steps. Its number goes to
    the others with the sums of the step, and all end after that step. A second signal
    ends this rank at once.

    Attributes
    ----------
    agreed : int
        The number of the signal that all ranks know of, 0 if there is none.
    """

    def __init__(self, *, terminate: bool = False) -> None:
        super().__init__(terminate=terminate)
        self.agreed = 0
        self._is_raised = False

    @property
    def own(self) -> int:
        """The number of the signal that has come to this rank, 0 if there is none."""
        return 0 if self._pending is None else self._pending[0]

    def agree(self, numbers: Sequence[float]) -> None:
        """Take over the signals of all ranks."""
        self.agreed = self.agreed or int(max(numbers))

    def pending(self) -> bool:
        """Return whether all ranks know of a signal."""
        return self.agreed != 0

    def end(self) -> None:
        """Let through a signal that all ranks know of."""
        self._within = False
        if self.agreed and not self._held and not self._is_raised:
            self._pending, self._is_raised = None, True
            raise _ended_by(self.agreed)

    def __exit__(self, *error: object) -> None:
        pending, self._pending = self._pending, None
        super().__exit__(*error)
        if pending is not None and not any(error):
            raise _ended_by(pending[0])

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._pending is None:
            self._pending = number, frame
        else:
            self._usual[number][1](number, frame)


def _ended_by(number: int) -> BaseException:
    """Return what Python raises for a signal, even if another rank received it."""
    if number == signal.SIGINT:
        return KeyboardInterrupt()
    return SystemExit(128 + number)
