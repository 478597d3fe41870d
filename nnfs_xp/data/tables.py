"""The cells of a table: features and answers, and what is missing."""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.data.columns import Columns, Layout, Roles
from nnfs_xp.data.examples import Examples
from nnfs_xp.data.one_hot import encode, one_hot_names
from nnfs_xp.errors import DataWarning, FileFormatError, InputError

if TYPE_CHECKING:
    import pandas as pd

# Names of a column of row numbers, reduced to their letters.
_ROW_NUMBERS = ("id", "index", "no", "nr", "number", "row", "rowid", "rownumber")


def read_table(
    source: str,
    frame: pd.DataFrame,
    header: Sequence[str] | None,
    layout: Layout,
    place_of: Callable[[int], str],
) -> Examples:
    """Return the features and answers of a table.

    With ``missing="mean"``, values that are missing are left as NaN.

    Parameters
    ----------
    source : str
        Where the table came from, for messages.
    frame : pandas.DataFrame
        The cells. One that is missing is NaN.
    header : sequence of str or None
        The names of the columns, if they have any.
    layout : Layout
        What is known about the columns.
    place_of : callable
        Names a row, given its number from 0, for messages.

    Returns
    -------
    examples : Examples

    Raises
    ------
    FileFormatError
        If a cell is missing or is not a number, or numbers and names are mixed
        among the answers.
    InputError
        If there is no such column, or columns are not those of the model.
    """
    roles = Columns(source, header, frame.shape[1], layout).roles()

    def error(row: int, column: int, reason: str) -> FileFormatError:
        name = f" ({header[column]!r})" if header else ""
        place = f"{source}: {place_of(row)}, column {column + 1}{name}"
        return FileFormatError(f"{place}: {reason}")

    places = range(frame.shape[1])
    called = header or places
    names = header or [f"column {place + 1}" for place in places]
    x, origins, one_hot = _features(frame, called, roles, error)
    columns = _names_of_features(source, names, origins, one_hot)
    if header and layout.must_have_label:
        _warn_of_row_numbers(source, columns, x)
    y, rows = None, None
    label = roles.label
    if label is not None and layout.wants_label:
        y = _answers(frame, label, error, layout.missing)
    empty = np.isnan(x)
    complete = ~empty.any(axis=1)
    if not complete.all() and layout.missing is None:
        # An encoded column is one, although several of its features are empty.
        cells = {(row, origins[i]) for row, i in np.argwhere(empty)}
        counts = Counter(names[column] for _, column in sorted(cells))
        listed = ", ".join(f"{count} in {name!r}" for name, count in counts.items())
        raise FileFormatError(
            f"{source}: values are missing: {listed}; the first is in "
            f"{place_of(int(np.argmin(complete)))}. missing='mean' (--missing mean) "
            "puts the mean of the column in their place, 'drop' leaves out such rows"
        )
    if layout.missing == "drop":
        if y is not None:
            assert label is not None
            complete &= ~frame.iloc[:, label].isna().to_numpy()
        x, y = x[complete], None if y is None else y[complete]
        rows = None if complete.all() else np.flatnonzero(complete)
        if not len(x):
            raise FileFormatError(f"{source}: no row is complete")
    return replace(
        Examples(x, y),
        columns=tuple(columns) if header else (),
        label=label if label is None else called[label],
        rows=rows,
        one_hot={called[place]: values for place, values in one_hot.items()},
    )


def _names_of_features(
    source: str,
    names: Sequence[str],
    origins: Sequence[int],
    one_hot: Mapping[int, Sequence[str]],
) -> list[str]:
    """Return the names of the features; those of an encoded column have its values.

    Raises
    ------
    InputError
        If such a name is that of another column.
    """
    columns = [names[origin] for origin in origins]
    for place, values in one_hot.items():
        first = origins.index(place)
        columns[first : first + len(values)] = one_hot_names(names[place], values)
    for name in {*columns} & {*names} if one_hot else ():
        if columns.count(name) > names.count(name):
            raise InputError(
                f"{source}: column {name!r} is called like the feature of a value that "
                "is encoded; rename it"
            )
    return columns


def _warn_of_row_numbers(source: str, names: Sequence[str], x: np.ndarray) -> None:
    """Warn if a feature has a name used for row numbers, and counts the rows."""
    rows = np.arange(len(x))
    for column, name in enumerate(names):
        called = "".join(filter(str.isalpha, name.lower())) in _ROW_NUMBERS
        counts = any((x[:, column] == rows + first).all() for first in (0, 1))
        if called and counts and len(x) > 2:
            warnings.warn(
                f"{source}: column {name!r} counts the rows, and is taken as a "
                "feature; if it is none, leave it out by drop=..., and rename it if "
                "it is one",
                DataWarning,
            )


def _features(
    frame: pd.DataFrame,
    called: Sequence[str | int],
    roles: Roles,
    error: Callable[..., FileFormatError],
) -> tuple[np.ndarray, list[int], dict[int, tuple[str, ...]]]:
    """Return the features, the column that each is from, and values of the encoded."""
    encoded = roles.encoded
    plain = [column for column in roles.features if column not in encoded]
    numbers = _numbers(frame, called, plain, error)
    if not encoded:
        return numbers, roles.features, {}
    parts, one_hot = {}, {}
    for column in roles.features:
        if column in encoded:
            parts[column], one_hot[column] = encode(
                frame.iloc[:, column],
                encoded[column],
                functools.partial(error, column=column),
            )
        else:
            place = plain.index(column)
            parts[column] = numbers[:, place : place + 1]
    origins = [c for c, part in parts.items() for _ in range(part.shape[1])]
    return np.hstack(list(parts.values())), origins, one_hot


def _numbers(
    frame: pd.DataFrame,
    called: Sequence[str | int],
    columns: list[int],
    error: Callable[..., FileFormatError],
) -> np.ndarray:
    """Return numbers, NaN where a cell is empty."""
    cells = frame.iloc[:, columns]
    for index, dtype in enumerate(cells.dtypes):
        # pandas would make nanoseconds of times, and drop imaginary parts.
        if getattr(dtype, "kind", "O") in "cmM":
            cell = cells.iat[0, index]
            reason = f"{_shown(cell)} is of dtype {dtype}, which is no real number"
            raise error(0, columns[index], reason)
    x = cells.apply(to_numbers).to_numpy(np.float64, na_value=np.nan)
    bad = ~np.isfinite(x)
    if bad.any():
        for row, index in np.argwhere(bad & ~cells.isna().to_numpy())[:1]:
            reason = f"{_shown(cells.iat[row, index])} is not a finite number"
            hint = _hint(cells.iloc[:, index], called[columns[index]])
            raise error(row, columns[index], f"{reason}{hint}")
    return x


def _hint(cells: pd.Series, name: str | int) -> str:
    """Return what to do with a column that holds no numbers at all."""
    texts = cells.dropna().astype(str)
    if not to_numbers(texts).isna().all():
        return ""
    if texts.str.fullmatch(r"\s*[-+]?\d*,\d+\s*").all():
        return "; numbers need a decimal point, not a comma"
    return (
        f"; one_hot=[{name!r}] (--one-hot {name}) makes a feature of each of the "
        f"column's values, and drop=[{name!r}] (--drop {name}) leaves it out"
    )


def _shown(cell: Any) -> str:
    text = str(cell)
    return f"'{text}'" if len(text) < 100 else f"'{text[:50]}...'"


def to_numbers(cells: pd.Series) -> pd.Series:
    """Return numbers, NaN for cells without one and infinity for absurdly large."""
    import pandas as pd

    try:
        return pd.to_numeric(cells, errors="coerce")
    # An integer of hundreds of digits.
    except OverflowError:
        return cells.map(_number)


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except OverflowError:
        return np.inf
    except (TypeError, ValueError):
        return np.nan


def _answers(
    frame: pd.DataFrame,
    column: int,
    error: Callable[..., FileFormatError],
    missing: str | None,
) -> np.ndarray:
    """Return the answers, all of them numbers or all of them names."""
    import pandas as pd

    cells = frame.iloc[:, column]
    empty = cells.isna().to_numpy()
    if empty.any() and missing != "drop":
        reason = "the label is missing; missing='drop' (--missing drop) leaves it out"
        raise error(int(np.argmax(empty)), column, reason)
    # "True" and "False", too, are names.
    texts = cells.astype(str).str.strip().to_numpy(object)
    numbers: Any = to_numbers(pd.Series(texts[~empty])).to_numpy()
    words = np.isnan(numbers.astype(np.float64))
    if words.all():
        return texts.astype(str)
    for row in np.flatnonzero(words)[:1]:
        row = np.flatnonzero(~empty)[row]
        raise error(
            row, column, f"the label {_shown(texts[row])} is a name, others are numbers"
        )
    values = np.zeros(len(texts))
    values[~empty] = numbers
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise error(
            row, column, f"the label {_shown(texts[row])} is not a finite number"
        )
    return values
