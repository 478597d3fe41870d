"""Which column of a table is what: features, answers, neither."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnfs_xp.arguments import check_choice
from nnfs_xp.data.one_hot import names_before
from nnfs_xp.errors import DataWarning, FileFormatError, InputError

LABEL_NAMES = ("label", "class", "target", "y")
MISSING = ("mean", "drop")


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


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are, by their places.

    Attributes
    ----------
    features : list of int
        In the order of the model, if there is one.
    label : int or None
        The answers, if there are any.
    encoded : dict
        Those of the features that are encoded, and their values, or None for those that
        occur.
    """

    features: list[int]
    label: int | None
    encoded: dict[int, Sequence[str] | None]


@dataclass(frozen=True)
class Columns:
    """The columns of one table, and what is known about them.

    Attributes
    ----------
    source : str
        Where the table came from, for messages.
    header : sequence of str or None
        The names of the columns, if they have any.
    width : int
        How many there are.
    layout : Layout
    """

    source: str
    header: Sequence[str] | None
    width: int
    layout: Layout

    def roles(self) -> Roles:
        """Return what each of them is.

        Raises
        ------
        FileFormatError
            If a single column is left, or two have the name of the labels.
        InputError
            If there is no such column, or columns are not those of the model.
        """
        kept = self._without_dropped(self._without_row_numbers())
        encoded = self._encoded(kept)
        label = self._label(kept)
        if label in encoded:
            raise InputError(
                f"{self.source}: labels are not encoded: {self.layout.label!r}"
            )
        if label is not None:
            self._check_single(label, kept)
        features = [column for column in kept if column != label]
        if not features and self.layout.drop:
            raise InputError(f"{self.source}: drop leaves no feature")
        if not features:
            raise self._single_column()
        if self.layout.columns:
            features = self._in_order_of_model(features)
        return Roles(features, label, encoded)

    def _find(self, column: str | int) -> int | None:
        return find_column(column, self.header, self.width)

    def _without_row_numbers(self) -> list[int]:
        """Return all columns but a first one without a name."""
        header, places = self.header, list(range(self.width))
        if not header or self.width < 2:
            return places
        if header[0].partition(":")[0] not in ("", "Unnamed"):
            return places
        warnings.warn(
            f"{self.source}: the first column has no name and is left out, as row "
            "numbers are; give it a name if it is a feature",
            DataWarning,
        )
        return places[1:]

    def _without_dropped(self, kept: list[int]) -> list[int]:
        """Return columns without those to drop; a model's need not be there."""
        layout = self.layout
        places = {name: self._find(name) for name in layout.drop}
        if layout.must_have_label:
            label = None if layout.label is None else self._find(layout.label)
            for name, place in places.items():
                if place is None:
                    raise self._no_column(name, "to drop")
                if place == label:
                    raise InputError(
                        f"{self.source}: drop has the column of labels, {name!r}"
                    )
        return [column for column in kept if column not in places.values()]

    def _encoded(self, kept: list[int]) -> dict[int, Sequence[str] | None]:
        found = {}
        for name, values in self.layout.one_hot.items():
            place = self._find(name)
            if place is None or place not in kept:
                raise self._no_column(name, "to encode")
            found[place] = values
        return found

    def _no_column(self, name: str | int, use: str) -> InputError:
        what = f"{self.width} columns"
        if self.header:
            what = f"columns {', '.join(self.header)}"
        return InputError(f"{self.source}: has no column {name!r} {use}; it has {what}")

    def _label(self, kept: list[int]) -> int | None:
        """Return the column of the answers, or None if there is none."""
        header, layout = self.header, self.layout
        fits = len(kept) == (len(layout.raw_columns) or layout.n_raw_features)
        if layout.label is not None and not (header is None and fits):
            found = self._find(layout.label)
            if found in kept:
                return found
            if layout.must_have_label:
                raise self._no_column(layout.label, "for the labels")
        if fits:
            return None
        named = usual_label(header, kept)
        if named is not None:
            return named
        if header and layout.columns:
            others = [i for i in kept if header[i] not in layout.raw_columns]
            return others[0] if len(others) == 1 else None
        if len(kept) < 2:
            raise self._single_column()
        return kept[-1]

    def _check_single(self, label: int, kept: Sequence[int]) -> None:
        """Refuse a second column of the name, which would give the answers away."""
        header = self.header or range(self.width)
        places = [column for column in kept if header[column] == header[label]]
        if len(places) > 1:
            listed = ", ".join(str(place + 1) for place in places)
            raise FileFormatError(
                f"{self.source}: columns {listed} are all called {header[label]!r}, "
                "and one of them has the labels; rename the others"
            )

    def _single_column(self) -> FileFormatError:
        return FileFormatError(
            f"{self.source}: has a single column; a feature and a label are needed at "
            "least. delimiter=... (--delimiter) names what stands between columns, if "
            "it is not a comma, semicolon or tab"
        )

    def _in_order_of_model(self, features: list[int]) -> list[int]:
        """Return the places of the model's columns, in its order."""
        columns = self.layout.raw_columns
        if self.header is None:
            if len(features) == len(columns):
                warnings.warn(
                    f"{self.source}: has no names of columns; they are taken in the "
                    f"order of the training, {', '.join(columns)}",
                    DataWarning,
                )
            return features
        found = [self.header[i] for i in features]
        if found == list(columns):
            return features
        for name in columns:
            if columns.count(name) > 1 or found.count(name) > 1:
                raise InputError(
                    f"{self.source}: several columns are called {name!r}, so they "
                    "cannot be brought into the order of the model's; give each its "
                    "own name"
                )
        missing = [name for name in columns if name not in found]
        more = [name for name in found if name not in columns]
        if missing or more or len(found) > len(columns):
            raise InputError(
                f"{self.source}: its columns are not those of the model; missing: "
                f"{', '.join(missing) or 'none'}; unknown: {', '.join(more) or 'none'}"
            )
        return [features[found.index(name)] for name in columns]


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
