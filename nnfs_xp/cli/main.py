"""The command, and the ways it ends."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from nnfs_xp import ctrl_c
from nnfs_xp.cli import standard
from nnfs_xp.cli.parser import make_parser
from nnfs_xp.errors import (
    BackendUnavailableError,
    DataWarning,
    DivergenceError,
    DownloadError,
    InputError,
    ParallelError,
)

_BROKEN_PIPE = 141
_REFUSED = (
    InputError, BackendUnavailableError, DivergenceError, DownloadError, MemoryError,
    OSError, ParallelError,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line if not given.

    Returns
    -------
    int
        One of `nnfs_xp.cli.parser.EXIT_STATUSES`.
    """
    try:
        _prepare_streams()
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _say("interrupted")
        status = ctrl_c.INTERRUPTED
    except BrokenPipeError:
        # The reader of the output has stopped reading, as `head` does.
        status = _BROKEN_PIPE
    except _REFUSED as error:
        _say(f"error: {str(error) or type(error).__name__}")
        status = 2
    finally:
        _close(sys.stdout)
        _close(sys.stderr)
    if status == ctrl_c.INTERRUPTED and ctrl_c.is_command():
        # Python itself ends by the signal if Ctrl-C comes while it runs code given as
        # text.
        os._exit(status)
    return status


def _run(arguments: Sequence[str] | None) -> int:
    options = make_parser().parse_args(arguments)
    with warnings.catch_warnings(), standard.input_as_files(options):
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = lambda message, *_: _say(f"warning: {message}")
        status: int = options.command(options)
    return status


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(f"nnfs-xp: {text}", file=sys.stderr)


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # It was closed before Python started, or never existed.
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        # A class name in another script must not end the program.
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _close(stream: Any) -> None:
    """Write what is left, if anyone reads it, so that Python does not fail at exit."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
