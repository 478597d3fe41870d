"""Standard input, output and error: data, notes and results."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from nnfs_xp.callbacks.json_log import json_text
from nnfs_xp.errors import InputError
from nnfs_xp.io.atomic import atomic_write

# The name of standard input as a file to read, and of standard output as a file to
# write.
STANDARD = "-"
# The first bytes of formats other than CSV, and how the names of such files end.
_FORMATS = {b"PK": ".npz", b"\x1f\x8b": ".csv.gz"}


@contextlib.contextmanager
def input_as_files(options: argparse.Namespace) -> Iterator[None]:
    """Put a temporary file where an option names standard input.

    Raises
    ------
    InputError
        If two options name it, or it is a terminal.
    """
    names = [n for n in ("model", "data") if getattr(options, n, None) == STANDARD]
    if not names:
        yield
        return
    if len(names) > 1:
        raise InputError("model and data cannot both be '-': there is one input")
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(f"{names[0]}: '-' reads standard input, which is a terminal")
    content = sys.stdin.buffer.read()
    ending = ".safetensors" if names == ["model"] else _FORMATS.get(content[:2], ".csv")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"stdin{ending}"
        path.write_bytes(content)
        setattr(options, names[0], str(path))
        yield


@contextlib.contextmanager
def chat(options: argparse.Namespace) -> Iterator[None]:
    """Send progress output to where it does not disturb the result.

    With ``--quiet`` it is dropped, and with ``--json`` it goes to standard error.
    """
    with contextlib.ExitStack() as stack:
        if options.quiet:
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
        elif options.json:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


def note(options: argparse.Namespace, text: str) -> None:
    """Print what a user should know, except with ``--quiet``."""
    if not options.quiet:
        print(f"nnfs-xp: note: {text}", file=sys.stderr)


def answer(options: argparse.Namespace, found: dict[str, Any], text: str) -> None:
    """Print the result of a command, as one JSON object or as text."""
    print(json_text(found) if options.json else text)


@contextlib.contextmanager
def output(path: str) -> Iterator[BinaryIO]:
    """Open a file that appears only when complete, or standard output."""
    if path == STANDARD:
        sys.stdout.flush()
        yield sys.stdout.buffer
    else:
        with atomic_write(path) as file:
            yield file


def write_text(path: str, text: str) -> None:
    """Write text to a file as a whole, or to standard output in its encoding."""
    if path == STANDARD:
        sys.stdout.write(text)
    else:
        with atomic_write(path) as file:
            file.write(text.encode())
