"""Columns of tables: a prediction needs the columns of the training data."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends.tables import column_names
from nnfs_xp.errors import InputError


def names_of(x: Any) -> list[str] | None:
    """Return the names of the columns of a table, or of the first batch of many."""
    batches: list[str] | None = getattr(x, "columns_of_first", None)
    return batches or column_names(x)


def keep_columns(model: Any, x: Any) -> None:
    """Keep the names of the columns that a new model is trained on, as metadata."""
    names = names_of(x)
    if names is not None and isinstance(model.metadata, dict):
        model.metadata["columns"] = names


def check_columns(model: Any, x: Any, name: str = "x") -> None:
    """Raise InputError if a table has columns other than the model's."""
    if isinstance(model.metadata, dict):
        known = model.metadata.get("columns")
        check_same_columns(known, x, name, "the model was trained on")


def check_same_columns(known: list[str] | None, x: Any, name: str, source: str) -> None:
    """Raise InputError if a table has other columns than those of a `source`.

    Without names, on either side, there is nothing to compare.
    """
    names = names_of(x) if known else None
    if names is not None and names != known:
        raise InputError(
            f"{name} must have the columns that {source}, in their order, {known}, "
            f"got {names}"
        )
