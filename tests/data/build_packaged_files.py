r"""Make the files of ``nnfs_xp/data/files``.

Run from the root of the repository, with scikit-learn installed::

    python -m tests.data.build_packaged_files \
        --fashion-mnist DIRECTORY --plays FILE --out nnfs_xp/data/files

``DIRECTORY`` holds the four original IDX files of Fashion-MNIST, and ``FILE`` is
``data/tinyshakespeare/input.txt`` of <https://github.com/karpathy/char-rnn>.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np

from nnfs_xp.data.fashion_mnist import read_from_directory
from nnfs_xp.data.packaged import DIGITS_FILE, MINI_FILE, TEXT_FILE

_PER_CLASS = {"train": 1000, "test": 200}
# How the third play of the file begins.
_THIRD_PLAY = b"KING RICHARD II:\nOld John of Gaunt"


def mini_arrays(directory: Path) -> dict[str, np.ndarray]:
    """Return the packaged part of Fashion-MNIST, chosen from the whole."""
    full = read_from_directory(directory)
    mini: dict[str, np.ndarray] = {}
    for part, count in _PER_CLASS.items():
        rows = first_of_each_class(full[f"y_{part}"], count)
        mini |= {key: full[key][rows] for key in (f"x_{part}", f"y_{part}")}
    return mini


def first_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the first `count` examples of each class.

    The rows ascend, so that the classes stay mixed as they were.

    Examples
    --------
    >>> first_of_each_class(np.array([1, 0, 0, 1, 1, 0]), 2).tolist()
    [0, 1, 2, 3]
    """
    rows = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    return np.sort(np.concatenate(rows))


def digits_arrays() -> dict[str, np.ndarray]:
    """Return the digits that come with scikit-learn, as 8-bit integers."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return {"x": bunch.images.astype(np.uint8), "y": bunch.target.astype(np.uint8)}


def text_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the first two plays, as bytes."""
    content = path.read_bytes()
    plays = content[: content.index(_THIRD_PLAY)].rstrip() + b"\n"
    return {"text": np.frombuffer(plays, np.uint8)}


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Save arrays as `numpy.savez_compressed` would, the same bytes each time."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            # The time and the system of the writer would differ.
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, content.getvalue(), zipfile.ZIP_DEFLATED, 9)


def main(arguments: list[str] | None = None) -> None:
    """Write all files and print their sizes."""
    parser = argparse.ArgumentParser(description="Make the packaged data files.")
    parser.add_argument("--fashion-mnist", type=Path, required=True, metavar="DIR")
    parser.add_argument("--plays", type=Path, required=True, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, arrays in (
        (MINI_FILE, mini_arrays(options.fashion_mnist)),
        (DIGITS_FILE, digits_arrays()),
        (TEXT_FILE, text_arrays(options.plays)),
    ):
        path = options.out / name
        write_npz(path, arrays)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
