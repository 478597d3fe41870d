"""Data sets in NumPy's files: ``.npz`` archives, and ``.npy`` arrays side by side."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from nnfs_xp.data.examples import Parts, make_parts
from nnfs_xp.data.streams import check_unpacked_size
from nnfs_xp.errors import FileFormatError

# Features and labels, and the test part that may stand beside them.
_KEYS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x", "y", "x_test", "y_test"),
    ("images", "labels", "x_test", "y_test"),
    ("data", "target", "x_test", "y_test"),
    ("arr_0", "arr_1", "x_test", "y_test"),
)


def read_npz(path: Path) -> Parts:
    """Read features and labels from an ``.npz`` file, without unpickling.

    Parameters
    ----------
    path : pathlib.Path
        Holds ``x_train`` and ``y_train``, or ``x`` and ``y``, ``images`` and
        ``labels``, or ``data`` and ``target``, in small or capital letters.
        ``x_test`` and ``y_test`` may stand beside them. Labels may be left out.
        MedMNIST's names are known too, and ``arr_0`` and ``arr_1`` of
        ``numpy.savez(path, x, y)``.

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
    try:
        with open(path, "rb") as file:
            if file.read(6) == b"\x93NUMPY":
                raise ValueError("it is a single .npy array, not an .npz archive")
            with zipfile.ZipFile(file) as archive:
                sizes = [member.file_size for member in archive.infolist()]
            check_unpacked_size(path, sum(sizes))
            file.seek(0)
            with np.load(file, allow_pickle=False) as content:
                return _chosen(str(path), content.files, lambda key: content[key])
    except FileFormatError:
        raise
    # A damaged archive makes zipfile, zlib and NumPy raise a dozen types that
    # share no other base, MemoryError for an absurd shape among them.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileFormatError(f"{path}: cannot be read as .npz: {reason}") from error


def read_npy(path: Path) -> Parts:
    """Read features from an ``.npy`` file, and labels from one beside it.

    Parameters
    ----------
    path : pathlib.Path
        A file called as an array of `read_npz`, such as ``x.npy`` or
        ``x_train.npy``; those that belong to it are looked for beside it. A
        file of another name holds features alone. Or the folder of such files.

    Returns
    -------
    all or training rows : Examples
    test rows : Examples or None

    Raises
    ------
    FileFormatError
        If a file is damaged, or an array cannot be used.
    """
    directory = path if path.is_dir() else path.parent
    files = {file.stem: file for file in sorted(directory.glob("*.npy"))}
    if path.is_dir() or any(path.stem.lower() == keys[0] for keys in _KEYS):
        return _chosen(str(path), files, lambda key: _load_npy(files[key]))
    return make_parts(str(path), (_load_npy(path), None), None)


def _load_npy(path: Path) -> np.ndarray:
    try:
        # Mapped, because NumPy would first take the memory for any declared shape.
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileFormatError(f"{path}: cannot be read as .npy: {reason}") from error


def _chosen(
    source: str, names: Iterable[str], load: Callable[[str], np.ndarray]
) -> Parts:
    """Return the arrays that have one of our keys, in whatever case."""
    known = {key for keys in _KEYS for key in keys}
    spelled: dict[str, str] = {}
    for name in names:
        if name.lower() in known and name.lower() in spelled:
            raise FileFormatError(
                f"{source}: holds {name.lower()!r} twice, in two spellings"
            )
        spelled[name.lower()] = name
    keys = next((keys for keys in _KEYS if keys[0] in spelled), None)
    if keys is None or (keys[0] == "arr_0" and "arr_2" in spelled):
        wanted = ", ".join(f"{keys[0]}/{keys[1]}" for keys in _KEYS[:-1])
        found = ", ".join(spelled.values()) or "no array"
        raise FileFormatError(f"{source}: holds {found}; expected one of {wanted}")
    x, y, x_test, y_test = (
        load(spelled[key]) if key in spelled else None for key in keys
    )
    if x_test is None and y_test is not None:
        raise FileFormatError(f"{source}: holds {keys[3]} without {keys[2]}")
    assert x is not None
    return make_parts(source, (x, y), None if x_test is None else (x_test, y_test))
