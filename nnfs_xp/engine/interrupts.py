"""Ctrl-C between the steps of a training, never within one.

Arrays are updated in place, one after the other. An interruption in the middle would
leave parameters, moments and counters that belong to different steps.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class DeferredInterrupts:
    """Holds SIGINT back while a step is under way, and lets it through after.

    Used as a context around a training, where ``begin`` and ``end`` enclose each step.
    Only the main thread is interrupted by Python, so elsewhere nothing is done.

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

    def __init__(self) -> None:
        self._within = False
        self._pending: tuple[int, FrameType | None] | None = None
        self._usual: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            usual = signal.getsignal(signal.SIGINT)
            # One that was not set from Python could not be set again.
            if callable(usual):
                self._usual = usual
                signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        if self._usual is not None:
            signal.signal(signal.SIGINT, self._usual)
        # One that came in a step that has failed.
        self.end()

    def begin(self) -> None:
        """Hold interruptions back from here on."""
        self._within = True

    def end(self) -> None:
        """Let an interruption through that has come since `begin`."""
        self._within = False
        if self._pending is not None:
            given, self._pending = self._pending, None
            self._usual(*given)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._within:
            self._pending = number, frame
        else:
            self._usual(number, frame)
