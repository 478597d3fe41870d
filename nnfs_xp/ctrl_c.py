"""Ctrl-C in the command: it ends at once, where there is nothing to be finished.

A KeyboardInterrupt in the middle of an import, or while Python ends, would be printed
or lost. So the command raises it only where somebody waits for it, within `raising`.
The rest of the library takes a moment to be imported, and this is imported before.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

INTERRUPTED = 130
_AS_A_MODULE = ("nnfs_xp", "__main__.py")


def is_command() -> bool:
    """Return whether this process is ``nnfs-xp``, or ``python -m nnfs_xp``."""
    # While Python looks for a module that is to be run, it has no name yet.
    begun = "".join(sys.argv[:1])
    if begun == "-m":
        return ("-m", "nnfs_xp") in zip(sys.orig_argv, sys.orig_argv[1:], strict=False)
    return Path(begun).stem == "nnfs-xp" or Path(begun).parts[-2:] == _AS_A_MODULE


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt inside, and SIGTERM SystemExit."""
    if signal.getsignal(signal.SIGINT) is not _leave:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ends = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if ends:
        signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        if ends:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, _leave)


def status_of(error: BaseException) -> int:
    """Return the exit status of a command that was ended by an interruption."""
    ended = isinstance(error, SystemExit) and isinstance(error.code, int)
    return error.code if ended else INTERRUPTED  # type: ignore[attr-defined]


def terminate(number: int, frame: FrameType | None) -> None:
    """Raise SystemExit with the status that a shell gives for a signal."""
    raise SystemExit(128 + number)


def _leave(number: int, frame: FrameType | None) -> None:
    with contextlib.suppress(OSError):
        os.write(2, b"nnfs-xp: interrupted\n")
    os._exit(INTERRUPTED)


# A shell may have asked to ignore it.
if is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _leave)
