"""Checked features and answers, as every reader returns them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnfs_xp.data.targets import as_column
from nnfs_xp.errors import FileFormatError

# The last code point of Unicode, and the leading bits that all surrogates share.
_LAST_CHARACTER, _SURROGATES = 0x10FFFF, 0xD800 >> 11


# Without eq=False the generated __eq__ would compare arrays and raise.
@dataclass(frozen=True, eq=False)
class Examples:
    """Rows to evaluate or to predict with a trained model.

    Parameters
    ----------
    x : numpy.ndarray
        Raw features of shape (n, features); the model's scaling applies.
    y : numpy.ndarray or None
        Answers of shape (n,), if there are any: integer labels, or numbers in
        their own unit for a regression.
    class_names : tuple of str
        One name for each label from 0 up; empty without labels.
    image_shape : tuple of int or None
        ``(height, width)`` or ``(height, width, channels)`` if a row is an image.
    columns : tuple of str
        The names of the features; empty if they have none.
    label : str, int or None
        Name or number of the column that held the answers.
    rows : numpy.ndarray or None
        The numbers of the rows in their table, from 0, if others were left out.
    one_hot : dict
        Columns of a table that were encoded, and their values.

    Examples
    --------
    >>> from nnfs_xp.data import load_examples
    >>> examples = load_examples("digits")
    >>> examples.x.shape, examples.y.shape, examples.image_shape
    ((359, 64), (359,), (8, 8))
    """

    x: np.ndarray = field(repr=False)
    y: np.ndarray | None = field(repr=False)
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None
    columns: tuple[str, ...] = ()
    label: str | int | None = None
    rows: np.ndarray | None = field(default=None, repr=False)
    one_hot: dict[str | int, tuple[str, ...]] = field(default_factory=dict)


# The rows of a file, and those that it sets aside for testing.
Parts = tuple[Examples, Examples | None]


def make_examples(
    source: str, part: str, x: np.ndarray, y: np.ndarray | None
) -> Examples:
    """Check raw arrays and combine them into `Examples`.

    Parameters
    ----------
    source : str
        Where the arrays came from, for messages.
    part : {"train", "test"}
        Their purpose, for messages.
    x : numpy.ndarray
        Features of shape (n, features), (n, height, width) or (n, height,
        width, channels), which become (n, features) in this machine's byte
        order.
    y : numpy.ndarray or None
        Answers of shape (n,) or (n, 1), or one-hot rows: numbers, booleans or
        names.

    Returns
    -------
    examples : Examples

    Raises
    ------
    FileFormatError
        If features are not finite real numbers, or answers are not one for
        each row.
    """
    name = f"{source}: {part} features"
    if x.dtype.kind not in "biuf":
        raise FileFormatError(f"{name} must be real numbers, not {x.dtype}")
    if x.ndim not in (2, 3) and not (x.ndim == 4 and x.shape[3] in (1, 3)):
        raise FileFormatError(
            f"{name} must have shape (n, features), (n, height, width) or (n, height, "
            f"width, channels) with 1 or 3 channels, not {x.shape}"
        )
    if x.size == 0:
        raise FileFormatError(f"{name} are empty, shape {x.shape}")
    flat = np.ascontiguousarray(x.reshape(len(x), -1), dtype=_native(x.dtype))
    _check_finite(name, flat)
    if y is not None:
        name = f"{source}: {part} labels"
        if y.dtype.kind not in "biufU":
            raise FileFormatError(f"{name} must be numbers or names, not {y.dtype}")
        if y.dtype.kind == "U":
            _check_text(name, y)
        y = as_column(y)
        if y.shape != x.shape[:1]:
            raise FileFormatError(
                f"{name} must have shape {x.shape[:1]}, one for each row of the "
                f"features, not {y.shape}"
            )
        y = y.astype(_native(y.dtype), copy=False)
        if y.dtype.kind == "f":
            _check_finite(name, y[:, None])
    return Examples(flat, y, (), x.shape[1:] if x.ndim > 2 else None)


def make_parts(
    source: str,
    train: tuple[np.ndarray, np.ndarray | None],
    test: tuple[np.ndarray, np.ndarray | None] | None,
) -> Parts:
    """Check the arrays of both parts of a file, as `make_examples` does.

    Raises
    ------
    FileFormatError
        If an array cannot be used, or rows of the two parts differ in shape.
    """
    rows = make_examples(source, "train", *train)
    if test is None:
        return rows, None
    if test[0].shape[1:] != train[0].shape[1:]:
        raise FileFormatError(
            f"{source}: rows for testing have shape {test[0].shape[1:]}, "
            f"rows for training {train[0].shape[1:]}"
        )
    return rows, make_examples(source, "test", *test)


def _check_finite(name: str, values: np.ndarray) -> None:
    for row in np.flatnonzero(~np.isfinite(values).all(axis=1))[:1]:
        raise FileFormatError(
            f"{name} hold NaN or infinity in row {row} (counting from 0)"
        )


def _check_text(name: str, values: np.ndarray) -> None:
    """Reject names that hold something other than characters, as damaged ones may."""
    codes = np.ascontiguousarray(values).reshape(-1).view(values.dtype.byteorder + "u4")
    if ((codes > _LAST_CHARACTER) | (codes >> 11 == _SURROGATES)).any():
        raise FileFormatError(f"{name} hold bytes that are not characters")


def _native(dtype: np.dtype) -> np.dtype:
    """Return `dtype` in this machine's byte order; torch takes no other."""
    return dtype.newbyteorder("=")
