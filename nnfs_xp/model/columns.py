"""Columns of tables: a prediction needs the columns of the training data."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends.tables import column_names
from nnfs_xp.errors import InputError


def keep_columns(model: Any, x: Any) -> None:
    """Keep the names of the columns that a new model is trained on, as metadata."""
    names = column_names(x)
    if names is not None and isinstance(model.metadata, dict):
        model.metadata["columns"] = names


def check_columns(model: Any, x: Any, name: str = "x") -> None:
    """Raise InputError if a table has columns other than the model's."""
    names = column_names(x)
    if names is None or not isinstance(model.metadata, dict):
        return
    known = model.metadata.get("columns")
    if known is not None and names != known:
        raise InputError(
            f"{name} must have the columns that the model was trained on, in their "
            f"order, {known}, got {names}"
        )
