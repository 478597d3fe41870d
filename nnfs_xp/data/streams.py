"""Finding and opening files that may be compressed by gzip."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from nnfs_xp.errors import FileFormatError

_ALWAYS_ALLOWED = 2**30
_LARGEST_RATIO = 200


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, through gzip if it is compressed.

    The first bytes decide and not the name: browsers unpack some downloads
    and leave them called ``.gz``.
    """
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        if compressed:
            # The last four bytes declare the size, modulo 4 GiB, of the last part.
            file.seek(max(0, file.seek(0, 2) - 4))
            check_unpacked_size(path, int.from_bytes(file.read(4), "little"))
        file.seek(0)
        if compressed:
            yield cast(BinaryIO, io.BufferedReader(_Unpacked(path, file)))
        else:
            yield file


@contextmanager
def open_sized(path: Path) -> Iterator[BinaryIO]:
    """Open a file such that a read takes no memory for more bytes than it holds.

    Python's own files allocate as much as is asked for, and a damaged length may ask
    for gigabytes.
    """
    with _Sized(io.FileIO(path)) as file:
        yield file


class _Sized(io.BufferedReader):
    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw)
        self._size = os.fstat(raw.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        # Readers of JPEG files ask for single bytes, millions of times.
        if size is not None and size > io.DEFAULT_BUFFER_SIZE:
            size = min(size, max(0, self._size - self.tell()))
        return super().read(size)


class _Unpacked(io.RawIOBase):
    """The content of a gzip file, as far as `check_unpacked_size` allows."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._stream, self._size = path, gzip.GzipFile(fileobj=file), 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, and return the number of bytes."""
        count = self._stream.readinto(buffer)
        self._size += count
        check_unpacked_size(self._path, self._size)
        return count


def check_unpacked_size(
    path: Path, declared: int, always_allowed: int = _ALWAYS_ALLOWED
) -> None:
    """Refuse a file that would be far larger once it is unpacked.

    Raises
    ------
    FileFormatError
        If it declares more than `always_allowed`, which is 1 GiB, and more than 200
        times its own size.
    """
    limit = max(always_allowed, _LARGEST_RATIO * path.stat().st_size)
    if declared > limit:
        raise FileFormatError(
            f"{path}: is damaged, or would unpack to {declared:,} bytes, more than the "
            f"limit of {limit:,}; unpack it yourself if you trust it"
        )


def plain_or_gz(path: Path) -> Path | None:
    """Return `path` or `path` with ``.gz`` appended, whichever is a file."""
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    return None
