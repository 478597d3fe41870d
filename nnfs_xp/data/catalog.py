"""Data by name: the built-in sets, and files of the user's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nnfs_xp.arguments import check_choice, check_flag, check_seed
from nnfs_xp.data.columns import Layout
from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.examples import Examples, Parts
from nnfs_xp.data.fashion_mnist import load_full
from nnfs_xp.data.generators import load_points
from nnfs_xp.data.one_hot import columns_given, values_given
from nnfs_xp.data.packaged import load_digits, load_mini
from nnfs_xp.data.readers import read_file, read_frame
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.data.targets import TASKS, numbered, task_of
from nnfs_xp.data.text import TEXT_NAME
from nnfs_xp.errors import DataWarning, FileFormatError, InputError
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
_TEST_EVERY = 5
# A table with at least this many columns may hold pixels.
_LEAST_PIXELS = 64


def load_dataset(
    name_or_path: Any,
    *,
    data_dir: _Path | None = None,
    seed: int = 0,
    task: str | None = None,
    label: str | int | None = None,
    delimiter: str | None = None,
    missing: str | None = None,
    drop: Sequence[str | int] = (),
    one_hot: Sequence[str | int] = (),
    resize: Sequence[int] | None = None,
) -> Dataset:
    """Return a built-in data set, or one made from the user's own file.

    Parameters
    ----------
    name_or_path : str, path or DataFrame
        One of `DATASET_NAMES`, or a file or folder: ``.npz``, ``.npy``,
        ``.csv``, ``.tsv``, IDX, or pictures in ``CLASS/*.png`` or
        ``train/CLASS/*.png`` and ``test/CLASS/*.png``. Or a DataFrame of pandas
        or polars.
    data_dir : path, optional
        Where the four files of ``"fashion-mnist"`` are; without it they are
        downloaded. Nothing else uses it.
    seed : int, default 0
        Chooses the fifth of the rows that is held out for testing, for a file without
        test rows of its own. It is a fifth of each class.
    task : {"classification", "regression"}, optional
        What the answers are. By default they are numbers to predict if one of them is
        not whole, or if there are more than twenty different ones with gaps between
        them, and classes otherwise.
    label : str or int, optional
        Name or number of the column of a table that holds the answers; numbers count
        from 0, or from -1 backwards. By default it is the one that the header calls
        ``label``, ``class``, ``target`` or ``y``, and otherwise the last.
    delimiter : str, optional
        Separator of the cells of a CSV file. By default a comma, a semicolon or a tab
        is detected.
    missing : {"mean", "drop"}, optional
        Replaces a missing value by the mean of its column's training rows, or drops
        such rows. By default missing values are an error.
    drop : sequence of str or int, optional
        Names or numbers of columns of a table that are left out.
    one_hot : sequence of str or int, optional
        Names or numbers of columns of a table that hold categories. Each of their
        values, which may be texts or numbers, becomes a feature that is 1 where the
        column has this value, and 0 elsewhere. ``Dataset.one_hot`` holds the values.
    resize : pair of int, optional
        Height and width to which all pictures are resized.

    Returns
    -------
    Dataset
        Its scaling is per column, but common to all pixels of images. Whole numbers
        from 0 to 255 in 64 columns or more also count as pixels.

    Raises
    ------
    InputError
        If nothing has this name, an option does not fit, a file has too few
        rows, or all rows are of one class.
    FileFormatError
        If a file is damaged or of another kind.
    DownloadError
        If a download fails.

    Examples
    --------
    >>> load_dataset("digits").n_classes
    10
    """
    check_seed(seed)
    if task is not None:
        check_choice(task, "task", TASKS)
    layout = Layout(
        label,
        missing,
        drop=columns_given(drop, "drop"),
        one_hot=dict.fromkeys(columns_given(one_hot, "one_hot")),
    )
    options: dict[str, Any] = {"delimiter": delimiter, "resize": resize}
    if isinstance(name_or_path, str) and name_or_path in _LOADERS:
        _refuse_for_built_in(
            name_or_path, task=task, label=label, missing=missing,
            drop=drop or None, one_hot=one_hot or None, **options,
        )  # fmt: skip
        return _LOADERS[name_or_path](data_dir)
    source, parts = _read(name_or_path, layout, options)
    return _dataset(source, parts, seed, task, missing)


def load_examples(
    name_or_path: Any,
    *,
    data_dir: _Path | None = None,
    n_features: int | None = None,
    class_names: Sequence[str] | None = None,
    task: str | None = None,
    columns: Sequence[str] = (),
    image_shape: Sequence[int] | None = None,
    label: str | int | None = None,
    delimiter: str | None = None,
    missing: str | None = None,
    means: Any = None,
    drop: Sequence[str | int] = (),
    one_hot: Mapping[str | int, Sequence[str]] | None = None,
    resize: Sequence[int] | None = None,
    labels: bool = True,
) -> Examples:
    """Return examples to evaluate, or to predict, with a trained model.

    These are the test part of a built-in data set or of a file that has one,
    and otherwise all rows of a file, with or without labels.

    Parameters
    ----------
    name_or_path, data_dir, task, delimiter, resize
        As for `load_dataset`.
    n_features : int, optional
        Number of features of the model. A table with exactly this many columns has no
        labels; without this number its last column is assumed to hold them.
    class_names : sequence of str, optional
        The classes of the model. Class names in a file are numbered by these, not by
        the names that happen to occur in it.
    columns : sequence of str, optional
        The names of the model's features. A table with named columns is reordered
        accordingly, or rejected if it has others.
    image_shape : sequence of int, optional
        The shape of the model's images; pictures are converted to grey or colour as
        needed.
    label : str or int, optional
        As for `load_dataset`. The column may be absent.
    missing : {"mean", "drop"}, optional
        As for `load_dataset`.
    means : array_like, optional
        The values that ``missing="mean"`` uses for each column: the means of the
        training rows. By default, the means of these rows.
    drop : sequence of str or int, optional
        As for `load_dataset`. The columns may be absent.
    one_hot : mapping, optional
        Columns that are encoded, and their values: ``Dataset.one_hot`` of the data that
        the model was trained on. Any other value is an error.
    labels : bool, default True
        Whether labels are read. If not, they may also be missing or of other classes.

    Returns
    -------
    examples : Examples

    Raises
    ------
    InputError
        If nothing has this name, the features are not `n_features` or not
        `columns`, or the file has a class that is not one of `class_names`.
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
    check_flag(labels, "labels")
    layout = Layout(
        label,
        missing,
        n_features,
        tuple(columns),
        must_have_label=False,
        wants_label=labels,
        drop=columns_given(drop, "drop"),
        one_hot=values_given(one_hot or {}, "one_hot"),
    )
    if isinstance(name_or_path, str) and name_or_path in _LOADERS:
        _refuse_for_built_in(
            name_or_path, label=label, missing=missing, delimiter=delimiter,
            resize=resize, drop=drop or None, one_hot=one_hot or None,
        )  # fmt: skip
        dataset = load_dataset(name_or_path, data_dir=data_dir)
        x, y = dataset.x_test, dataset.y_test
        found = Examples(x, y, dataset.class_names, dataset.image_shape)
        source = name_or_path
    else:
        options = {"delimiter": delimiter, "resize": resize, "image_shape": image_shape}
        source, (rows, test) = _read(name_or_path, layout, options)
        found = test or rows
        if missing == "mean":
            if means is None:
                means = _means(source, found, found.x)
            else:
                means = _given_means(means, found.x.shape[1])
            found = replace(found, x=_filled(found.x, means))
        if (
            labels
            and found.y is not None
            and (task or task_of(found.y)) == "classification"
        ):
            y, names = numbered(source, found.y, class_names or None)
            found = replace(found, y=y, class_names=names)
    if not labels:
        found = replace(found, y=None, class_names=())
    if n_features is not None and found.x.shape[1] != n_features:
        raise InputError(
            f"{source}: rows have {found.x.shape[1]} features; "
            f"{n_features} are expected"
        )
    return found


def _refuse_for_built_in(name: str, **options: Any) -> None:
    """Refuse options that say how to read a file."""
    for option, value in options.items():
        if value is not None:
            raise InputError(f"{option} is for files; {name} is built in")


def _read(
    name_or_path: Any, layout: Layout, options: dict[str, Any]
) -> tuple[str, Parts]:
    """Return the rows of a file or DataFrame, and what to call it in messages."""
    if hasattr(name_or_path, "collect"):
        raise InputError(
            "name_or_path must be a DataFrame, got a query that is still to be run; "
            "pass frame.collect()"
        )
    if hasattr(name_or_path, "columns") and not isinstance(name_or_path, PathLike):
        given = [name for name, value in options.items() if value is not None]
        if given and given != ["image_shape"]:
            raise InputError(f"{given[0]} is for files, and this is a DataFrame")
        return "the DataFrame", read_frame(name_or_path, layout)
    path = _existing(name_or_path)
    return str(path), read_file(path, layout, **options)


def _existing(name_or_path: _Path) -> Path:
    """Return a path to something, or say what could have been asked for."""
    if not isinstance(name_or_path, (str, PathLike)):
        raise InputError(f"name_or_path must be a name or a path, got {name_or_path!r}")
    path = Path(name_or_path)
    # An empty name would mean the working directory.
    if name_or_path == "" or not path.exists():
        raise InputError(
            f"no data set and no file is called '{name_or_path}'; the "
            f"data sets are {', '.join(DATASET_NAMES)}, and load_text reads "
            f"'{TEXT_NAME}', as `nnfs-xp train --net gpt` does"
        )
    return path


def _dataset(
    source: str, parts: Parts, seed: int, task: str | None, missing: str | None
) -> Dataset:
    """Make a data set of labelled rows, and hold some out if none are set aside."""
    rows, test = parts
    if rows.y is None or (test is not None and test.y is None):
        raise FileFormatError(
            f"{source}: has no labels. NumPy's files have them as y_train (and "
            "y_test), y, labels or target, an IDX file as train-labels-idx1-ubyte "
            "beside it, and pictures are in a folder for each class"
        )
    n, x, y = len(rows.x), rows.x, rows.y
    names: tuple[str, ...] = ()
    if test is not None:
        assert test.y is not None
        x, y = np.concatenate([x, test.x]), np.concatenate([y, test.y])
    task = task or task_of(y)
    named = rows.label is not None
    answers = f"column {rows.label!r}" if named else "the array of labels"
    if task == "classification":
        y, names = numbered(source, y)
        _check_classes(source, y, names, answers, test is None)
    elif y.dtype.kind not in "iuf":
        raise FileFormatError(
            f"{source}: a regression needs numbers; {answers} holds {str(y[0])!r}"
        )
    else:
        y = y.astype(np.float64)
    if test is None:
        held_out = _held_out(source, y if names else np.zeros(n, int), seed)
        note = f"{held_out.sum()} of {n} rows held out for testing (seed {seed})"
    else:
        held_out = np.arange(len(x)) >= n
        note = "with its own test rows"
    x_train, x_test = x[~held_out], x[held_out]
    if missing == "mean":
        means = _means(source, rows, x_train)
        x_train, x_test = _filled(x_train, means), _filled(x_test, means)
    y_train = y[~held_out]
    return Dataset(
        source, x_train, y_train, x_test, y[held_out], names, rows.image_shape,
        _scaling(x_train, rows), f"read from {source}, {note}",
        columns=rows.columns, label=rows.label, one_hot=rows.one_hot,
        target=Scaling.standard(y_train) if task == "regression" else None,
    )  # fmt: skip


def _check_classes(
    source: str, y: np.ndarray, names: tuple[str, ...], answers: str, split: bool
) -> None:
    """Refuse a single class; warn if class 0, or one of the parts, has no rows."""
    counts = np.bincount(y)
    if not counts[0]:
        warnings.warn(
            f"{source}: no row is of class 0; {answers} holds numbers from {y.min()} "
            "up, which are kept, and a model has an output for each number "
            f"from 0 up; subtract {y.min()} from them, or write names",
            DataWarning,
        )
    if (counts > 0).sum() == 1 and len(y) > 1:
        raise InputError(
            f"{source}: all rows are of one class, {names[y[0]]!r}; if {answers} is "
            "not what is to be learned, label=... (--label) names the right one, by "
            "name or number; 0 is the first"
        )
    for label in np.flatnonzero(counts == 1)[:1] if split and len(y) > 1 else ():
        warnings.warn(
            f"{source}: class {names[label]!r} has a single row, which is trained on "
            f"and cannot be tested; if {answers} holds numbers to predict, and no "
            "classes, task='regression' (--task regression) says so",
            DataWarning,
        )


def _held_out(source: str, y: np.ndarray, seed: int) -> np.ndarray:
    """Return which of the rows are held out for testing, a fifth of each class."""
    if len(y) < 2:
        raise InputError(
            f"{source}: has {len(y)} row; two are needed, one to train on and one "
            "to hold out for testing"
        )
    held_out = np.zeros(len(y), dtype=bool)
    order = Stream(seed, "holdout").permutation(len(y))
    # Class by class, and within a class in random order.
    order = order[np.argsort(y[order], kind="stable")]
    counts = np.bincount(y)
    if counts.max() > 1:
        order = order[counts[y[order]] > 1]
    held_out[order[min(2, len(order) - 1) :: _TEST_EVERY]] = True
    return held_out


def _means(source: str, rows: Examples, x: np.ndarray) -> np.ndarray:
    """Return the means of the columns, of the values that are not missing."""
    for column in np.flatnonzero(np.isnan(x).all(axis=0))[:1]:
        name = rows.columns[column] if rows.columns else column + 1
        raise InputError(f"{source}: column {name!r} has no value, so it has no mean")
    return np.asarray(np.nanmean(x, axis=0))


def _given_means(means: Any, width: int) -> np.ndarray:
    """Return the caller's means, one for each column, or raise InputError."""
    try:
        found = np.asarray(means, np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (width,) or not np.isfinite(found).all():
        raise InputError(f"means must be {width} finite numbers, got {means!r}")
    return found


def _filled(x: np.ndarray, means: Any) -> np.ndarray:
    """Return `x` with a mean in place of NaN."""
    return np.where(np.isnan(x), means, x)


def _scaling(x: np.ndarray, rows: Examples) -> Scaling:
    """Return one scaling for pixels, and one by column for anything else."""
    if rows.image_shape is not None or (x.dtype == np.uint8 and x.max() > 1):
        return Scaling.standard(x)
    pixels = (
        x.shape[1] >= _LEAST_PIXELS
        and not rows.one_hot
        and x.min() >= 0
        and 127 < x.max() <= 255
        and bool((x % 1 == 0).all())
    )
    return Scaling.images() if pixels else Scaling.standard(x, axis=0)
