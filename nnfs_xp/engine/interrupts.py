"""Ctrl-C between the steps of a training, never within one.

Arrays are updated in place, one after the other. An interruption in the middle would
leave parameters, moments and counters that belong to different steps.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Self

from nnfs_xp.ctrl_c import terminate


class DeferredInterrupts:
    """Holds SIGINT and SIGTERM back during a step, and lets them through after it.

    Used as a context around a training, where ``begin`` and ``end`` enclose each step.
    Only the main thread is interrupted by Python, so elsewhere nothing is done.

    Parameters
    ----------
    terminate : bool, default False
        Whether SIGTERM raises SystemExit, if it would end the process immediately.

    Examples
    --------
    >>> import signal
    >>> from nnfs_xp.engine.interrupts import DeferredInterrupts
    >>> with DeferredInterrupts() as interrupts:
    ...     try:
    ...         interrupts.begin()
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("the step is completed")
    ...         interrupts.end()
    ...     except KeyboardInterrupt:
    ...         print("interrupted")
    the step is completed
    interrupted
    """

    def __init__(self, *, terminate: bool = False) -> None:
        self._terminate = terminate
        self._within = self._held = False
        self._pending: tuple[int, FrameType | None] | None = None
        # The previous handlers, and those that are called.
        self._usual: dict[int, tuple[Any, Any]] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in (signal.SIGINT, signal.SIGTERM):
            usual = called = signal.getsignal(number)
            if number == signal.SIGTERM and self._terminate and usual == signal.SIG_DFL:
                called = terminate
            # A handler that was not set from Python cannot be restored.
            if callable(called):
                self._usual[number] = usual, called
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        for number, (usual, _) in self._usual.items():
            # A callback may have set another handler, which has to stay.
            if signal.getsignal(number) == self._handle:
                signal.signal(number, usual)
        # A signal that came in a step that failed.
        self.end()

    def begin(self) -> None:
        """Hold interruptions back from here on."""
        self._within = True

    def end(self) -> None:
        """Let through an interruption that has come since `begin`."""
        self._within = False
        if self._pending is not None and not self._held:
            given, self._pending = self._pending, None
            self._usual[given[0]][1](*given)

    def pending(self) -> bool:
        """Return whether an interruption is held back."""
        return self._pending is not None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold an interruption back inside; a second one goes through between steps."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.end()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._within or (self._held and self._pending is None):
            self._pending = number, frame
        else:
            self._pending = None
            self._usual[number][1](number, frame)
