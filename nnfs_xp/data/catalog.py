"""Data by name: the built-in sets, and files of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.examples import Examples, number_names
from nnfs_xp.data.fashion_mnist import load_full
from nnfs_xp.data.generators import load_points
from nnfs_xp.data.packaged import load_digits, load_mini
from nnfs_xp.data.readers import read_file
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.random import Stream

_Path = str | PathLike[str]

_LOADERS: dict[str, Callable[[_Path | None], Dataset]] = {
    "fashion-mnist-mini": lambda data_dir: load_mini(),
    "fashion-mnist": load_full,
    "digits": lambda data_dir: load_digits(),
    "spiral": lambda data_dir: load_points("spiral"),
    "vertical": lambda data_dir: load_points("vertical"),
}

DATASET_NAMES = tuple(_LOADERS)
_TEST_SHARE = 0.2


def load_dataset(
    name_or_path: _Path, *, data_dir: _Path | None = None, seed: int = 0
) -> Dataset:
    """Return a built-in data set, or make one of the user's own file.

    Parameters
    ----------
    name_or_path : str or path
        One of `DATASET_NAMES`, or a ``.npz``, ``.csv``, ``.csv.gz`` or IDX
        file, or a directory of IDX files.
    data_dir : path, optional
        Where the four files of ``"fashion-mnist"`` are; without it they are
        downloaded. Nothing else uses it.
    seed : int, default 0
        Chooses the fifth of the rows that is held out for testing, for a file
        that names no test rows itself.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If nothing has this name, or a file has too few rows.
    FileFormatError
        If a file is damaged or of another kind.
    DownloadError
        If a download fails.

    Examples
    --------
    >>> load_dataset("digits").n_classes
    10
    """
    if name_or_path in DATASET_NAMES:
        return _LOADERS[str(name_or_path)](data_dir)
    return _dataset_from_file(_existing(name_or_path), seed)


def load_examples(
    name_or_path: _Path,
    *,
    data_dir: _Path | None = None,
    n_features: int | None = None,
    class_names: Sequence[str] | None = None,
) -> Examples:
    """Return examples to evaluate, or to predict, with a trained model.

    These are the test part of a built-in data set or of a file that has one,
    and otherwise all rows of a file, with or without labels.

    Parameters
    ----------
    name_or_path, data_dir
        As for `load_dataset`.
    n_features : int, optional
        How many features the model takes. A CSV file of just this many columns
        has no labels; without this number its last column is taken for them.
    class_names : sequence of str, optional
        The classes of the model. A file that names its classes is numbered by
        them, and not by the names that happen to occur in it.

    Returns
    -------
    examples : Examples

    Raises
    ------
    InputError
        If nothing has this name, the features are not `n_features`, or the
        file has a class that is not one of `class_names`.
    FileFormatError
        If a file is damaged or of another kind.
    DownloadError
        If a download fails.

    Examples
    --------
    >>> from nnfs_xp.data import load_examples
    >>> load_examples("digits").class_names[:3]
    ('0', '1', '2')
    """
    if name_or_path in DATASET_NAMES:
        dataset = load_dataset(name_or_path, data_dir=data_dir)
        x, y = dataset.x_test, dataset.y_test
        found = Examples(x, y, dataset.class_names, dataset.image_shape)
    else:
        path = _existing(name_or_path)
        rows, test = read_file(path, n_features=n_features)
        found = _numbered_by(class_names, path, test or rows)
    if n_features is not None and found.x.shape[1] != n_features:
        raise InputError(
            f"{name_or_path}: rows have {found.x.shape[1]} features; "
            f"{n_features} are expected"
        )
    return found


def _numbered_by(
    class_names: Sequence[str] | None, path: Path, found: Examples
) -> Examples:
    """Return examples whose labels are numbered by `class_names`."""
    names, y = found.class_names, found.y
    if y is None or class_names is None or names == number_names(len(names)):
        return found
    unknown = [name for name in names if name not in class_names]
    if unknown:
        raise InputError(
            f"{path}: class {unknown[0]!r} is none of {', '.join(class_names)}"
        )
    numbers = np.array([list(class_names).index(name) for name in names])
    return Examples(found.x, numbers[y], tuple(class_names), found.image_shape)


def _existing(name_or_path: _Path) -> Path:
    """Return a path to something, or say what could have been asked for."""
    if not isinstance(name_or_path, (str, PathLike)):
        raise InputError(f"expected a name or a path, not {name_or_path!r}")
    path = Path(name_or_path)
    # An empty name would stand for the working directory.
    if name_or_path == "" or not path.exists():
        raise InputError(
            f"no data set and no file is called '{name_or_path}'; the "
            f"data sets are {', '.join(DATASET_NAMES)}"
        )
    return path


def _dataset_from_file(path: Path, seed: int) -> Dataset:
    """Make a data set of a file of labelled examples.

    Parameters
    ----------
    path : pathlib.Path
        As for `read_file`.
    seed : int, default 0
        Chooses the rows that are held out, if the file names no test rows.

    Returns
    -------
    Dataset

    Raises
    ------
    FileFormatError
        If the file cannot be used.
    InputError
        If rows must be held out and there are fewer than two.
    """
    rows, test = read_file(path)
    if rows.y is None or (test is not None and test.y is None):
        raise FileFormatError(
            f"{path}: has no labels. An .npz file has them as y_train (and y_test), "
            "y, labels or target, an IDX file as train-labels-idx1-ubyte beside it"
        )
    if test is None:
        held_out = _held_out(path, len(rows.x), seed)
        parts = rows.x[~held_out], rows.y[~held_out], rows.x[held_out], rows.y[held_out]
        note = (
            f"read from {path}, {held_out.sum()} of {len(held_out)} rows held "
            f"out for testing (seed {seed})"
        )
    else:
        parts = rows.x, rows.y, test.x, test.y
        note = f"read from {path}, with its own test rows"
    names = max(rows.class_names, test.class_names if test else (), key=len)
    kind = names, rows.image_shape, Scaling.standard(parts[0])
    return Dataset(str(path), *parts, *kind, note)


def _held_out(path: Path, count: int, seed: int) -> np.ndarray:
    """Return which of the rows are held out for testing."""
    if count < 2:
        raise InputError(
            f"{path}: has {count} row; two are needed, one to train on and one "
            "to hold out for testing"
        )
    held_out = np.zeros(count, dtype=bool)
    n_test = max(1, round(_TEST_SHARE * count))
    held_out[Stream(seed, "holdout").permutation(count)[:n_test]] = True
    return held_out
