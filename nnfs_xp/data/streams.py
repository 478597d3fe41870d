"""Finding and opening files that may be compressed by gzip."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

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
            # The last four bytes declare the size, modulo 4 GiB.
            file.seek(-4, 2)
            check_unpacked_size(path, int.from_bytes(file.read(4), "little"))
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        yield cast(BinaryIO, stream)


def check_unpacked_size(path: Path, declared: int) -> None:
    """Refuse a file that would be far larger once it is unpacked.

    Raises
    ------
    FileFormatError
        If it declares more than 1 GiB and more than 200 times its own size.
    """
    limit = max(_ALWAYS_ALLOWED, _LARGEST_RATIO * path.stat().st_size)
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
