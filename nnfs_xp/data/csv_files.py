"""Tables in comma-separated text."""

from __future__ import annotations

import csv
import io
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnfs_xp.data.streams import open_binary
from nnfs_xp.data.tables import MOST_CLASSES, Tables, make_tables
from nnfs_xp.errors import FileFormatError

_LABEL_NAMES = ("label", "class", "target", "y")
# "y" is left out: it is as likely the answer "yes" in a first row of data.
_SURE_LABEL_NAMES = frozenset(_LABEL_NAMES[:3])


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
            return _tables(path, _rows(text), labels, n_features)
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


def _tables(
    path: Path, rows: Iterator[tuple[int, list[str]]], labels: bool, hint: int | None
) -> Tables:
    line, cells = next(rows, (0, []))
    if not cells:
        raise FileFormatError(f"{path}: is empty")
    table = _Table(path, line, cells, labels or len(cells) != hint)
    if table.header is None:
        table.add(line, cells)
    for line, cells in rows:
        table.add(line, cells)
    if not table.lines:
        raise FileFormatError(f"{path}: holds a header and no rows")
    x = table.features()
    if table.label is None:
        return make_tables(path, (x, None))
    y, names = table.numbered_labels(table.label)
    tables = make_tables(path, (x, y))
    if names is None:
        return tables
    return replace(tables, class_names=names, names_in_file=True)


class _Table:
    """The columns of one file, and what its rows hold.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    line : int
        Number of its first line that is not blank.
    first_row : list of str
        The cells of this line, by which the columns are told.
    labelled : bool
        Whether one of the columns holds labels.

    Raises
    ------
    FileFormatError
        If there is no column left for features.
    """

    def __init__(
        self, path: Path, line: int, first_row: list[str], labelled: bool
    ) -> None:
        self.path, self.first_line, self.width = path, line, len(first_row)
        if labelled and self.width < 2:
            raise FileFormatError(
                f"{path}: line {line} has a single column; a feature and a label "
                "are needed at least, with a comma between"
            )
        self.header: list[str] | None = None
        # The column of the labels, counting from 0.
        self.label = self.width - 1 if labelled else None
        if _is_header(first_row, labelled):
            self.header = [cell.strip() for cell in first_row]
            if labelled:
                self.label = _label_column(self.header)
        # An array of doubles takes a quarter of the memory of a list of floats.
        self.values = array("d")
        self.label_cells: list[str] = []
        self.lines: list[int] = []

    def add(self, line: int, cells: list[str]) -> None:
        """Append the numbers and the label of one row."""
        if len(cells) != self.width:
            raise FileFormatError(
                f"{self.path}: line {line} has {len(cells)} columns, "
                f"line {self.first_line} has {self.width}"
            )
        if self.label is not None:
            self.label_cells.append(cells.pop(self.label).strip())
        before = len(self.values)
        try:
            self.values.extend(map(_to_number, cells))
        except ValueError:
            # What came before the culprit has been appended already.
            index = len(self.values) - before
            cell = cells[index].strip()
            reason = f"{cell!r} is not a number" if cell else "the value is missing"
            raise self._error(line, self._column(index), reason) from None
        self.lines.append(line)

    def features(self) -> np.ndarray:
        """Return the numbers of all rows, if they are finite."""
        x = np.frombuffer(self.values).reshape(len(self.lines), -1)
        for row, index in np.argwhere(~np.isfinite(x))[:1]:
            reason = "NaN and infinity are not allowed"
            raise self._error(self.lines[row], self._column(int(index)), reason)
        return x

    def numbered_labels(self, column: int) -> tuple[np.ndarray, tuple[str, ...] | None]:
        """Turn the label column into integers.

        Returns
        -------
        labels : numpy.ndarray
            Shape (n,), dtype int64.
        names : tuple of str or None
            The sorted names, if the labels are names and not numbers.

        Raises
        ------
        FileFormatError
            If a label is missing, numbers and names are mixed, or a number is
            not a whole one from 0 up.
        """
        cells = self.label_cells
        if "" in cells:
            line = self.lines[cells.index("")]
            raise self._error(line, column, "the label is missing")

        values = [_number_or_none(cell) for cell in cells]
        if all(value is None for value in values):
            names = sorted(set(cells))
            numbers = {name: number for number, name in enumerate(names)}
            return np.array([numbers[cell] for cell in cells], np.int64), tuple(names)

        for line, cell, value in zip(self.lines, cells, values, strict=True):
            if value is None:
                reason = f"the label {cell!r} is a name, others are numbers"
                raise self._error(line, column, reason)
            if not (value.is_integer() and 0 <= value < MOST_CLASSES):
                reason = (
                    f"the label must be a whole number from 0 to {MOST_CLASSES - 1}, "
                    f"or all labels must be names; it is {cell!r}"
                )
                raise self._error(line, column, reason)
        return np.array(values, dtype=np.int64), None

    def _column(self, index: int) -> int:
        """Return the column of feature number `index`."""
        return index + (self.label is not None and index >= self.label)

    def _error(self, line: int, column: int, reason: str) -> FileFormatError:
        """Return an error that points to a cell; `column` counts from 0."""
        name = f" ({self.header[column]!r})" if self.header else ""
        place = f"{self.path}: line {line}, column {column + 1}{name}"
        return FileFormatError(f"{place}: {reason}")


def _to_number(cell: str) -> float:
    """Return the number that a cell holds, or raise ValueError."""
    # Python's own notation allows 1_0 for ten; in a table it is a name.
    if "_" in cell:
        raise ValueError(cell)
    return float(cell)


def _is_header(row: Sequence[str], labelled: bool) -> bool:
    cells = [cell.strip() for cell in row]
    if any(cell.lower() in _SURE_LABEL_NAMES for cell in cells):
        return True
    # Labels may be names in any row, so the last cell tells nothing. An empty
    # name is what pandas writes above its row numbers.
    features = [cell for cell in (cells[:-1] if labelled else cells) if cell]
    return bool(features) and all(_number_or_none(cell) is None for cell in features)


def _label_column(header: Sequence[str]) -> int:
    names = [name.lower() for name in header]
    for wanted in _LABEL_NAMES:
        if wanted in names:
            return names.index(wanted)
    return len(names) - 1


def _number_or_none(cell: str) -> float | None:
    try:
        return _to_number(cell)
    except ValueError:
        return None
