"""Data sets in NumPy's files: ``.npz`` archives, and ``.npy`` arrays side by side."""

from __future__ import annotations

import math
import os
import warnings
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import numpy as np

from nnfs_xp.data.examples import Parts, make_parts
from nnfs_xp.data.streams import check_unpacked_size, open_sized
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
# Those that NumPy writes. Python unpacks others without a bound at each read.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
Member = TypeVar("Member")


def read_npz(path: Path) -> Parts:
    """Read features and labels from an ``.npz`` file, without unpickling.

    Parameters
    ----------
    path : pathlib.Path
        Holds ``x_train`` and ``y_train``, or ``x`` and ``y``, ``images`` and
        ``labels``, or ``data`` and ``target``, in lower or upper case. ``x_test`` and
        ``y_test`` may stand beside them. Labels may be omitted. MedMNIST's names are
        known too, and ``arr_0`` and ``arr_1`` of ``numpy.savez(path, x, y)``.

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
                members = archive.infolist()
                if any(member.compress_type not in _METHODS for member in members):
                    raise ValueError("its compression method is not one of .npz")
                check_unpacked_size(path, sum(member.file_size for member in members))

                def load(member: zipfile.ZipInfo) -> np.ndarray:
                    with archive.open(member) as stream:
                        name = member.filename.removesuffix(".npy")
                        size = member.file_size
                        return _read_array(cast(BinaryIO, stream), size, name)

                return _chosen(str(path), [(m.filename, m) for m in members], load)
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
        A file named like an array of `read_npz`, such as ``x.npy`` or ``x_train.npy``;
        the files that belong to it are looked for beside it. A file with any other name
        holds features alone. Or a folder of such files.

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
    if path.is_dir() or any(path.stem.lower() == keys[0] for keys in _KEYS):
        files = sorted(directory.glob("*.npy"))
        return _chosen(str(path), [(file.name, file) for file in files], _load_npy)
    return make_parts(str(path), (_load_npy(path), None), None)


def _load_npy(path: Path) -> np.ndarray:
    try:
        with open_sized(path) as file:
            return _read_array(file, os.fstat(file.fileno()).st_size, path.stem)
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileFormatError(f"{path}: cannot be read as .npy: {reason}") from error


def _read_array(file: BinaryIO, size: int, name: str) -> np.ndarray:
    """Return the array that a file of this size holds, and nothing else.

    NumPy alone would allocate memory for any shape that a header declares, and ignore
    what follows the array.
    """
    with warnings.catch_warnings():
        # For headers in the syntax of Python 2, and for escapes in damaged ones.
        warnings.simplefilter("ignore")
        version = np.lib.format.read_magic(file)
        # Versions 2 and 3 differ in the names of fields, which no number has.
        newer = version != (1, 0)
        read_header = getattr(np.lib.format, f"read_array_header_{1 + newer}_0")
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError(
                f"{name} holds Python objects, whose unpickling may run code; save it "
                f"as numbers or names: {name}.astype(float) or {name}.astype(str)"
            )
        expected, found = math.prod(shape) * dtype.itemsize, size - file.tell()
        if expected != found or min(shape, default=0) < 0:
            raise ValueError(
                f"its header declares {dtype} of shape {shape}, {expected} bytes, and "
                f"{found} follow"
            )
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def _chosen(
    source: str,
    members: Iterable[tuple[str, Member]],
    load: Callable[[Member], np.ndarray],
) -> Parts:
    """Return the arrays that have one of our keys, in whatever case."""
    known = {key for keys in _KEYS for key in keys}
    spelled: dict[str, str] = {}
    found: dict[str, Member] = {}
    for file_name, member in members:
        name = file_name.removesuffix(".npy")
        key = name.lower()
        if key in known and key in spelled:
            ending = ", in two spellings" if name != spelled[key] else ""
            raise FileFormatError(f"{source}: holds {key!r} twice{ending}")
        spelled[key], found[key] = name, member
    keys = next((keys for keys in _KEYS if keys[0] in spelled), None)
    if keys is None or (keys[0] == "arr_0" and "arr_2" in spelled):
        wanted = ", ".join(f"{keys[0]}/{keys[1]}" for keys in _KEYS[:-1])
        names = ", ".join(spelled.values()) or "no array"
        raise FileFormatError(f"{source}: holds {names}; expected one of {wanted}")
    x, y, x_test, y_test = (load(found[key]) if key in found else None for key in keys)
    if x_test is None and y_test is not None:
        raise FileFormatError(f"{source}: holds {keys[3]} without {keys[2]}")
    assert x is not None
    return make_parts(source, (x, y), None if x_test is None else (x_test, y_test))
