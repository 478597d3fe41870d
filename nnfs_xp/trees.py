"""Trees of arrays: dicts of dicts, with arrays as leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Tree = dict[str, Any]


def leaves(tree: Tree) -> Iterator[Any]:
    """Yield the leaves of a tree, in the order of its keys."""
    for value in tree.values():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield value


def map_leaves(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """Return a tree of the same keys, with what a function makes of each leaf.

    Examples
    --------
    >>> from nnfs_xp.trees import map_leaves
    >>> map_leaves(abs, {"a": -1, "b": {"c": -2}})
    {'a': 1, 'b': {'c': 2}}
    """
    return {
        key: map_leaves(function, value) if isinstance(value, dict) else function(value)
        for key, value in tree.items()
    }


def copy_tree(tree: Tree) -> Tree:
    """Return new dicts around the same leaves, for a function to write to."""
    return map_leaves(lambda leaf: leaf, tree)


def copied_leaves(xp: Any, tree: Tree) -> Tree:
    """Return a tree of copies of all arrays."""
    return map_leaves(lambda leaf: xp.asarray(leaf, copy=True), tree)
