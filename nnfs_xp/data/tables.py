"""Tables with named columns: which column is what, and what is missing."""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nnfs_xp.arguments import check_choice
from nnfs_xp.data.examples import Examples
from nnfs_xp.data.one_hot import encode, names_before, one_hot_names
from nnfs_xp.errors import DataWarning, FileFormatError, InputError

if TYPE_CHECKING:
    import pandas as pd

LABEL_NAMES = ("label", "class", "target", "y")
MISSING = ("mean", "drop")
# Names of a column of row numbers, reduced to their letters.
_ROW_NUMBERS = ("id", "index", "no", "nr", "number", "row", "rowid", "rownumber")


@dataclass(frozen=True)
class Layout:
    """What the caller, or the model that uses the rows, says about a table.

    Attributes
    ----------
    label : str, int or None
        Name or number of the column of answers.
    missing : {"mean", "drop"} or None
        What to do with rows that lack a value.
    n_features : int or None
        How many features the model takes. A table with exactly this many columns has no
        answers.
    columns : tuple of str
        The names of the model's features, in their order.
    must_have_label : bool
        Whether `label` has to be there.
    wants_label : bool
        Whether the answers are read.
    drop : tuple of str or int
        Columns that are left out.
    one_hot : mapping
        Columns that are encoded, and their values, or None for those that occur.
    """

    label: str | int | None = None
    missing: str | None = None
    n_features: int | None = None
    columns: tuple[str, ...] = ()
    must_have_label: bool = True
    wants_label: bool = True
    drop: tuple[str | int, ...] = ()
    one_hot: Mapping[str | int, Sequence[str] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = (str, int, np.integer, type(None))
        if isinstance(self.label, bool) or not isinstance(self.label, kinds):
            raise InputError(
                f"label must be the name or number of a column, got {self.label!r}"
            )
        if self.missing is not None:
            check_choice(self.missing, "missing", MISSING)

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The names of the model's features in a file."""
        known = {name: values for name, values in self.one_hot.items() if values}
        return names_before(self.columns, known) if known else self.columns

    @property
    def n_raw_features(self) -> int | None:
        """How many columns of a file the model takes."""
        if self.n_features is None:
            return None
        return self.n_features - sum(len(v or " ") - 1 for v in self.one_hot.values())


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
    kept = list(range(frame.shape[1]))
    if header and header[0].partition(":")[0] in ("", "Unnamed") and len(kept) > 1:
        warnings.warn(
            f"{source}: the first column has no name and is left out, as row numbers "
            "are; give it a name if it is a feature",
            DataWarning,
        )
        kept = kept[1:]
    kept = _without(source, header, frame.shape[1], kept, layout)
    encoded = _encoded(source, header, frame.shape[1], kept, layout)
    label = _label_column(source, header, frame.shape[1], kept, layout)
    if label in encoded:
        raise InputError(f"{source}: labels are not encoded: {layout.label!r}")
    if header and label is not None:
        _check_single(source, header, label, kept)
    features = [column for column in kept if column != label]
    if not features and layout.drop:
        raise InputError(f"{source}: drop leaves no feature")
    if not features:
        raise _single_column(source)
    if layout.columns:
        features = _features_of_model(source, header, features, layout.raw_columns)

    def error(row: int, column: int, reason: str) -> FileFormatError:
        name = f" ({header[column]!r})" if header else ""
        place = f"{source}: {place_of(row)}, column {column + 1}{name}"
        return FileFormatError(f"{place}: {reason}")

    places = range(frame.shape[1])
    called = header or places
    names = header or [f"column {place + 1}" for place in places]
    x, origins, one_hot = _features(frame, called, features, encoded, error)
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
    if header and layout.must_have_label:
        _warn_of_row_numbers(source, columns, x)
    y, rows = None, None
    if label is not None and layout.wants_label:
        y = _answers(frame, label, error, layout.missing)
    empty = np.isnan(x)
    complete = ~empty.any(axis=1)
    if not complete.all() and layout.missing is None:
        # An encoded column is one, although many are empty.
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


def find_column(
    label: str | int, header: Sequence[str] | None, width: int
) -> int | None:
    """Return the place of a column that is named or numbered, or None."""
    if header and label in header:
        return list(header).index(str(label))
    try:
        number = int(label)
    except ValueError:
        return None
    return number % width if -width <= number < width else None


def usual_label(header: Sequence[str] | None, kept: Sequence[int]) -> int | None:
    """Return the column, of those kept, whose name says that it has the answers."""
    names = [name.lower() for name in header or ()]
    places = (names.index(name) for name in LABEL_NAMES if name in names)
    return next((place for place in places if place in kept), None)


def _without(
    source: str,
    header: Sequence[str] | None,
    width: int,
    kept: list[int],
    layout: Layout,
) -> list[int]:
    """Return columns without those to drop; a model's need not be there."""
    places = {name: find_column(name, header, width) for name in layout.drop}
    if layout.must_have_label:
        answers = layout.label
        label = None if answers is None else find_column(answers, header, width)
        for name, place in places.items():
            if place is None:
                raise _no_column(source, header, width, name, "to drop")
            if place == label:
                raise InputError(f"{source}: drop has the column of labels, {name!r}")
    return [column for column in kept if column not in places.values()]


def _encoded(
    source: str,
    header: Sequence[str] | None,
    width: int,
    kept: list[int],
    layout: Layout,
) -> dict[int, Sequence[str] | None]:
    """Return the columns that are encoded, by their place."""
    found = {}
    for name, values in layout.one_hot.items():
        place = find_column(name, header, width)
        if place is None or place not in kept:
            raise _no_column(source, header, width, name, "to encode")
        found[place] = values
    return found


def _no_column(
    source: str, header: Sequence[str] | None, width: int, name: str | int, use: str
) -> InputError:
    what = f"columns {', '.join(header)}" if header else f"{width} columns"
    return InputError(f"{source}: has no column {name!r} {use}; it has {what}")


def _label_column(
    source: str,
    header: Sequence[str] | None,
    width: int,
    kept: list[int],
    layout: Layout,
) -> int | None:
    """Return the column of the answers, or None if there is none."""
    fits = len(kept) == (len(layout.raw_columns) or layout.n_raw_features)
    if layout.label is not None and not (header is None and fits):
        found = find_column(layout.label, header, width)
        if found in kept:
            return found
        if layout.must_have_label:
            raise _no_column(source, header, width, layout.label, "for the labels")
    if fits:
        return None
    named = usual_label(header, kept)
    if named is not None:
        assert header is not None
        return named
    if header and layout.columns:
        others = [i for i in kept if header[i] not in layout.raw_columns]
        return others[0] if len(others) == 1 else None
    if len(kept) < 2:
        raise _single_column(source)
    return kept[-1]


def _check_single(
    source: str, header: Sequence[str], label: int, kept: Sequence[int]
) -> None:
    """Refuse a second column of the same name, which would give the answers away."""
    places = [column for column in kept if header[column] == header[label]]
    if len(places) > 1:
        raise FileFormatError(
            f"{source}: columns {', '.join(str(place + 1) for place in places)} are "
            f"all called {header[label]!r}, and one of them has the labels; rename the "
            "others"
        )


def _single_column(source: str) -> FileFormatError:
    return FileFormatError(
        f"{source}: has a single column; a feature and a label are needed at "
        "least. delimiter=... (--delimiter) names what stands between columns, if "
        "it is not a comma, semicolon or tab"
    )


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


def _features_of_model(
    source: str,
    header: Sequence[str] | None,
    features: list[int],
    columns: tuple[str, ...],
) -> list[int]:
    """Return the places of the model's columns, in its order."""
    if header is None:
        if len(features) == len(columns):
            warnings.warn(
                f"{source}: has no names of columns; they are taken in the order of "
                f"the training, {', '.join(columns)}",
                DataWarning,
            )
        return features
    found = [header[i] for i in features]
    if found == list(columns):
        return features
    for name in columns:
        if columns.count(name) > 1 or found.count(name) > 1:
            raise InputError(
                f"{source}: several columns are called {name!r}, so they cannot be "
                "brought into the order of the model's; give each its own name"
            )
    missing = [name for name in columns if name not in found]
    more = [name for name in found if name not in columns]
    if missing or more or len(found) > len(columns):
        raise InputError(
            f"{source}: its columns are not those of the model; missing: "
            f"{', '.join(missing) or 'none'}; unknown: {', '.join(more) or 'none'}"
        )
    return [features[found.index(name)] for name in columns]


def _features(
    frame: pd.DataFrame,
    called: Sequence[str | int],
    columns: list[int],
    encoded: Mapping[int, Sequence[str] | None],
    error: Callable[..., FileFormatError],
) -> tuple[np.ndarray, list[int], dict[int, tuple[str, ...]]]:
    """Return the features, the column that each is from, and values of the encoded."""
    plain = [column for column in columns if column not in encoded]
    numbers = _numbers(frame, called, plain, error)
    if not encoded:
        return numbers, columns, {}
    parts, one_hot = {}, {}
    for column in columns:
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
