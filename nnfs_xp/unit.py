"""What all units share: a configuration, and settings that stay as they are."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from nnfs_xp.errors import FixedSettingError, InputError
from nnfs_xp.other_names import check_call
from nnfs_xp.registry import PLACE, is_of_library, library_class, to_config

_LIBRARY = __name__.partition(".")[0]


class _Made(type):
    """Notes a unit's settings when its constructor, that of a subclass too, is done."""

    if not TYPE_CHECKING:  # They are to see the constructors.

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                unit = super().__call__(*args, **kwargs)
            except TypeError as error:
                # One that a constructor raises itself has more to say.
                if "__init__()" in str(error) or "__new__()" in str(error):
                    check_call(cls.__name__, _taken(cls), args, kwargs)
                raise
            vars(unit)["_settings"] = frozenset(unit._setting_names())
            unit._take_values()
            return unit

    @property
    def __signature__(cls) -> inspect.Signature:
        # That of the constructor: tools would show that of `__call__`.
        if cls.__init__ is object.__init__:  # type: ignore[misc]
            return inspect.Signature()
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]
        parameters = list(signature.parameters.values())[1:]
        return signature.replace(parameters=parameters)


class Unit(metaclass=_Made):
    """Base of layers, losses, optimizers, metrics and all that they are made with.

    The public attributes of the class, and those that a constructor sets, are the
    unit's settings. A compiled step holds them for constants, so they are fixed:
    assigning one later raises `FixedSettingError`. Attributes whose names begin with
    an underscore are free; a change is followed from the next step on.
    """

    # Public attributes that are not settings, because they change.
    _changing: ClassVar[frozenset[str]] = frozenset()
    _settings: frozenset[str] = frozenset()
    # Settings that must not be rounded to 1, and dtypes that all of them fit into.
    _below_one: ClassVar[frozenset[str]] = frozenset()
    _fitting: frozenset[str] = frozenset()

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this unit again, ready for JSON.

        By default they are the attributes with the names of the constructor's
        arguments. Those that are given by name only are left out where they have
        their default value.

        Raises
        ------
        InputError
            If one is a function, which no file can hold.
        """
        return {name: _saved(value, name) for name, value in self._arguments().items()}

    def _arguments(self) -> dict[str, Any]:
        found = {}
        for name, parameter in _parameters(library_class(self)).items():
            # Not by hasattr: a layer's parameter of that name would be drawn.
            known = name in vars(self) or hasattr(type(self), name)
            if name in PLACE or not known:
                continue
            value, usual = getattr(self, name), parameter.default
            if parameter.kind is not parameter.KEYWORD_ONLY or not (
                _equal(value, usual) or _equal(value, getattr(type(self), name, usual))
            ):
                found[name] = value
        return found

    def _take_values(self) -> None:
        """Take values that a constructor has set for what the unit learns."""

    def _setting_names(self) -> set[str]:
        names = {*vars(self), *_defaults(type(self))}
        return {name for name in names if name[0] != "_"} - self._changing

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if name in self._settings:
            raise FixedSettingError(
                f"{name} of {kind.__name__} is fixed once the unit is made; make a new "
                f"{kind.__name__}, and for a model a new one or model.set(...)"
            )
        if name[0] != "_" and callable(getattr(kind, name, None)):
            raise FixedSettingError(
                f"{name} is a method of {kind.__name__}; override it in a subclass, "
                "as only that is used everywhere"
            )
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self._arguments().items())
        return f"{type(self).__name__}({arguments})"


# Signatures take most of the time of a model's `config`.
_known_parameters: WeakKeyDictionary[type, dict[str, inspect.Parameter]] = (
    WeakKeyDictionary()
)


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Return those of a constructor, and of those that it passes others on to."""
    if cls in _known_parameters:
        return _known_parameters[cls]
    found: dict[str, inspect.Parameter] = {}
    by_name_only = False
    for owner in cls.__mro__[:-1]:
        if "__init__" not in vars(owner):
            continue
        own = inspect.signature(vars(owner)["__init__"]).parameters
        for name, parameter in own.items():
            if parameter.kind is parameter.KEYWORD_ONLY or not by_name_only:
                found.setdefault(name, parameter)
        kinds = {parameter.kind for parameter in own.values()}
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            break
        by_name_only = inspect.Parameter.VAR_POSITIONAL not in kinds
    _known_parameters[cls] = found
    return found


def _taken(cls: type) -> list[inspect.Parameter]:
    """Return the parameters of a constructor without `self` and those passed on."""
    # Of several with an open list, only the first takes it.
    own = inspect.signature(cls).parameters.values()
    lists = [p for p in own if p.kind is p.VAR_POSITIONAL]
    open_ended = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    known = _parameters(cls).values()
    found = [p for p in known if p.kind not in open_ended and p.name != "self"]
    return [*found, *lists]


def _equal(value: Any, other: Any) -> bool:
    plain = type(value) is type(other) and not isinstance(value, Unit)
    return plain and bool(value == other)


def _saved(value: Any, name: str) -> Any:
    """Return what `nnfs_xp.registry.resolve` makes the value of an argument of."""
    if isinstance(value, Unit):
        return to_config(value)
    if isinstance(value, tuple) and any(isinstance(item, Unit) for item in value):
        return [_saved(item, name) for item in value]
    if callable(value):
        raise InputError(
            f"{name} is a function, which cannot be saved: write a subclass of "
            f"nnfs_xp.Schedule instead, got {value!r}"
        )
    return value


def _defaults(cls: type) -> Iterator[str]:
    """Yield the names of attributes that are not methods and have no setter."""
    for name in dir(cls):
        found = getattr(cls, name, None)
        if not callable(found) and getattr(found, "fset", None) is None:
            yield name


def overridden(unit: Any, names: Iterable[str]) -> list[str]:
    """Return which of some methods of a unit were written outside the library.

    In its class, or put on the class or on the unit itself.
    """
    found = {name: inspect.getattr_static(unit, name, None) for name in names}
    return [
        name
        for name, method in found.items()
        # A function of `exec` has no module.
        if not (getattr(method, "__module__", _LIBRARY) or "").startswith(_LIBRARY)
    ]


def check_not_overridden(unit: Any, names: Mapping[str, str]) -> None:
    """Raise InputError if a unit overrides a method that a model does not call.

    Parameters
    ----------
    unit : Unit
    names : mapping of str to str
        What to override instead, by the names of these methods.
    """
    for name in overridden(unit, names):
        raise InputError(
            f"{type(unit).__name__} overrides {name}, which nothing calls here; "
            f"override {names[name]} instead, or use nnfs_xp.book.Model"
        )


def check_arguments(unit: Any, name: str, count: int) -> None:
    """Raise InputError if a method of a user's own takes other arguments."""
    if is_of_library(type(unit)):
        return
    parameters = inspect.signature(getattr(unit, name)).parameters.values()
    kinds = [p.kind for p in parameters]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return
    needed = [p.name for p in parameters if p.default is inspect.Parameter.empty]
    if len(needed) != count or len(kinds) < count:
        wanted = {"fwd": "(cx, x)", "bwd": "(cx, residuals, dy)"}[name]
        raise InputError(
            f"{name} of {type(unit).__name__} must take {wanted}, got "
            f"({', '.join(needed)})"
        )
