"""Which units of a model have arrays, and how these are taken and replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from nnfs_xp.errors import InputError
from nnfs_xp.layers import Layer, Sequential
from nnfs_xp.model import Model
from nnfs_xp.registry import library_class
from nnfs_xp.weights.channels import ordered
from nnfs_xp.weights.forms import Arrays, Form

Forms = Mapping[type, Form]


class Place(NamedTuple):
    """A unit with arrays.

    Attributes
    ----------
    path : str
        Of the unit in the model.
    unit : Layer
    form : Form
        How its arrays lie in the other library.
    own : dict of str to numpy.ndarray
        The arrays, by path within the unit.
    order : numpy.ndarray, optional
        That of the unit's features in the other library.
    """

    path: str
    unit: Layer
    form: Form
    own: Arrays
    order: np.ndarray | None = None

    def theirs(self) -> Arrays:
        """Return the arrays as the other library has them."""
        own = self.own
        if self.order is not None:
            own = ordered(self.unit, own, self.order)
        return self.form.out(self.unit, own)

    def taken(self, theirs: Arrays) -> Arrays:
        """Return arrays of the other library, by path in the model."""
        found = self.form.into(self.unit, theirs)
        if self.order is not None:
            found = ordered(self.unit, found, np.argsort(self.order))
        return {f"{self.path}.{name}": value for name, value in found.items()}


def places_of(
    model: Model,
    forms: Forms,
    library: str,
    orders: Mapping[int, np.ndarray] | None = None,
) -> list[Place]:
    """Return the units of a model that have arrays, in order.

    `orders` has that of the features of a unit in the other library, by its ``id``.

    Raises
    ------
    InputError
        If one has arrays, and no counterpart in the other library.
    """
    arrays = model._ready.export_values()

    def found(unit: Layer, path: str) -> Iterator[Place]:
        start = f"{path}." if path else ""
        form = forms.get(library_class(unit))
        own = {
            name.removeprefix(start): value
            for name, value in arrays.items()
            if name.startswith(start)
        }
        if own and form is not None:
            yield Place(path, unit, form, own, (orders or {}).get(id(unit)))
            return
        if any("." not in name for name in own):
            raise InputError(
                f"{type(unit).__name__} at {path} has arrays, {sorted(own)}, and no "
                f"counterpart in {library} is known"
            )
        for name, child in unit.children.items():
            yield from found(child, f"{start}{name}")

    return list(found(Sequential(model.layers), ""))


def checked_model(model: Any) -> Model:
    """Return a model, or raise InputError."""
    if not isinstance(model, Model):
        raise InputError(f"model must be a Model, got {model!r}")
    return model


def replace(model: Model, values: Arrays) -> None:
    """Replace all parameters and buffers of a model, given by path.

    Raises
    ------
    InputError
        If one holds what is not finite in the model's dtype; nothing is replaced then.
    """
    dtype = model.backend.dtype_name
    for key, value in values.items():
        with np.errstate(over="ignore"):
            finite = np.isfinite(value.astype(dtype)).all()
        if not finite:
            raise InputError(
                f"source: {key} must be finite in {dtype}, got NaN, infinity, or a "
                "number that is too large"
            )
    model.set_parameters(
        [
            tuple(values[node.key(name)] for name in node.shapes)
            for node in model._ready.network
            if node.shapes
        ]
    )


def on_host(array: Any, name: str) -> np.ndarray:
    """Return an array of any library as one of NumPy's.

    Raises
    ------
    InputError
        If it holds no real numbers.
    """
    try:
        if hasattr(array, "detach"):
            tensor = array.detach().cpu()
            # NumPy has no bfloat16.
            array = tensor.float() if tensor.dtype.itemsize == 2 else tensor
        host = np.asarray(array)
    # A tensor without values, or one that is sparse, and lists of many lengths.
    except (NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise InputError(
            f"{name} must hold real numbers, got what NumPy cannot read: {error}"
        ) from error
    if host.dtype.kind not in "iuf":
        raise InputError(f"{name} must hold real numbers, got dtype {host.dtype}")
    return host


def check_shape(
    name: str, found: np.ndarray, place: Place, expected: np.ndarray
) -> None:
    """Raise InputError unless an array has the shape that a unit needs."""
    if found.shape != expected.shape:
        raise InputError(
            f"{name} must have shape {expected.shape} for {place.unit!r} at "
            f"{place.path}, got {found.shape}"
        )
