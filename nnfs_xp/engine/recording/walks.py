"""Walks over trees of tuples, lists and dicts, the arguments of calls and kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def mapped(tree: Any, kind: Any, function: Callable[[Any], Any]) -> Any:
    """Return a tree in which a function is applied to each leaf of a class."""
    if isinstance(tree, kind):
        return function(tree)
    if type(tree) in (tuple, list):
        return type(tree)(mapped(one, kind, function) for one in tree)
    if type(tree) is dict:
        return {key: mapped(one, kind, function) for key, one in tree.items()}
    return tree


def found_in(tree: Any, kind: Any) -> Iterator[Any]:
    """Yield the leaves of a class, in order."""
    if isinstance(tree, kind):
        yield tree
    elif type(tree) in (tuple, list):
        for one in tree:
            yield from found_in(one, kind)
    elif type(tree) is dict:
        for one in tree.values():
            yield from found_in(one, kind)
