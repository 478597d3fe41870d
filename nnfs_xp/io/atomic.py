"""Write a file completely or not at all; devices and pipes are written to directly."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from nnfs_xp.ctrl_c import unfinished_files
from nnfs_xp.errors import InputError

try:
    import fcntl
except ImportError:  # on Windows, where nobody can delete a file that is open
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".nnfs_xp-"
# Another program may briefly have a file open, which Windows does not allow.
_PAUSES = (0.05, 0.1, 0.2, 0.4)
_SECONDS_FOR_A_READER = 5.0
# Errors of file systems that cannot flush a file to the disk.
_NO_FSYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces `path` only if everything succeeds.

    The bytes go to a temporary file beside `path`, are flushed to the disk, and take
    its place in one step. If anything fails on the way, the previous file at `path` is
    unchanged, and nothing is left behind. A process that is killed leaves its temporary
    file; the next one that writes to `path` removes it.

    A link is followed to its target. Anything other than a regular file, such as a
    device, a pipe or ``/dev/stdout``, is written to, and never replaced.

    Parameters
    ----------
    path : path
        The file to write. Its directory must exist.

    Yields
    ------
    file
        Binary, open for writing.

    Raises
    ------
    OSError
        If it cannot be written. The error names `path`.
    """
    name = os.fspath(path)
    with errors_of(name), _written(name) as file:
        yield file


def check_writable(path: str | os.PathLike[str], size: int = 1) -> None:
    """Raise OSError unless a file of `size` bytes can be written; nothing changes."""
    kinds = (os.path.isfile, os.path.isdir)
    special = os.path.exists(path) and not any(is_kind(path) for is_kind in kinds)
    if special or _descriptor(os.fspath(path)) is not None:
        return
    with contextlib.suppress(_Tried), atomic_write(path) as file:
        for begin in range(0, size, 2**20):
            file.write(bytes(min(size - begin, 2**20)))
        _flush(file)
        raise _Tried


def checked_path(value: Any, name: str) -> str:
    """Return a path as text, or raise InputError."""
    try:
        text = os.fsdecode(value)
    except TypeError as error:
        raise InputError(f"{name} must be a path, got {value!r}") from error
    if not text or "\0" in text:
        raise InputError(f"{name} must be a path, got {value!r}")
    return text


class _Tried(Exception):
    """Enough was written to know that the file can be written."""


def _written(name: str) -> contextlib.AbstractContextManager[BinaryIO]:
    """Return the way to write to the target of this name."""
    number = _descriptor(name)
    if number is not None:
        if number == 1 and sys.stdout is not None:
            sys.stdout.flush()
        return open(os.dup(number), "wb")
    try:
        mode = os.stat(name).st_mode
    except FileNotFoundError:
        return _replacing(Path(os.path.realpath(name)), None)
    if stat.S_ISREG(mode):
        return _replacing(Path(os.path.realpath(name)), mode & 0o777)
    return open(_pipe(name) if stat.S_ISFIFO(mode) else name, "wb")


def _descriptor(name: str) -> int | None:
    """Return the number of the open file that a name such as /dev/stdout means."""
    for _ in range(40):
        folder, last = os.path.split(name)
        if last.isdecimal() and (
            os.path.realpath(folder) in ("/dev/fd", f"/proc/{os.getpid()}/fd")
        ):
            return int(last)
        if not os.path.islink(name):
            break
        name = os.path.join(folder, os.readlink(name))
    return None


def _pipe(name: str) -> int:
    """Open a named pipe; the program that reads from it may need a moment."""
    until = time.monotonic() + _SECONDS_FOR_A_READER
    while True:
        try:
            number = os.open(name, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise OSError(errno.ENXIO, "nobody reads from the pipe", name) from None
            time.sleep(0.02)
        else:
            os.set_blocking(number, True)
            return number


@contextlib.contextmanager
def _replacing(path: Path, mode: int | None) -> Iterator[BinaryIO]:
    """Write to a temporary file; `mode` is that of the file to replace, if any."""
    if not path.parent.is_dir():
        # Otherwise the error would name a temporary file unknown to the user.
        raise FileNotFoundError(
            errno.ENOENT, "there is no such directory", os.fspath(path.parent)
        )
    # Short, because the name of the target may have the maximum length.
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    stem = f"{_PREFIX}{digest}-"
    _remove_litter(path.parent, f"{stem}*.tmp")
    file = _new_file(path.parent / stem, 0o666 if mode is None else mode)
    temporary = file.name
    unfinished_files.add(temporary)
    try:
        with file:
            yield file
            _flush(file)
            if mode is not None:
                # Some file systems have no modes to change.
                with contextlib.suppress(OSError):
                    os.chmod(temporary, mode)
            if fcntl is None:
                file.close()
            _replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    finally:
        unfinished_files.discard(temporary)


def _new_file(stem: Path, mode: int) -> BinaryIO:
    """Open a new file, locked if the file system has locks."""
    opener = functools.partial(os.open, mode=mode)
    while True:
        name = f"{stem}{secrets.token_hex(4)}.tmp"
        file = open(name, "xb", opener=opener)  # noqa: SIM115
        with contextlib.suppress(OSError):
            _lock(file, wait=True)
        # Another program may have removed it as a leftover before it was locked.
        if os.path.exists(name):
            return file
        file.close()


def _flush(file: BinaryIO) -> None:
    """Flush the written bytes to the disk."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise


def _replace(temporary: str, path: Path) -> None:
    for pause in _PAUSES:
        try:
            os.replace(temporary, path)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(temporary, path)


def _lock(file: Any, *, wait: bool) -> None:
    """Mark a file as in use, or raise OSError."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _remove_litter(folder: Path, pattern: str) -> None:
    """Remove temporary files that are no longer written to."""
    with contextlib.suppress(OSError):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
                if fcntl is not None:
                    _lock(opened.enter_context(open(path, "rb")), wait=False)
                os.unlink(path)


@contextlib.contextmanager
def errors_of(name: str) -> Iterator[None]:
    """Let errors name the target, not the temporary file."""
    try:
        yield
    except OSError as error:
        found = error.filename
        if error.errno is not None and (
            not isinstance(found, str) or os.path.basename(found).startswith(_PREFIX)
        ):
            error.filename = name
            del error.filename2
        raise
