"""Checked features and labels, as every reader hands them on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nnfs_xp.errors import FileFormatError

# A label beyond this is a measurement or a row number, and one class name for
# each value below it would fill the memory.
MOST_CLASSES = 2**16


# Without eq=False the generated __eq__ would compare arrays and raise.
@dataclass(frozen=True, eq=False)
class Examples:
    """Rows to evaluate or to predict with a trained model.

    Parameters
    ----------
    x : numpy.ndarray
        Raw features of shape (n, features); the model's scaling applies.
    y : numpy.ndarray or None
        Integer labels of shape (n,), if there are any.
    class_names : tuple of str
        One name for each label from 0 up; empty without labels.
    image_shape : tuple of int or None
        ``(height, width)`` if a row is an image.

    Examples
    --------
    >>> from nnfs_xp.data import load_examples
    >>> examples = load_examples("digits")
    >>> examples.x.shape, examples.y.shape, examples.image_shape
    ((359, 64), (359,), (8, 8))
    """

    x: np.ndarray = field(repr=False)
    y: np.ndarray | None = field(repr=False)
    class_names: tuple[str, ...]
    image_shape: tuple[int, int] | None


# The rows of a file, and those that it sets aside for testing.
Parts = tuple[Examples, Examples | None]


def make_examples(
    path: Path, part: str, x: np.ndarray, y: np.ndarray | None
) -> Examples:
    """Check raw arrays and join them to `Examples`.

    Parameters
    ----------
    path : pathlib.Path
        Where the arrays came from, for messages.
    part : {"train", "test"}
        What they are for, for messages.
    x : numpy.ndarray
        Features of shape (n, features) or (n, height, width), which become
        (n, features) in this machine's byte order.
    y : numpy.ndarray or None
        Labels of shape (n,).

    Returns
    -------
    examples : Examples

    Raises
    ------
    FileFormatError
        If features are not finite real numbers, or labels are not integers
        from 0 up, one for each row.
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
    if y is None:
        return Examples(flat, None, (), image_shape)

    name = f"{path}: {part} labels"
    if y.dtype.kind not in "iu":
        raise FileFormatError(f"{name} must be integers, not {y.dtype}")
    if y.shape != x.shape[:1]:
        raise FileFormatError(
            f"{name} must have shape {x.shape[:1]}, one for each row of the "
            f"features, not {y.shape}"
        )
    labels = y.astype(_native(y.dtype), copy=False)
    bad_rows = np.flatnonzero((labels < 0) | (labels >= MOST_CLASSES))
    if bad_rows.size:
        row = bad_rows[0]
        raise FileFormatError(
            f"{name} must be from 0 to {MOST_CLASSES - 1}, not {labels[row]} in row "
            f"{row} (counting from 0); are these really classes?"
        )
    return Examples(flat, labels, number_names(int(labels.max()) + 1), image_shape)


def make_parts(
    path: Path,
    train: tuple[np.ndarray, np.ndarray | None],
    test: tuple[np.ndarray, np.ndarray | None] | None,
) -> Parts:
    """Check the arrays of both parts of a file, as `make_examples` does.

    Raises
    ------
    FileFormatError
        If an array cannot be used, or rows of the two parts differ in shape.
    """
    rows = make_examples(path, "train", *train)
    if test is None:
        return rows, None
    if test[0].shape[1:] != train[0].shape[1:]:
        raise FileFormatError(
            f"{path}: rows for testing have shape {test[0].shape[1:]}, "
            f"rows for training {train[0].shape[1:]}"
        )
    return rows, make_examples(path, "test", *test)


def number_names(count: int) -> tuple[str, ...]:
    """Return the names of classes that have none but their numbers."""
    return tuple(map(str, range(count)))


def _native(dtype: np.dtype) -> np.dtype:
    """Return `dtype` in this machine's byte order; torch takes no other."""
    return dtype.newbyteorder("=")
