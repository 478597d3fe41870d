"""Columns of categories, as a column of 0 and 1 for each of their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.errors import FileFormatError, InputError

if TYPE_CHECKING:
    import pandas as pd

# More would be a name or a number of its own in each row, which says nothing of others.
MOST_VALUES = 1000


def columns_given(value: Any, name: str) -> tuple[str | int, ...]:
    """Return the names and numbers of columns that a caller gave, or raise InputError.

    A single one needs no list.
    """
    listed = (value,) if isinstance(value, (str, int)) else value
    try:
        found = tuple(listed)
    except TypeError:
        found = (None,)
    kinds = (str, int, np.integer)
    for column in found:
        if isinstance(column, bool) or not isinstance(column, kinds):
            raise InputError(
                f"{name} must be names or numbers of columns, got {value!r}"
            )
    return found


def values_given(value: Any, name: str) -> dict[str | int, tuple[str, ...]]:
    """Return the values of columns that a caller gave, or raise InputError."""
    if not isinstance(value, Mapping) or not all(
        isinstance(values, Sequence) and values and not isinstance(values, str)
        for values in value.values()
    ):
        raise InputError(
            f"{name} must be a dict of columns and lists of their values, as "
            f"Dataset.one_hot is, got {value!r}"
        )
    found = {}
    for column in columns_given(value, name):
        found[column] = tuple(map(str, value[column]))
        if len({*found[column]}) < len(found[column]):
            raise InputError(f"{name} has a value of {column!r} twice, got {value!r}")
    return found


def one_hot_names(column: str, values: Sequence[str]) -> list[str]:
    """Return the names of the columns that one becomes."""
    return [f"{column}={value}" for value in values]


def names_before(
    columns: Sequence[str], one_hot: Mapping[str | int, Sequence[str]]
) -> tuple[str, ...]:
    """Return the names that columns have in a file, before they are encoded."""
    first = {
        one_hot_names(str(column), values)[0]: (str(column), len(values))
        for column, values in one_hot.items()
    }
    found, skipped = [], 0
    for name in columns:
        if skipped:
            skipped -= 1
            continue
        name, width = first.get(name, (name, 1))
        found.append(name)
        skipped = width - 1
    return tuple(found)


def encode(
    cells: pd.Series,
    values: Sequence[str] | None,
    error: Callable[..., FileFormatError],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a column of 0 and 1 for each value, and the values.

    Parameters
    ----------
    cells : pandas.Series
        One that is missing becomes a row of NaN.
    values : sequence of str or None
        The values that a model knows. By default they are those that occur, sorted.
    error : callable
        Returns the exception for a `row` and a `reason`.

    Raises
    ------
    FileFormatError
        If a value is not one of `values`, or too many or none occur.
    """
    missing = cells.isna().to_numpy()
    # A column of whole numbers in which one is missing holds floats.
    texts = np.array([str(_whole(cell)).strip() for cell in cells], object)
    found = sorted(set(texts[~missing]))
    known = tuple(found) if values is None else tuple(values)
    if not known or (values is None and len(known) > MOST_VALUES):
        allowed = f"from 1 to {MOST_VALUES:,} can be encoded"
        raise error(
            row=0, reason=f"the column has {len(known):,} different values; {allowed}"
        )
    places = {value: place for place, value in enumerate(known)}
    for value in found:
        if value not in places:
            row = int(np.argmax(texts == value))
            raise error(
                row=row,
                reason=f"{value!r} is not a value that the model knows: {_list(known)}",
            )
    encoded = np.zeros((len(texts), len(known)))
    encoded[missing] = np.nan
    rows = np.flatnonzero(~missing)
    encoded[rows, [places[texts[row]] for row in rows]] = 1.0
    return encoded, known


def _whole(cell: Any) -> Any:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _list(values: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(map(repr, values[:most]))
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"
