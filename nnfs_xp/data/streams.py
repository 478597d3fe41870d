"""Finding and opening files that may be compressed by gzip."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, through gzip if it is compressed.

    The first bytes decide and not the name: browsers unpack some downloads
    and leave them called ``.gz``.
    """
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if compressed else file
        yield cast(BinaryIO, stream)


def plain_or_gz(path: Path) -> Path | None:
    """Return `path` or `path` with ``.gz`` appended, whichever is a file."""
    for candidate in (path, path.with_name(path.name + ".gz")):
        if candidate.is_file():
            return candidate
    return None
