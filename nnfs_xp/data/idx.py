"""The IDX format of the MNIST family: a short header, then bare numbers.

Four bytes open the file: two zeros, a code for the type of the numbers and
the count of dimensions. The size of each dimension follows in four bytes, then
the numbers themselves, all with the most significant byte first.

MNIST and its relatives come as ``train-images-idx3-ubyte`` and
``train-labels-idx1-ubyte``, with ``t10k`` for ``train`` in the test part. Some
copies write ``.idx3`` for ``-idx3``; any of the files may end in ``.gz``.
"""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nnfs_xp.data.examples import Parts, make_parts
from nnfs_xp.data.streams import open_binary, plain_or_gz
from nnfs_xp.errors import FileFormatError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 32
_CHUNK = 1 << 20
# Prefix, separator and number of dimensions.
_IMAGES = re.compile(r"(.*)images([-.])idx(\d)-ubyte(?:\.gz)?")


def read_idx(path: Path, *, sha256: str | None = None) -> np.ndarray:
    """Read one IDX file, plain or compressed by gzip.

    Parameters
    ----------
    path : pathlib.Path
        The file. Compression is detected by its first bytes, not by its name.
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


def is_idx_name(name: str) -> bool:
    """Return whether a file of this name is one of an IDX family."""
    return re.search(r"[-.]idx\d-ubyte(\.gz)?$", name) is not None


def read_idx_directory(directory: Path) -> Parts:
    """Read the training images of a directory and what belongs to them.

    Parameters
    ----------
    directory : pathlib.Path
        Holds files of the names above. Only the training images are needed.

    Returns
    -------
    all or training rows : Examples
    test rows : Examples or None

    Raises
    ------
    FileFormatError
        If there are no training images, or `read_idx_images` refuses them.
    """
    for separator in "-.":
        images = plain_or_gz(directory / f"train-images{separator}idx3-ubyte")
        if images is not None:
            return read_idx_images(images)
    raise FileFormatError(
        f"{directory}: is a directory without train-images-idx3-ubyte (or .gz), .npy "
        "files, or pictures in folders that name their classes"
    )


def read_idx_images(path: Path) -> Parts:
    """Read an IDX file of images and the files that belong to it.

    Parameters
    ----------
    path : pathlib.Path
        The images. Their labels are looked for beside them, and beside
        ``train-*`` also the test images ``t10k-*``.

    Returns
    -------
    all or training rows : Examples
    test rows : Examples or None

    Raises
    ------
    FileFormatError
        If a file is missing or damaged, or two do not fit together.
    """
    match = _IMAGES.fullmatch(path.name)
    if match is None:
        raise FileFormatError(
            f"{path}: give the IDX file of the images, called like "
            "train-images-idx3-ubyte; the labels are found beside it"
        )
    prefix, separator, dimensions = match.groups()

    def labels(prefix: str) -> np.ndarray | None:
        found = plain_or_gz(path.with_name(f"{prefix}labels{separator}idx1-ubyte"))
        return None if found is None else read_idx(found)

    test_name = f"t10k-images{separator}idx{dimensions}-ubyte"
    x_test = plain_or_gz(path.with_name(test_name)) if prefix == "train-" else None
    test = None if x_test is None else (read_idx(x_test), labels("t10k-"))
    return make_parts(str(path), (read_idx(path), labels(prefix)), test)


def _parse(path: Path, stream: BinaryIO, sha256: str | None) -> np.ndarray:
    magic = stream.read(4)
    known = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in _DTYPES
    if not known or not 1 <= magic[3] <= _MOST_DIMENSIONS:
        raise FileFormatError(
            f"{path}: not an IDX file; it starts with {magic.hex(' ') or 'nothing'}"
        )
    dtype, dimensions = np.dtype(_DTYPES[magic[2]]), magic[3]
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
    while chunk := stream.read(min(_CHUNK, count - len(content))):
        content += chunk
    return content
