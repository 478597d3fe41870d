"""Checked features and labels, as every reader hands them on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnfs_xp.errors import FileFormatError

# A label beyond this is a measurement or a row number, and one class name for
# each value below it would fill the memory.
MOST_CLASSES = 2**16


# Without eq=False the generated __eq__ would compare arrays and raise.
@dataclass(frozen=True, eq=False)
class Table:
    """Some rows of a file.

    Parameters
    ----------
    x : numpy.ndarray
        Features of shape (n, features) as stored in the file.
    y : numpy.ndarray or None
        Integer labels of shape (n,), if the file has any.
    """

    x: np.ndarray
    y: np.ndarray | None

    def where(self, mask: np.ndarray) -> Table:
        """Return some of the rows, in the same order."""
        return Table(self.x[mask], None if self.y is None else self.y[mask])


@dataclass(frozen=True, eq=False)
class Tables:
    """All that a file, or a group of files, holds.

    Parameters
    ----------
    train : Table
        The rows to train on; all rows if the file makes no difference.
    test : Table or None
        The rows that the file sets aside for testing.
    class_names : tuple of str
        A name for each label from 0 up; empty if there are no labels.
    image_shape : tuple of int or None
        ``(height, width)`` if a row is an image.
    names_in_file : bool
        Whether the file itself names the classes, rather than numbering them.
    """

    train: Table
    test: Table | None
    class_names: tuple[str, ...]
    image_shape: tuple[int, int] | None
    names_in_file: bool = False


def make_tables(
    path: Path,
    train: tuple[np.ndarray, np.ndarray | None],
    test: tuple[np.ndarray, np.ndarray | None] | None = None,
) -> Tables:
    """Check raw arrays and join them to `Tables`.

    Parameters
    ----------
    path : pathlib.Path
        Where the arrays came from, for messages.
    train : tuple
        Features of shape (n, features) or (n, height, width), and labels or
        None.
    test : tuple, optional
        The same for the test rows.

    Returns
    -------
    Tables

    Raises
    ------
    FileFormatError
        If an array cannot be used or two of them do not fit together.
    """
    x, image_shape = check_features(path, "train", train[0])
    tables = [Table(x, check_labels(path, "train", train[1], len(x)))]
    if test is not None:
        x_test, test_shape = check_features(path, "test", test[0])
        if (x_test.shape[1], test_shape) != (x.shape[1], image_shape):
            raise FileFormatError(
                f"{path}: rows for testing have shape {test[0].shape[1:]}, "
                f"rows for training {train[0].shape[1:]}"
            )
        tables.append(Table(x_test, check_labels(path, "test", test[1], len(x_test))))

    labels = [table.y for table in tables if table.y is not None]
    largest = max((int(y.max()) for y in labels), default=-1)
    names = tuple(str(label) for label in range(largest + 1))
    return Tables(tables[0], tables[1] if test else None, names, image_shape)


def check_features(
    path: Path, part: str, x: np.ndarray
) -> tuple[np.ndarray, tuple[int, int] | None]:
    """Return features as (n, features) in native byte order, and an image shape.

    Raises
    ------
    FileFormatError
        If they have another shape, are empty, are not real numbers, or hold
        NaN or infinity.
    """
    name = f"{path}: {part} features"
    if x.dtype.kind not in "biuf":
        raise FileFormatError(f"{name} must be real numbers, not {x.dtype}")
    if x.ndim not in (2, 3):
        raise FileFormatError(
            f"{name} must have shape (n, features) or (n, height, width), not {x.shape}"
        )
    if x.size == 0:
        raise FileFormatError(f"{name} are empty, shape {x.shape}")

    image_shape = (x.shape[1], x.shape[2]) if x.ndim == 3 else None
    flat = np.ascontiguousarray(x.reshape(len(x), -1), dtype=_native(x.dtype))
    bad_rows = np.flatnonzero(~np.isfinite(flat).all(axis=1))
    if bad_rows.size:
        raise FileFormatError(
            f"{name} hold NaN or infinity in row {bad_rows[0]} (counting from 0)"
        )
    return flat, image_shape


def check_labels(
    path: Path, part: str, y: np.ndarray | None, rows: int
) -> np.ndarray | None:
    """Return labels of shape (n,) in native byte order, or None for None.

    Raises
    ------
    FileFormatError
        If they are not integers from 0 up, one for each row.
    """
    if y is None:
        return None
    if y.dtype.kind not in "iu":
        raise FileFormatError(f"{path}: {part} labels must be integers, not {y.dtype}")
    if y.shape != (rows,):
        raise FileFormatError(
            f"{path}: {part} labels must have shape ({rows},), one for each row "
            f"of the features, not {y.shape}"
        )
    labels = y.astype(_native(y.dtype), copy=False)
    bad_rows = np.flatnonzero((labels < 0) | (labels >= MOST_CLASSES))
    if bad_rows.size:
        row = bad_rows[0]
        raise FileFormatError(
            f"{path}: {part} label {labels[row]} in row {row} (counting from 0) is "
            f"not from 0 to {MOST_CLASSES - 1}; are these really class labels?"
        )
    return labels


def _native(dtype: np.dtype) -> np.dtype:
    """Return `dtype` in this machine's byte order; torch takes no other."""
    return dtype.newbyteorder("=")
