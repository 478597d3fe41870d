"""Every unit of the library by name: for files, for tests, for the docs.

A unit that is not registered cannot be saved; a unit that is registered and
has no test case fails the test suite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from nnfs_xp.errors import InputError

UnitClass = TypeVar("UnitClass", bound=type)

UNITS: dict[str, dict[str, type]] = {
    "layer": {},
    "loss": {},
    "optimizer": {},
    "metric": {},
    "initializer": {},
    "regularizer": {},
    "schedule": {},
}


def register(kind: str) -> Callable[[UnitClass], UnitClass]:
    """Return a class decorator that enters a unit under its class name.

    Parameters
    ----------
    kind : str
        What the unit is: one of the keys of `UNITS`.
    """

    def enter(unit_class: UnitClass) -> UnitClass:
        UNITS[kind][unit_class.__name__] = unit_class
        return unit_class

    return enter


def find(kind: str, name: str, argument: str | None = None) -> type:
    """Return the class of a unit, whatever the spelling of its name.

    Parameters
    ----------
    kind : str
        What the unit is.
    name : str
        Its class name, where case and underscores do not matter:
        ``"he_normal"`` is ``HeNormal``.
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
    wanted = name.replace("_", "").lower()
    for unit_name, unit_class in UNITS[kind].items():
        if unit_name.lower() == wanted:
            return unit_class
    raise InputError(
        f"{argument or kind} must be one of {sorted(UNITS[kind])}, got {name!r}"
    )


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
    if isinstance(value, base or tuple(UNITS[kind].values())):
        return value
    if isinstance(value, str):
        return _made(find(kind, value, name), {}, name)
    if isinstance(value, dict) and isinstance(value.get("class"), str):
        arguments = {key: item for key, item in value.items() if key != "class"}
        # Where a unit computes is not for a file to say.
        where = sorted({"backend", "device", "dtype"} & set(arguments))
        if where:
            raise InputError(f"{name} must not name a {where[0]}, got {value!r}")
        return _made(find(kind, value["class"], name), arguments, name)
    raise InputError(
        f"{name} must be one of {sorted(UNITS[kind])} or the name of one, got {value!r}"
    )


def _made(unit_class: type, arguments: dict[str, Any], name: str) -> Any:
    try:
        return unit_class(**arguments)
    except TypeError as error:
        raise InputError(f"{name}: {error}") from error


def describe(unit: Any) -> str:
    """Return the call that makes the unit again, for its ``repr``."""
    arguments = ", ".join(f"{k}={v!r}" for k, v in unit.config().items())
    return f"{type(unit).__name__}({arguments})"


def to_config(unit: Any) -> dict[str, Any]:
    """Return what is needed to make the unit again, ready for JSON.

    Raises
    ------
    InputError
        If its class is not registered, so that no file could be read again.
    """
    # A unit under a second name is saved under its own.
    unit_class = getattr(type(unit), "saved_as", type(unit))
    name = unit_class.__name__
    if not any(units.get(name) is unit_class for units in UNITS.values()):
        raise InputError(
            f"{name} must be registered to be saved: put "
            "@nnfs_xp.registry.register(kind) above its class"
        )
    return {"class": name, **unit.config()}
