"""Every unit of the library by name: for files, for tests, for the docs.

A unit that is not registered cannot be saved; a unit that is registered and
has no test case fails the test suite.
"""

from __future__ import annotations

import difflib
import importlib
import json
import pkgutil
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from nnfs_xp.errors import InputError

UnitClass = TypeVar("UnitClass", bound=type)

# Where a unit computes, which is not for a file to say.
PLACE = frozenset({"backend", "device", "dtype"})

# By kind, the class names that other names of units stand for, in small letters.
_ALSO: dict[str, dict[str, str]] = {}

UNITS: dict[str, dict[str, type]] = {
    "layer": {},
    "loss": {},
    "optimizer": {},
    "metric": {},
    "initializer": {},
    "regularizer": {},
    "constraint": {},
    "schedule": {},
}


def register(kind: str, *also: str) -> Callable[[UnitClass], UnitClass]:
    """Return a class decorator that enters a unit under its class name.

    Parameters
    ----------
    kind : str
        What the unit is: one of the keys of `UNITS`.
    *also : str
        Other names that people type for it, such as ``"mse"``.
    """

    def enter(unit_class: UnitClass) -> UnitClass:
        UNITS[kind][unit_class.__name__] = unit_class
        names = dict.fromkeys(map(_plain, also), unit_class.__name__)
        _ALSO.setdefault(kind, {}).update(names)
        return unit_class

    return enter


def export_units(package: str) -> list[str]:
    """Import all modules of a package, and export the units that they register.

    So a new unit needs no line but those of its own file.

    Parameters
    ----------
    package : str
        Name of the package; its names are those of the units, after this.

    Returns
    -------
    list of str
        The names, for ``__all__``.
    """
    owner = sys.modules[package]
    for module in pkgutil.iter_modules(owner.__path__):
        importlib.import_module(f"{package}.{module.name}")
    units = {
        name: unit
        for of_kind in UNITS.values()
        for name, unit in of_kind.items()
        if unit.__module__.startswith(f"{package}.")
    }
    vars(owner).update(units)
    return sorted(units)


def find(kind: str, name: str, argument: str | None = None) -> type:
    """Return the class of a unit, whatever the spelling of its name.

    Parameters
    ----------
    kind : str
        What the unit is.
    name : str
        Its class name, where case and underscores do not matter:
        ``"he_normal"`` is ``HeNormal``. Some have another name too: ``"mse"`` is
        ``MeanSquaredError``.
    argument : str, optional
        The argument that it was given for, named in errors.

    Raises
    ------
    InputError
        If no unit of that kind has that name.

    Examples
    --------
    >>> from nnfs_xp.registry import find
    >>> find("optimizer", "adam").__name__
    'Adam'
    """
    if is_known(kind, name):
        return UNITS[kind][_by_lower(kind)[_plain(name)]]
    known = _known(kind, _plain(name))
    raise InputError(f"{argument or kind} must be one of {known}, got {name!r}")


def is_known(kind: str, name: str) -> bool:
    """Return whether there is a unit of a name, whatever its spelling."""
    return _plain(name) in _by_lower(kind)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _by_lower(kind: str) -> dict[str, str]:
    own = {name.lower(): name for name in UNITS[kind]}
    return {**_ALSO.get(kind, {}), **own}


# As many names as a message may hold.
_MOST_NAMES = 12


def _known(kind: str, wanted: str = "") -> str:
    """Return the names of the units of a kind, or the most similar of very many."""
    names = sorted(UNITS[kind])
    if len(names) <= _MOST_NAMES:
        return f"{names}"
    by_lower = _by_lower(kind)
    near = difflib.get_close_matches(wanted, by_lower, _MOST_NAMES, cutoff=0.5)
    shown = [by_lower[name] for name in near] or names[:_MOST_NAMES]
    return f"{shown} and others in nnfs_xp.registry.UNITS[{kind!r}]"


def resolve(kind: str, value: Any, name: str, base: type | None = None) -> Any:
    """Return a unit from an instance, a name, or a saved configuration.

    Parameters
    ----------
    kind : str
        What the unit is.
    value : object
        A unit of that kind, its name, or what `to_config` returned.
    name : str
        The argument that `value` was given for, named in errors.
    base : type, optional
        A class whose instances are such units too: those of a user's own,
        which need no entry in the registry to be used.

    Raises
    ------
    InputError
        If `value` is none of the three.
    """
    units = base or tuple(UNITS[kind].values())
    if isinstance(value, units):
        return value
    if isinstance(value, str):
        return _made(find(kind, value, name), {}, name)
    if isinstance(value, dict) and isinstance(value.get("class"), str):
        arguments = {key: item for key, item in value.items() if key != "class"}
        where = sorted(PLACE & set(arguments))
        if where:
            raise InputError(f"{name} must not name a {where[0]}, got {value!r}")
        return _made(find(kind, value["class"], name), arguments, name)
    if isinstance(value, type) and issubclass(value, units):
        raise InputError(
            f"{name} must be an object, got the class {value.__name__}; use "
            f"{value.__name__}(...)"
        )
    raise InputError(
        f"{name} must be one of {_known(kind)} or the name of one, got {value!r}"
    )


def resolve_activation(value: Any, name: str, base: type | None = None) -> Any:
    """Return a layer as `resolve` does, where a name must be that of an activation.

    A layer that a user has registered may be one.

    Raises
    ------
    InputError
        If `value` is none of the three, or names another layer of the library.
    """
    if isinstance(value, str):
        known = sorted(filter(_may_be_activation, UNITS["layer"]))
        if not is_known("layer", value) or find("layer", value).__name__ not in known:
            raise InputError(f"{name} must be one of {known}, got {value!r}")
    return resolve("layer", value, name, base)


def _may_be_activation(name: str) -> bool:
    unit = UNITS["layer"][name]
    return not is_of_library(unit) or ".activations." in unit.__module__


def _made(unit_class: type, arguments: dict[str, Any], name: str) -> Any:
    trainable = arguments.pop("trainable", True)
    try:
        unit = unit_class(**arguments)
    except TypeError as error:
        raise InputError(f"{name}: {error}") from error
    if trainable is not True:
        unit.trainable = trainable
    return unit


def library_class(unit: Any) -> type:
    """Return the class that computes what a unit does.

    That is the unit's own class, or for a second name, as those of the book, the
    class it stands for. A subclass stands for itself: it may compute something else.
    """
    own = type(unit)
    return own.__dict__.get("saved_as", own)


def is_of_library(cls: type) -> bool:
    """Return whether a class is one of this library's own."""
    return cls.__module__.partition(".")[0] == __name__.partition(".")[0]


def is_exactly(unit: Any, *classes: type) -> bool:
    """Return whether a unit is of one of these classes, and not of a subclass."""
    return library_class(unit) in classes


def to_config(unit: Any) -> dict[str, Any]:
    """Return what is needed to make the unit again, ready for JSON.

    Raises
    ------
    InputError
        If its class is not registered, so that no file could be read again, or a
        setting is nothing that JSON can hold.
    """
    unit_class = library_class(unit)
    name = unit_class.__name__
    if not any(units.get(name) is unit_class for units in UNITS.values()):
        raise InputError(
            f"{name} must be registered to be saved: put "
            "@nnfs_xp.registry.register(kind) above its class"
        )
    try:
        arguments = unit.config()
        for key, value in arguments.items():
            json.dumps({key: value})
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: {key} cannot be saved, as JSON cannot hold {value!r} ({error})"
        ) from error
    if not is_of_library(unit_class):
        _check_made_again(unit_class, arguments)
    frozen = {} if getattr(unit, "trainable", True) else {"trainable": False}
    return {"class": name, **arguments, **frozen}


def _check_made_again(unit_class: type, arguments: dict[str, Any]) -> None:
    """Raise InputError unless a user's own class takes the arguments that are saved."""
    try:
        unit_class(**arguments)
    except Exception as error:
        raise InputError(
            f"{unit_class.__name__} cannot be rebuilt from {arguments}: {error}; "
            "its config() must return the arguments of its constructor"
        ) from error
