"""Reading the user's own files, in any format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnfs_xp.data.array_files import read_npy, read_npz
from nnfs_xp.data.columns import Layout
from nnfs_xp.data.csv_files import read_csv
from nnfs_xp.data.examples import Parts
from nnfs_xp.data.idx import is_idx_name, read_idx_directory, read_idx_images
from nnfs_xp.data.image_files import is_image_directory, is_image_name, read_images
from nnfs_xp.data.tables import read_table
from nnfs_xp.errors import FileFormatError, InputError

if TYPE_CHECKING:
    pass


def read_file(
    path: Path,
    layout: Layout,
    *,
    delimiter: str | None = None,
    resize: Sequence[int] | None = None,
    image_shape: Sequence[int] | None = None,
) -> Parts:
    """Read a file of examples; its name determines the format.

    Parameters
    ----------
    path : pathlib.Path
        ``.npz``, ``.npy``, ``.csv``, ``.tsv``, perhaps with ``.gz``, an IDX
        file of images, a picture, or a folder of IDX files, of ``.npy`` files
        or of pictures.
    layout : Layout
        What is known about the columns of a table.
    delimiter : str, optional
        See `read_csv`.
    resize, image_shape : optional
        See `read_images`.

    Returns
    -------
    all or training rows : Examples
    test rows : Examples or None

    Raises
    ------
    FileFormatError
        If the file is damaged, or of no known format.
    InputError
        If an option is given that is for files of another kind.
    """
    kind = kind_of(path)
    _refuse(path, "pictures", resize=None if kind == "pictures" else resize)
    if kind == "table":
        return read_csv(path, layout, delimiter), None
    label = layout.label if layout.must_have_label else None
    _refuse(
        path, "tables", label=label, missing=layout.missing, delimiter=delimiter,
        drop=layout.drop or None, one_hot=layout.one_hot or None,
    )  # fmt: skip
    if kind == "pictures":
        return read_images(path, resize=resize, image_shape=image_shape)
    if path.is_dir():
        arrays = next(path.glob("*.npy"), None) is not None
        return read_npy(path) if arrays else read_idx_directory(path)
    if path.suffix.lower() == ".npz":
        return read_npz(path)
    if path.suffix.lower() == ".npy":
        return read_npy(path)
    if is_idx_name(path.name):
        return read_idx_images(path)
    text = path.suffix.lower() == ".txt"
    hint = "; load_text reads texts, and so does `nnfs-xp train --net gpt`"
    raise FileFormatError(
        f"{path}: the name tells no format that is known: .npz, .npy, .csv, .tsv, "
        "pictures such as .png, or IDX files called like train-images-idx3-ubyte"
        f"{hint if text else ''}"
    )


def kind_of(path: str | Path) -> str:
    """Return ``"table"``, ``"pictures"`` or ``"arrays"``, by the name of a path."""
    path = Path(path)
    if path.is_dir():
        return "pictures" if is_image_directory(path) else "arrays"
    if path.name.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
        return "table"
    return "pictures" if is_image_name(path.name) else "arrays"


def read_frame(frame: Any, layout: Layout) -> Parts:
    """Read a DataFrame of pandas or of polars.

    Raises
    ------
    FileFormatError, InputError
        See `read_table`.
    """
    import pandas as pd

    header = [str(name) for name in frame.columns]
    # A number may be a name, too.
    named = {name: str(name) for name in frame.columns}
    layout = replace(
        layout,
        label=named.get(layout.label, layout.label),
        drop=tuple(named.get(name, name) for name in layout.drop),
        one_hot={named.get(n, n): values for n, values in layout.one_hot.items()},
    )
    if not isinstance(frame, pd.DataFrame):
        columns = {name: frame[name].to_numpy() for name in header}
        frame = pd.DataFrame(columns, columns=header)
    if not len(frame):
        raise FileFormatError("the DataFrame has no rows")
    source = "the DataFrame"
    return read_table(source, frame, header, layout, lambda row: f"row {row}"), None


def _refuse(path: Path, kind: str, **options: Any) -> None:
    for name, value in options.items():
        if value is not None:
            raise InputError(f"{path}: {name} is for {kind}, got {value!r}")
