"""What the columns of a CSV file mean, and where in it a message points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnfs_xp.data.tables import MOST_CLASSES
from nnfs_xp.errors import FileFormatError

_LABEL_NAMES = ("label", "class", "target", "y")
# "y" is left out: it is as likely the answer "yes" in a first row of data.
_SURE_LABEL_NAMES = frozenset(_LABEL_NAMES[:3])


@dataclass(frozen=True)
class Columns:
    """The columns of one file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    first_line : int
        Number of its first line that is not blank.
    width : int
        Number of columns, the labels included.
    header : tuple of str or None
        Their names, if the file gives any.
    label : int or None
        Which of them holds the labels, counting from 0.
    """

    path: Path
    first_line: int
    width: int
    header: tuple[str, ...] | None
    label: int | None

    @classmethod
    def of(
        cls, path: Path, line: int, first_row: Sequence[str], *, labelled: bool
    ) -> Columns:
        """Tell the columns by the first row of the file.

        Raises
        ------
        FileFormatError
            If there is no column left for features.
        """
        width = len(first_row)
        if labelled and width < 2:
            raise FileFormatError(
                f"{path}: line {line} has a single column; a feature and a label "
                "are needed at least, with a comma between"
            )
        header = None
        if _is_header(first_row, labelled):
            header = tuple(cell.strip() for cell in first_row)
        label = None
        if labelled:
            label = width - 1 if header is None else _label_column(header)
        return cls(path, line, width, header, label)

    def place(self, line: int, column: int) -> str:
        """Return words for one cell; `column` counts from 0."""
        name = f" ({self.header[column]!r})" if self.header else ""
        return f"{self.path}: line {line}, column {column + 1}{name}"

    def feature(self, index: int) -> int:
        """Return the column of feature number `index`."""
        return index + (self.label is not None and index >= self.label)


def parse_labels(
    columns: Columns, lines: Sequence[int], cells: Sequence[str]
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Turn the label column into integers.

    Parameters
    ----------
    columns : Columns
        For messages.
    lines : sequence of int
        Line number of each cell.
    cells : sequence of str
        The labels as they stand in the file.

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
    assert columns.label is not None
    for line, cell in zip(lines, cells, strict=True):
        if not cell:
            place = columns.place(line, columns.label)
            raise FileFormatError(f"{place}: the label is missing")

    values = [_number_or_none(cell) for cell in cells]
    if all(value is None for value in values):
        names = sorted(set(cells))
        numbers = {name: number for number, name in enumerate(names)}
        return np.array([numbers[cell] for cell in cells], np.int64), tuple(names)

    for line, cell, value in zip(lines, cells, values, strict=True):
        place = columns.place(line, columns.label)
        if value is None:
            raise FileFormatError(
                f"{place}: the label {cell!r} is a name, others are numbers"
            )
        if not (value.is_integer() and 0 <= value < MOST_CLASSES):
            raise FileFormatError(
                f"{place}: the label must be a whole number from 0 to "
                f"{MOST_CLASSES - 1}, or all labels must be names; it is {cell!r}"
            )
    return np.array(values, dtype=np.int64), None


def to_number(cell: str) -> float:
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
        return to_number(cell)
    except ValueError:
        return None
