"""Tables in comma-separated text, read by pandas."""

from __future__ import annotations

import csv
import io
import itertools
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.data.examples import MOST_CLASSES, Examples, make_examples
from nnfs_xp.data.streams import open_binary
from nnfs_xp.errors import FileFormatError

if TYPE_CHECKING:
    import pandas as pd

_LABEL_NAMES = ("label", "class", "target", "y")


def read_csv(path: Path, *, n_features: int | None = None) -> Examples:
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
    n_features : int, optional
        A file of just this many columns has no labels.

    Returns
    -------
    examples : Examples

    Raises
    ------
    FileFormatError
        If a cell is missing or is not a number, a row is too long, or there
        are no rows.
    """
    first = _parse(path, header=None, nrows=1, dtype=str).iloc[0].fillna("")
    cells = [cell.strip() for cell in first]
    labelled = len(cells) != n_features
    if labelled and len(cells) < 2:
        raise FileFormatError(
            f"{path}: has a single column; a feature and a label are needed at "
            "least, with a comma between"
        )
    header = _is_header(cells, labelled)
    frame = _parse(path, header=0 if header else None)
    if header:
        frame.columns = cells
    if frame.empty:
        raise FileFormatError(f"{path}: holds a header and no rows")
    features = list(range(len(cells)))
    if not labelled:
        return make_examples(path, "train", _features(path, frame, features), None)
    label = features.pop(_label_column(cells) if header else -1)
    y, names = _labels(path, frame, label)
    found = make_examples(path, "train", _features(path, frame, features), y)
    return replace(found, class_names=names) if names else found


def _parse(path: Path, **options: Any) -> pd.DataFrame:
    """Return what pandas reads; only an empty cell is a missing value."""
    import pandas as pd

    try:
        with open_binary(path) as file, warnings.catch_warnings():
            # Without index_col, rows that are too long would shift; with it, pandas
            # cuts them, and warns.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                file, **options, index_col=False, skipinitialspace=True,
                keep_default_na=False, na_values=[""], low_memory=False,
            )  # fmt: skip
    except pd.errors.EmptyDataError:
        raise FileFormatError(f"{path}: is empty") from None
    except pd.errors.ParserWarning:
        reason = "rows have more columns than the header"
        raise FileFormatError(f"{path}: {reason}") from None
    # gzip reports damage through the last three. Text that is not UTF-8 is a
    # ValueError, as are pandas' own.
    except (ValueError, OSError, EOFError, zlib.error) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise FileFormatError(f"{path}: cannot be read as CSV: {reason}") from error


def _features(path: Path, frame: pd.DataFrame, columns: list[int]) -> np.ndarray:
    """Return the numbers of some columns, if they are finite."""
    import pandas as pd

    cells = frame.iloc[:, columns]
    x = cells.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    for row, index in np.argwhere(~np.isfinite(x))[:1]:
        cell = cells.iat[row, index]
        missing = pd.isna(cell)
        reason = "the value is missing" if missing else f"'{cell}' is no finite number"
        raise _error(path, frame, row, columns[index], reason)
    return x


def _labels(
    path: Path, frame: pd.DataFrame, column: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return labels as integers, and their sorted names unless they are numbers."""
    import pandas as pd

    cells = frame.iloc[:, column]
    for row in np.flatnonzero(cells.isna())[:1]:
        raise _error(path, frame, row, column, "the label is missing")
    # "True" and "False", too, are names.
    texts = cells.astype(str).str.strip().to_numpy(object)
    numbers = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(np.float64)
    if np.isnan(numbers).all():
        names, y = np.unique(texts, return_inverse=True)
        return y, tuple(names)
    usable = (numbers % 1 == 0) & (numbers >= 0) & (numbers < MOST_CLASSES)
    for row in np.flatnonzero(~usable)[:1]:
        reason = (
            f"labels must be whole numbers from 0 to {MOST_CLASSES - 1}, or all of "
            f"them names; this one is {texts[row]!r}"
        )
        raise _error(path, frame, row, column, reason)
    return numbers.astype(np.int64), ()


def _error(
    path: Path, frame: pd.DataFrame, row: int, column: int, reason: str
) -> FileFormatError:
    """Return an error that points to a cell; `row` and `column` count from 0."""
    name = frame.columns[column]
    has_header = isinstance(name, str)
    with open_binary(path) as file, io.TextIOWrapper(file, "utf-8-sig") as text:
        reader = csv.reader(text)
        lines = (reader.line_num for row in reader if row[1:] or "".join(row).strip())
        line = next(itertools.islice(lines, row + has_header, None))
    place = f"{path}: line {line}, column {column + 1}"
    return FileFormatError(f"{place}{f' ({name!r})' if has_header else ''}: {reason}")


def _is_header(cells: Sequence[str], labelled: bool) -> bool:
    import pandas as pd

    # "y" is left out: it is as likely the answer "yes" in a first row of data.
    if any(cell.lower() in _LABEL_NAMES[:3] for cell in cells):
        return True
    # Labels may be names in any row, so the last cell tells nothing. An empty
    # name is what pandas writes above its row numbers.
    features = [cell for cell in (cells[:-1] if labelled else cells) if cell]
    numbers = pd.to_numeric(pd.Series(features, dtype=object), errors="coerce")
    return bool(features) and bool(numbers.isna().all())


def _label_column(header: Sequence[str]) -> int:
    names = [name.lower() for name in header]
    return next((names.index(name) for name in _LABEL_NAMES if name in names), -1)
