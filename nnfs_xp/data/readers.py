"""Reading the user's own files, whatever their format."""

from __future__ import annotations

from pathlib import Path

from nnfs_xp.data.csv_files import read_csv
from nnfs_xp.data.examples import Parts
from nnfs_xp.data.idx import is_idx_name, read_idx_directory, read_idx_images
from nnfs_xp.data.npz_files import read_npz
from nnfs_xp.errors import FileFormatError


def read_file(path: Path, *, n_features: int | None = None) -> Parts:
    """Read a file of examples; its name tells the format.

    Parameters
    ----------
    path : pathlib.Path
        ``.npz``, ``.csv``, ``.csv.gz``, an IDX file of images, or a directory
        of IDX files.
    n_features : int, optional
        A CSV file of just this many columns has no labels. The other formats
        need no such hint.

    Returns
    -------
    all or training rows : Examples
    test rows : Examples or None

    Raises
    ------
    FileFormatError
        If the file is damaged, or of no known format.
    """
    name = path.name.lower()
    if path.is_dir():
        return read_idx_directory(path)
    if name.endswith(".npz"):
        return read_npz(path)
    if name.endswith((".csv", ".csv.gz")):
        return read_csv(path, n_features=n_features), None
    if is_idx_name(path.name):
        return read_idx_images(path)
    raise FileFormatError(
        f"{path}: the name tells no format that is known: .npz, .csv, .csv.gz, "
        "or IDX files called like train-images-idx3-ubyte"
    )
