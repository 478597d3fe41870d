"""Tables in comma-separated text, read by pandas."""

from __future__ import annotations

import csv
import io
import itertools
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnfs_xp.data.columns import LABEL_NAMES, Layout, find_column, usual_label
from nnfs_xp.data.examples import Examples
from nnfs_xp.data.streams import open_binary
from nnfs_xp.data.tables import read_table, to_numbers
from nnfs_xp.errors import DataWarning, FileFormatError, InputError

if TYPE_CHECKING:
    import pandas as pd

_DELIMITERS = (",", ";", "\t")
_LINES_LOOKED_AT = 20
# pandas takes a kilobyte and about ten microseconds for each.
_MOST_COLUMNS = 2**16
# gzip reports damage through these.
_DAMAGE = (OSError, EOFError, zlib.error)
# Texts that stand for a missing feature; a class may well be called "None".
_EMPTY = ["", "?", "NA", "N/A", "n/a", "nan", "NaN", "NAN", "null", "NULL", "None"]


def read_csv(path: Path, layout: Layout, delimiter: str | None = None) -> Examples:
    """Read features and answers from a CSV file, plain or compressed by gzip.

    The first row is a header if it names a column ``label``, ``class`` or ``target`` or
    the one that `layout` names, if no feature in it is a number, or if it counts the
    columns from 0 up. The answers are in the column that `layout` names, or else in the
    one that the header calls ``label``, ``class``, ``target`` or ``y``, in this order
    and in lower or upper case; failing that, in the last column.

    Parameters
    ----------
    path : pathlib.Path
        The file, in UTF-8.
    layout : Layout
        What is known about the columns.
    delimiter : str, optional
        Separator of the cells. By default a comma, a semicolon or a tab is detected.

    Returns
    -------
    examples : Examples

    Raises
    ------
    FileFormatError
        If the file is not such a table, or `read_table` refuses it.
    InputError
        If `delimiter` is not one character, or `read_table` refuses the columns.
    """
    if delimiter is None:
        delimiter = _delimiter_of(path)
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise InputError(f"delimiter must be one character, not {delimiter!r}")
    _check_width(path, delimiter)
    first = _parse(path, delimiter, header=None, nrows=1, dtype=str).iloc[0].fillna("")
    cells = [cell.strip() for cell in first]
    header = cells if _is_header(path, cells, layout) else None
    if layout.label is None:
        label = usual_label(header, range(len(cells)))
    else:
        label = find_column(layout.label, header, len(cells))
    if label is None:
        label = len(cells) - 1
    options: dict[str, Any] = {"header": 0 if header else None}
    options["names"] = range(len(cells))
    # Given for each column, these texts would take ten times the memory in pandas.
    frame = _parse(path, delimiter, na_values=_EMPTY, **options)
    if frame[label].isna().any():
        labels = _parse(path, delimiter, usecols=[label], **options)
        frame[label] = labels[label]
    if frame.empty:
        raise FileFormatError(f"{path}: has a header and no rows")

    def place_of(row: int) -> str:
        try:
            with _open_text(path) as text:
                reader = csv.reader(text, delimiter=delimiter)
                lines = (reader.line_num for r in reader if r[1:] or "".join(r).strip())
                line = next(itertools.islice(lines, row + bool(header), None), None)
        # It refuses very long cells.
        except csv.Error:
            line = None
        return f"row {row + 1}" if line is None else f"line {line}"

    return read_table(str(path), frame, header, layout, place_of)


def _parse(path: Path, delimiter: str, **options: Any) -> pd.DataFrame:
    """Return what pandas reads; only an empty cell is a missing value."""
    import pandas as pd

    options = {"na_values": [""], **options, "keep_default_na": False}
    # Left to itself, it rounds a number of many digits more than once.
    if int(pd.__version__.split(".")[0]) < 3:
        options["float_precision"] = "round_trip"
    try:
        with open_binary(path) as file, warnings.catch_warnings():
            # Without index_col, rows that are too long would shift; with it, pandas
            # cuts them, and warns.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                file, sep=delimiter, index_col=False, skipinitialspace=True,
                low_memory=False, **options,
            )  # fmt: skip
    except pd.errors.EmptyDataError:
        raise FileFormatError(f"{path}: is empty") from None
    except pd.errors.ParserWarning:
        reason = "rows have more columns than the first"
        raise FileFormatError(f"{path}: {reason}") from None
    except FileFormatError:
        raise
    # Text that is not UTF-8 is a ValueError, as are pandas' own.
    except (ValueError, *_DAMAGE) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise FileFormatError(f"{path}: cannot be read as CSV: {reason}") from error


@contextmanager
def _open_text(path: Path) -> Iterator[io.TextIOWrapper]:
    with (
        open_binary(path) as file,
        io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="") as text,
    ):
        yield text


def _delimiter_of(path: Path) -> str:
    """Return the separator of the cells, if the first lines leave no doubt."""
    try:
        with _open_text(path) as text:
            lines = [line for line in itertools.islice(text, _LINES_LOOKED_AT)]
        found = []
        for delimiter in _DELIMITERS:
            widths = {len(row) for row in csv.reader(lines, delimiter=delimiter) if row}
            if len(widths) == 1 and widths != {1}:
                found.append(delimiter)
    # Whatever is wrong with the file, pandas will report it later.
    except (csv.Error, *_DAMAGE):
        return ","
    if len(found) > 1:
        raise FileFormatError(
            f"{path}: its columns could be separated by any of {found}; choose "
            "with delimiter=... (--delimiter)"
        )
    return found[0] if found else ","


def _check_width(path: Path, delimiter: str) -> None:
    try:
        with _open_text(path) as text:
            width = next((line.count(delimiter) for line in text if line.strip()), 0)
    except _DAMAGE:
        return
    if width >= _MOST_COLUMNS:
        raise FileFormatError(
            f"{path}: has {width + 1:,} columns; at most {_MOST_COLUMNS:,} are read. "
            "An .npz file holds any number"
        )


def _is_header(path: Path, cells: list[str], layout: Layout) -> bool:
    import pandas as pd

    # "y" is left out: it is as likely the answer "yes" in a first row of data.
    given = {*layout.columns, layout.label, *layout.drop, *layout.one_hot}
    names = [n for n in given if isinstance(n, str) and not n.lstrip("-").isdigit()]
    known = {*LABEL_NAMES[:3], *(name.lower() for name in names)}
    if any(cell.lower() in known for cell in cells):
        return True
    # An empty name is what pandas writes above its row numbers.
    named = cells if cells[0] else cells[1:]
    if len(named) > 2 and named == [str(i) for i in range(len(named))]:
        warnings.warn(
            f"{path}: the first row counts from 0 to {named[-1]} and is taken for the "
            "names of the columns",
            DataWarning,
        )
        return True
    # Labels may be names in any row, so their cell is no evidence.
    label = -1 if layout.label is None else find_column(layout.label, None, len(cells))
    if len(cells) != layout.n_features and label is not None:
        cells = [cell for i, cell in enumerate(cells) if i != label % len(cells)]
    features = pd.Series([cell for cell in cells if cell], dtype=object)
    return len(features) > 0 and bool(to_numbers(features).isna().all())
