"""The IDX format of the MNIST family: a short header, then bare numbers.

Four bytes open the file: two zeros, a code for the type of the numbers and
the count of dimensions. The size of each dimension follows in four bytes, then
the numbers themselves, all with the most significant byte first.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nnfs_xp.data.streams import open_binary
from nnfs_xp.errors import FileFormatError

_DTYPES: dict[int, np.dtype] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_MOST_DIMENSIONS = 32
_CHUNK = 1 << 20


def read_idx(path: Path, *, sha256: str | None = None) -> np.ndarray:
    """Read one IDX file, plain or compressed by gzip.

    Parameters
    ----------
    path : pathlib.Path
        The file. Compression is told by its first bytes, not by its name.
    sha256 : str, optional
        Checksum that the uncompressed bytes must have.

    Returns
    -------
    numpy.ndarray
        A writable array in this machine's byte order.

    Raises
    ------
    FileFormatError
        If the file cannot be read, is not IDX, is shorter or longer than its
        header says, or has another checksum.
    """
    try:
        with open_binary(path) as stream:
            return _parse(path, stream, sha256)
    # gzip reports damage through all of these.
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, stream: BinaryIO, sha256: str | None) -> np.ndarray:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise FileFormatError(
            f"{path}: not an IDX file; it starts with {magic.hex(' ') or 'nothing'}"
        )
    dtype, dimensions = _DTYPES[magic[2]], magic[3]
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise FileFormatError(
            f"{path}: IDX header declares {dimensions} dimensions; expected 1 to "
            f"{_MOST_DIMENSIONS}"
        )
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise FileFormatError(f"{path}: ends within its IDX header")
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    expected = math.prod(shape) * dtype.itemsize
    if expected == 0:
        raise FileFormatError(f"{path}: IDX header declares shape {shape}: no elements")

    # One byte more than expected, which shows whether something follows.
    content = _read_up_to(stream, expected + 1)
    if len(content) != expected:
        found = f"only {len(content)}" if len(content) < expected else "more"
        raise FileFormatError(
            f"{path}: IDX header declares shape {shape}, {expected} bytes of "
            f"{dtype.name}, and {found} follow"
        )
    if sha256 is not None:
        found = hashlib.sha256(magic + sizes + content).hexdigest()
        if found != sha256:
            raise FileFormatError(
                f"{path}: not the expected content: SHA-256 {found}, expected {sha256}"
            )
    array: np.ndarray = np.frombuffer(content, dtype=dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_up_to(stream: BinaryIO, count: int) -> bytearray:
    """Read at most `count` bytes, taking memory only for those that come.

    A damaged header can declare any size, and ``stream.read(count)`` would
    allocate it at once. A bytearray makes the array built on it writable.
    """
    content = bytearray()
    while len(content) < count:
        chunk = stream.read(min(_CHUNK, count - len(content)))
        if not chunk:
            break
        content += chunk
    return content
