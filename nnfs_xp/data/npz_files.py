"""Data sets saved by ``numpy.savez``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnfs_xp.data.examples import Parts, make_parts
from nnfs_xp.errors import FileFormatError

_KEYS = (("x_train", "y_train"), ("x", "y"), ("images", "labels"), ("data", "target"))
_TEST_KEYS = ("x_test", "y_test")


def read_npz(path: Path) -> Parts:
    """Read features and labels from an ``.npz`` file, without unpickling.

    Parameters
    ----------
    path : pathlib.Path
        Holds ``x_train`` and ``y_train``, or ``x`` and ``y``, or ``images``
        and ``labels``, or ``data`` and ``target``, in small or capital
        letters. ``x_test`` and ``y_test`` may stand beside them. Labels may be
        left out.

    Returns
    -------
    all or training rows : Examples
    test rows : Examples or None

    Raises
    ------
    FileFormatError
        If the file is damaged, has no features, or holds an array that cannot
        be used.
    """
    arrays = _load(path)
    pair = next((pair for pair in _KEYS if pair[0] in arrays), None)
    if pair is None:
        wanted = ", ".join(f"{x}/{y}" for x, y in _KEYS)
        found = ", ".join(arrays) or "nothing"
        raise FileFormatError(f"{path}: holds {found}; expected one of {wanted}")
    x_test, y_test = (arrays.get(key) for key in _TEST_KEYS)
    if x_test is None and y_test is not None:
        raise FileFormatError(f"{path}: holds y_test without x_test")
    test = None if x_test is None else (x_test, y_test)
    return make_parts(path, (arrays[pair[0]], arrays.get(pair[1])), test)


def _load(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays that have one of our keys, by the key in lower case."""
    known = {key for pair in (*_KEYS, _TEST_KEYS) for key in pair}
    arrays: dict[str, np.ndarray] = {}
    try:
        with open(path, "rb") as file:
            content = np.load(file, allow_pickle=False)
            if not isinstance(content, np.lib.npyio.NpzFile):
                raise ValueError("it is a single .npy array, not an .npz archive")
            with content:
                for key in content.files:
                    lower = key.lower()
                    if lower not in known:
                        continue
                    if lower in arrays:
                        raise ValueError(f"it holds {lower!r} twice, in two spellings")
                    arrays[lower] = content[key]
    # A damaged archive makes zipfile, zlib and NumPy raise a dozen types that
    # share no other base, MemoryError for an absurd shape among them.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileFormatError(f"{path}: cannot be read as .npz: {reason}") from error
    return arrays
