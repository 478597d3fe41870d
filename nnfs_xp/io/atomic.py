"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces `path` only when all went well.

    The bytes go to a temporary file beside `path`, are flushed to the disk,
    and take its place in one step. If anything fails on the way, what was at
    `path` before is still there, and nothing is left behind.

    Parameters
    ----------
    path : path
        The file to write. Its directory must exist.

    Yields
    ------
    file
        Binary, open for writing.
    """
    # Through a link, its target is replaced and not the link.
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        # Or the error would name a temporary file that nobody asked for.
        raise FileNotFoundError(
            errno.ENOENT, "there is no such directory", os.fspath(path.parent)
        )
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"
    )
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner can read.
        os.chmod(temporary, _usual_mode(path))
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _usual_mode(path: Path) -> int:
    """Return the permissions of the file to replace, or of a new one."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
