"""What units of a user's own hold beside their fixed settings.

A step that is recorded or compiled would go on with the values that it has seen. So
they are compared: from one call to the next, and before and after a step.
"""

from __future__ import annotations

import copy
import io
import pickle
import random
from typing import Any

import numpy as np

from nnfs_xp.engine.network import Network
from nnfs_xp.registry import is_of_library

# What the base classes keep, and none of it is read in a step.
_OF_BASES = frozenset({
    "_backend", "_decay", "_draws", "_fitting", "_home", "_last", "_layers",
    "_learning_rate", "_outputs", "_place", "_program", "_rate_written", "_residuals",
    "_schedule", "_settings", "_state", "_total", "_total_backend", "_values",
    "_weighted", "children", "iterations",
})  # fmt: skip
# These cannot change themselves, and a setting cannot be assigned.
_PLAIN = (int, float, str, type(None))

Held = dict[tuple[int, str], Any]


def held(network: Network) -> Held:
    """Return what units of a user's own hold that may change, to be compared."""
    found: Held = {}
    for number, unit in enumerate(network.users_parts):
        changing = type(unit)._changing
        for name, value in vars(unit).items():
            fixed = name[0] != "_" and _is_plain(value)
            if not fixed and name not in _OF_BASES and name not in changing:
                found[number, name] = _seen(value)
    return {key: seen for key, seen in found.items() if seen is not _TRACED}


class Watch:
    """Finds out what a step changes that is not in the state.

    Parameters
    ----------
    network : Network
    undoes : bool, default False
        Whether changes may have to be undone.
    """

    def __init__(self, network: Network, undoes: bool = False) -> None:
        self._network = network
        self._before = self._all() if network.users_parts else {}
        self._values = {
            key: _copied(vars(network.users_parts[key[0]])[key[1]])
            for key in self._before
            if undoes and not isinstance(key, str)
        }
        if undoes:
            self._states = np.random.get_state(), random.getstate()  # noqa: NPY002

    def _all(self) -> dict[Any, Any]:
        return {
            **held(self._network),
            "numpy.random": _seen(np.random.get_state()),  # noqa: NPY002
            "random": random.getstate(),
        }

    def undo(self) -> None:
        """Give units and generators what they had."""
        parts = self._network.users_parts
        for number, name in held(self._network).keys() - self._values.keys():
            del vars(parts[number])[name]
        for (number, name), value in self._values.items():
            vars(parts[number])[name] = value
        np.random.set_state(self._states[0])  # noqa: NPY002
        random.setstate(self._states[1])

    def changed(self) -> str:
        """Return in words what has changed since, empty if nothing has."""
        if not self._network.users_parts:
            return ""
        for key, value in self._all().items():
            if value != self._before.get(key, _MISSING):
                if isinstance(key, str):
                    return f"it draws from the generator of {key}"
                unit = self._network.users_parts[key[0]]
                return f"{type(unit).__name__} changes its {key[1]}"
        return ""


_MISSING = object()
# An array of a trace, which the same trace may use, and no other one.
_TRACED = object()


class _Pickler(pickle.Pickler):
    """Writes what NumPy and Python can change in place; of the rest, which it is."""

    traced = False

    def persistent_id(self, value: Any) -> Any:
        other_array = hasattr(value, "__array_namespace__") and not isinstance(
            value, (np.ndarray, np.generic)
        )
        if other_array and type(value).__name__.endswith("Tracer"):
            self.traced = True
        # A model that a unit holds has parameters, which every step changes.
        by_identity = other_array or callable(value) or is_of_library(type(value))
        return id(value) if by_identity else None


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:
        # What cannot be copied, such as an open file.
        return value


def _is_plain(value: Any) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return all(isinstance(item, _PLAIN) for item in items)


def _seen(value: Any) -> Any:
    """Return what is equal if a value is, and else differs."""
    file = io.BytesIO()
    pickler = _Pickler(file, protocol=5)
    try:
        pickler.dump(value)
    except Exception:
        # What cannot be pickled, such as an open file.
        return id(value)
    return _TRACED if pickler.traced else file.getvalue()
