"""Helpers for the tests of `nnfs_xp.data`."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def _encode_idx(array: np.ndarray) -> bytes:
    """Return the bytes of an IDX file, written from the format's description."""
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(">HBB", 0, code, array.ndim)
    header += struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def encode_idx() -> Callable[[np.ndarray], bytes]:
    """Give the function that encodes an array as IDX."""
    return _encode_idx


@pytest.fixture
def idx_family(tmp_path: Path) -> Path:
    """Give a directory of four IDX files, two of them compressed."""
    images = np.arange(10 * 2 * 3, dtype=np.uint8).reshape(10, 2, 3)
    labels = np.arange(10, dtype=np.uint8) % 3
    for name, content in {
        "train-images-idx3-ubyte": _encode_idx(images),
        "train-labels-idx1-ubyte.gz": gzip.compress(_encode_idx(labels)),
        "t10k-images-idx3-ubyte.gz": gzip.compress(_encode_idx(images[:4] + 100)),
        "t10k-labels-idx1-ubyte": _encode_idx(labels[:4]),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture(scope="session")
def original_files() -> Path:
    """Give the directory of the original Fashion-MNIST files, or skip."""
    root = Path(__file__).resolve().parents[2]
    directory = root / "../shared/data/fashion-mnist"
    if not directory.is_dir():
        pytest.skip("the original Fashion-MNIST files are not beside the repository")
    return directory
