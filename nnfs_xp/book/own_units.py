"""Units that a reader of the book brings: which these are, and how they are called.

A unit is a reader's own if they have written one of the book's methods: in a subclass,
in a class that inherits nothing, or put on an object. What such a class leaves out, the
book's base classes do in its place.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from nnfs_xp.backends import library_of
from nnfs_xp.book.names import BOOK_CLASSES
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.nesting import checked_units, leaves, walk
from nnfs_xp.registry import library_class
from nnfs_xp.unit import overridden

# The book's methods of each kind of unit.
_SUMS = ("calculate", "calculate_accumulated", "new_pass")
_METHODS: dict[str, tuple[str, ...]] = {
    "layers": ("forward", "backward", "predictions"),
    "loss": (
        "forward", "backward", "regularization_loss", "remember_trainable_layers",
        *_SUMS,
    ),
    "optimizer": ("pre_update_params", "update_params", "post_update_params", "step"),
    "accuracy": ("init", "compare", *_SUMS),
    "model": ("forward", "backward", "evaluate"),
}  # fmt: skip
# Those that a unit cannot do without: of each tuple, one.
_NEEDED = {
    "layers": (("forward",), ("backward",)),
    "loss": (("forward", "calculate"), ("backward",)),
    "optimizer": (("update_params",),),
    "accuracy": (("compare", "calculate"),),
}


def is_own(unit: Any, kind: str) -> bool:
    """Return whether a reader has written one of the book's methods of a unit."""
    given = not isinstance(unit, (str, dict, type))
    return given and bool(overridden(unit, _METHODS[kind]))


def check_methods(unit: Any, kind: str) -> Any:
    """Return a unit that has the methods that the book's loop calls."""
    for either in _NEEDED[kind]:
        if not any(callable(getattr(unit, name, None)) for name in either):
            raise InputError(
                f"{kind}: {type(unit).__name__} must have the book's method "
                f"{' or '.join(either)}"
            )
    return unit


def checked_layers(layers: Any) -> tuple[Any, ...]:
    """Return layers, of the library or a reader's own, each once."""
    if not isinstance(layers, Iterable):
        return checked_units(layers, "layers")
    given = list(layers)
    own = [x for x in given if is_own(x, "layers") and not isinstance(x, Layer)]
    if not own:
        return checked_units(given, "layers")
    for layer in own:
        check_methods(layer, "layers")
    if others := [x for x in given if not any(x is layer for layer in own)]:
        checked_units(others, "layers")
    if len({id(x) for x in given}) < len(given):
        raise InputError("layers must contain each layer only once")
    return tuple(given)


def parts(layer: Any) -> list[Any]:
    """Return the layers inside a layer that hold no others."""
    return leaves(layer) if isinstance(layer, Layer) else [layer]


def walked(layer: Any, path: str) -> list[tuple[str, Any]]:
    """Return paths and units: a layer, and those inside."""
    return list(walk(layer, path)) if isinstance(layer, Layer) else [(path, layer)]


def parameter_names(layer: Any) -> list[str]:
    """Return the attributes of a layer that hold its parameters."""
    if isinstance(layer, Layer) and layer.parameters():
        return [*layer.parameters(), *layer.state()]
    return [name for name in ("weights", "biases") if hasattr(layer, name)]


def learns(layer: Any) -> bool:
    """Return whether a layer has parameters that are trained."""
    return bool(parameter_names(layer)) and getattr(layer, "trainable", True)


def method(unit: Any, name: str, base: type) -> Callable[..., Any]:
    """Return a method of a unit, or if it has none, that of the book's base."""
    found = getattr(unit, name, None)
    if found is None:
        found = functools.partial(getattr(base, name), unit)
    return found


def forward(layer: Any, inputs: Any, training: bool) -> Any:
    """Call ``forward`` of a layer, and return its output."""
    wanted = inspect.signature(layer.forward).parameters
    both = len(wanted) > 1 or any(p.kind is p.VAR_POSITIONAL for p in wanted.values())
    returned = layer.forward(inputs, training) if both else layer.forward(inputs)
    return _result(layer, returned, "forward", "output")


def backward(unit: Any, *arguments: Any) -> Any:
    """Call ``backward`` of a layer or loss, and return the gradient of its inputs."""
    return _result(unit, unit.backward(*arguments), "backward", "dinputs")


def predictions(layer: Any, outputs: Any) -> Any:
    """Return what the outputs of the last layer predict."""
    book = BOOK_CLASSES.get(library_class(layer), type(layer))
    if hasattr(layer, "predictions") or hasattr(book, "predictions"):
        return method(layer, "predictions", book)(outputs)
    return outputs


def update(optimizer: Any, layers: list[Any]) -> Any:
    """Take one step of an optimizer: of the book, of the library, or a reader's own.

    Returns the learning rate of the step, None if the optimizer names none.
    """
    if not hasattr(optimizer, "update_params"):
        if any(not isinstance(layer, Layer) for layer in layers):
            raise InputError(
                f"optimizer: {optimizer!r} cannot update layers of your own; use one "
                "of the book's, such as Optimizer_Adam"
            )
        rate = optimizer.current_learning_rate
        optimizer.step(*layers)
        return rate
    getattr(optimizer, "pre_update_params", _nothing)()
    for layer in layers:
        optimizer.update_params(layer)
    getattr(optimizer, "post_update_params", _nothing)()
    rate = getattr(optimizer, "current_learning_rate", None)
    return getattr(optimizer, "learning_rate", None) if rate is None else rate


def _nothing() -> None:
    pass


def _result(unit: Any, returned: Any, name: str, attribute: str) -> Any:
    """Return what a method has returned, or has left in an attribute."""
    found = getattr(unit, attribute, None) if returned is None else returned
    if library_of(found) is None:
        raise InputError(
            f"{name} of {type(unit).__name__} must set .{attribute}, or return an array"
        )
    return found
