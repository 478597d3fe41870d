"""Tables in comma-separated text."""

from __future__ import annotations

import csv
import io
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnfs_xp.data.csv_columns import Columns, parse_labels, to_number
from nnfs_xp.data.streams import open_binary
from nnfs_xp.data.tables import Tables, make_tables
from nnfs_xp.errors import FileFormatError


def read_csv(
    path: Path, *, labels: bool = True, n_features: int | None = None
) -> Tables:
    """Read numbers and labels from a CSV file, plain or compressed by gzip.

    The first row is a header if it names a column ``label``, ``class`` or
    ``target``, or if no feature in it is a number. The label column is the
    one that the header calls ``label``, ``class``, ``target`` or ``y``, in
    this order and in small or capital letters; failing that it is the last.

    Labels are whole numbers from 0 up, or names, which are numbered in sorted
    order.

    Parameters
    ----------
    path : pathlib.Path
        The file, in UTF-8.
    labels : bool, default True
        Whether a file without a label column is refused.
    n_features : int, optional
        With ``labels=False``, a file of just this many columns has no labels.

    Returns
    -------
    Tables

    Raises
    ------
    FileFormatError
        If a cell is missing or is not a number, rows differ in length, or
        there are no rows.
    """
    try:
        with (
            open_binary(path) as binary,
            io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text,
        ):
            return _parse(path, _rows(text), labels, n_features)
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path}: is not text in UTF-8: {error}") from error
    # gzip reports damage through the last three.
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"{path}: cannot be read as CSV: {error}") from error


def _rows(text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line that is not blank, and its cells."""
    reader = csv.reader(text)
    for cells in reader:
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield reader.line_num, cells


def _parse(
    path: Path,
    rows: Iterator[tuple[int, list[str]]],
    labels: bool,
    n_features: int | None,
) -> Tables:
    first = next(rows, None)
    if first is None:
        raise FileFormatError(f"{path}: is empty")
    line, cells = first
    labelled = labels or len(cells) != n_features
    columns = Columns.of(path, line, cells, labelled=labelled)

    # An array of doubles takes a quarter of the memory of a list of floats.
    values = array("d")
    label_cells: list[str] = []
    lines: list[int] = []
    if columns.header is None:
        _add_row(columns, line, cells, values, label_cells)
        lines.append(line)
    for line, cells in rows:
        _add_row(columns, line, cells, values, label_cells)
        lines.append(line)
    if not lines:
        raise FileFormatError(f"{path}: holds a header and no rows")

    x = np.frombuffer(values).reshape(len(lines), -1)
    _check_finite(columns, lines, x)
    if not labelled:
        return make_tables(path, (x, None))
    y, names = parse_labels(columns, lines, label_cells)
    tables = make_tables(path, (x, y))
    if names is None:
        return tables
    return replace(tables, class_names=names, names_in_file=True)


def _add_row(
    columns: Columns,
    line: int,
    cells: list[str],
    values: array[float],
    label_cells: list[str],
) -> None:
    """Append the numbers and the label of one row."""
    if len(cells) != columns.width:
        raise FileFormatError(
            f"{columns.path}: line {line} has {len(cells)} columns, "
            f"line {columns.first_line} has {columns.width}"
        )
    if columns.label is not None:
        label_cells.append(cells.pop(columns.label).strip())
    before = len(values)
    try:
        values.extend(map(to_number, cells))
    except ValueError:
        # What came before the culprit has been appended already.
        index = len(values) - before
        place = columns.place(line, columns.feature(index))
        cell = cells[index].strip()
        reason = f"{cell!r} is not a number" if cell else "the value is missing"
        raise FileFormatError(f"{place}: {reason}") from None


def _check_finite(columns: Columns, lines: list[int], x: np.ndarray) -> None:
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        row, index = bad[0]
        place = columns.place(lines[row], columns.feature(int(index)))
        raise FileFormatError(f"{place}: NaN and infinity are not allowed")
