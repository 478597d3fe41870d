"""Reading the user's own files, whatever their format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nnfs_xp.data.csv_files import read_csv
from nnfs_xp.data.dataset import Dataset
from nnfs_xp.data.idx_files import is_idx_name, read_idx_directory, read_idx_images
from nnfs_xp.data.npz_files import read_npz
from nnfs_xp.data.scaling import Scaling
from nnfs_xp.data.tables import Table, Tables
from nnfs_xp.errors import FileFormatError, InputError
from nnfs_xp.random import Stream

_TEST_SHARE = 0.2


def read_file(
    path: Path, *, labels: bool = True, n_features: int | None = None
) -> Tables:
    """Read a file of examples; its name tells the format.

    Parameters
    ----------
    path : pathlib.Path
        ``.npz``, ``.csv``, ``.csv.gz``, an IDX file of images, or a directory
        of IDX files.
    labels : bool, default True
        Whether examples without labels are refused.
    n_features : int, optional
        With ``labels=False``, a CSV file of just this many columns has no
        labels. The other formats need no such hint.

    Returns
    -------
    Tables

    Raises
    ------
    FileFormatError
        If the file is missing, damaged, or of no known format.
    """
    if path.is_dir():
        return read_idx_directory(path, labels=labels)
    if not path.exists():
        raise FileFormatError(f"{path}: there is no such file")
    name = path.name.lower()
    if name.endswith(".npz"):
        return read_npz(path, labels=labels)
    if name.endswith((".csv", ".csv.gz")):
        return read_csv(path, labels=labels, n_features=n_features)
    if is_idx_name(path.name):
        return read_idx_images(path, labels=labels)
    raise FileFormatError(
        f"{path}: the name tells no format that is known: .npz, .csv, .csv.gz, "
        "or IDX files called like train-images-idx3-ubyte"
    )


def dataset_from_file(path: Path, *, seed: int = 0) -> Dataset:
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
    tables = read_file(path)
    train, test = tables.train, tables.test
    note = f"read from {path}, with its own test rows"
    if test is None:
        train, test = _hold_out(path, train, seed)
        note = (
            f"read from {path}, {len(test.x)} of {len(tables.train.x)} rows held "
            f"out for testing (seed {seed})"
        )
    assert train.y is not None and test.y is not None
    return Dataset(
        name=str(path),
        x_train=train.x,
        y_train=train.y,
        x_test=test.x,
        y_test=test.y,
        class_names=tables.class_names,
        image_shape=tables.image_shape,
        scaling=Scaling.standard(train.x),
        note=note,
    )


def _hold_out(path: Path, table: Table, seed: int) -> tuple[Table, Table]:
    """Split the rows at random into a training and a test table."""
    count = len(table.x)
    if count < 2:
        raise InputError(
            f"{path}: has {count} row; two are needed, one to train on and one "
            "to hold out for testing"
        )
    n_test = max(1, round(_TEST_SHARE * count))
    held_out = np.zeros(count, dtype=bool)
    held_out[Stream(seed, "holdout").permutation(count)[:n_test]] = True
    # A mask keeps the rows of both parts in the order of the file.
    assert table.y is not None
    return (
        Table(table.x[~held_out], table.y[~held_out]),
        Table(table.x[held_out], table.y[held_out]),
    )
