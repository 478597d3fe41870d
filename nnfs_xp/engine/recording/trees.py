"""Trees of noted arrays: tuples, lists and dicts, as kernels take and return them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nnfs_xp.engine.recording.noted import Noted


def values(tree: Any) -> Any:
    """Return a tree with the arrays of this step in the place of noted ones."""
    if isinstance(tree, Noted):
        return tree.array
    if type(tree) in (tuple, list):
        return type(tree)(values(one) for one in tree)
    if type(tree) is dict:
        return {key: values(one) for key, one in tree.items()}
    return tree


def placed(tree: Any) -> Any:
    """Return a tree with places for noted arrays."""
    if isinstance(tree, Noted):
        return tree.place
    if type(tree) in (tuple, list):
        return type(tree)(placed(one) for one in tree)
    if type(tree) is dict:
        return {key: placed(one) for key, one in tree.items()}
    return tree


def noted_in(tree: Any) -> Iterator[Noted]:
    """Yield the noted arrays in a tree."""
    if isinstance(tree, Noted):
        yield tree
    elif type(tree) in (tuple, list):
        for one in tree:
            yield from noted_in(one)
    elif type(tree) is dict:
        yield from noted_in(list(tree.values()))
