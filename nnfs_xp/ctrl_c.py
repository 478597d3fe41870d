"""Ctrl-C in the command: it ends at once, where there is nothing to be finished.

A KeyboardInterrupt in the middle of an import, of a drawing or while Python ends would
be printed, lost, or turned into another exception by code in C. So the command raises
it only where somebody waits for it, within `raising`, and otherwise ends on the spot.
The rest of the library takes a moment to be imported, and this is imported before.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

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
    ours = [number for number in _RAISED if signal.getsignal(number) is _leave]
    hook = sys.unraisablehook
    if ours:
        sys.unraisablehook = _leave_if_lost
    for number in ours:
        signal.signal(number, _RAISED[number])
    try:
        yield
    except Exception as error:
        # An extension module whose import is interrupted makes an ImportError of it.
        interruption = _interruption_behind(error)
        if interruption is None:
            raise
        raise interruption from None
    finally:
        for number in ours:
            signal.signal(number, _leave)
        sys.unraisablehook = hook


def status_of(error: BaseException) -> int:
    """Return the exit status of a command that was ended by an interruption."""
    ended = isinstance(error, SystemExit) and isinstance(error.code, int)
    return error.code if ended else INTERRUPTED  # type: ignore[attr-defined]


def terminate(number: int, frame: FrameType | None) -> None:
    """Raise SystemExit with the status that a shell gives for a signal."""
    raise SystemExit(128 + number)


def _interruption_behind(error: BaseException | None) -> BaseException | None:
    while error is not None and not isinstance(error, (KeyboardInterrupt, SystemExit)):
        error = error.__cause__ or error.__context__
    return error


def _leave_if_lost(unraisable: Any) -> None:
    """End the command where Python would print an interruption and go on.

    It does so in the callback of a weak reference and in ``__del__``.
    """
    interruption = _interruption_behind(unraisable.exc_value)
    if interruption is None:
        sys.__unraisablehook__(unraisable)
    else:
        _end(status_of(interruption))


def _leave(number: int, frame: FrameType | None) -> None:
    _end(128 + number)


def _end(status: int) -> None:
    for name in unfinished_files:
        with contextlib.suppress(OSError):
            os.unlink(name)
    with contextlib.suppress(OSError):
        os.write(2, b"nnfs-xp: interrupted\n")
    os._exit(status)


# Temporary files, which are removed where the command ends on the spot.
unfinished_files: set[str] = set()
# What each signal does within `raising`.
_RAISED: dict[int, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: terminate,
}

if is_command():
    for _number in _RAISED:
        # A shell may have asked to ignore it.
        if signal.getsignal(_number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(_number, _leave)
