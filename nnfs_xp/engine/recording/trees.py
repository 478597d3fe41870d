"""Trees of noted arrays: tuples, lists and dicts, the arguments of kernels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnfs_xp.engine.recording.noted import Noted
from nnfs_xp.engine.recording.walks import found_in, mapped


def values(tree: Any) -> Any:
    """Return a tree with the arrays of this step in place of noted ones."""
    return mapped(tree, Noted, lambda noted: noted.array)


def placed(tree: Any) -> Any:
    """Return a tree with places for noted arrays."""
    return mapped(tree, Noted, lambda noted: noted.place)


def noted_in(tree: Any) -> Iterator[Noted]:
    """Yield the noted arrays in a tree."""
    return found_in(tree, Noted)
