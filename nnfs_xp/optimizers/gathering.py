"""Parameters and gradients of layers that are used on their own."""

from __future__ import annotations

from collections.abc import Sequence

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_array
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.layers.nesting import leaves
from nnfs_xp.optimizers.clipping import Slots


def gather(layers: Sequence[Layer]) -> tuple[Backend, list[Layer], Slots, Slots]:
    """Return backend, layers with parameters, these and their gradients.

    A parameter's name is the number of its layer among those with parameters,
    a dot, and its own name.

    Raises
    ------
    InputError
        If there are no parameters, two backends, or a layer has no gradients
        yet, or of another shape than its parameters.
    """
    trained = [layer for layer in leaves(layers) if layer.initializers()]
    if not trained:
        raise InputError("layers must hold at least one with parameters")
    be = trained[0].backend
    assert be is not None
    parameters, gradients = {}, {}
    for index, layer in enumerate(trained):
        if layer.backend != be:
            raise BackendMismatchError(
                f"layers: {layer!r} is on {layer.backend}, and others on {be}"
            )
        for name, value in layer.params.items():
            parameters[f"{index}.{name}"] = value
            gradients[f"{index}.{name}"] = _gradient(be, layer, name, value)
    return be, trained, parameters, gradients


def _gradient(be: Backend, layer: Layer, name: str, parameter: Array) -> Array:
    """Return the gradient a layer holds of a parameter, or raise."""
    gradient = getattr(layer, "d" + name, None)
    if gradient is None:
        raise InputError(f"layers: {layer!r} has no gradients; call backward first")
    gradient = be.asarray(check_array(be, gradient, "d" + name), be.dtype)
    if gradient.shape != parameter.shape:
        raise InputError(
            f"d{name} must have shape {tuple(parameter.shape)}, "
            f"got {tuple(gradient.shape)}"
        )
    return gradient
