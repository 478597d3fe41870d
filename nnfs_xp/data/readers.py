"""Reading the user's own files, whatever their format."""

from __future__ import annotations

from pathlib import Path

from nnfs_xp.data.csv_files import read_csv
from nnfs_xp.data.idx import is_idx_name, read_idx_directory, read_idx_images
from nnfs_xp.data.npz_files import read_npz
from nnfs_xp.data.tables import Tables
from nnfs_xp.errors import FileFormatError


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
