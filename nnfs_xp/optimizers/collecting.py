"""Parameters and gradients of layers used on their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_array
from nnfs_xp.engine.shell import home_of
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.optimizers.clipping import Slots

# The unit that a parameter belongs to, and its name there, by its key.
Owners = dict[str, tuple[Layer, str]]


def collect_gradients(layers: Sequence[Layer]) -> tuple[Backend, Slots, Slots, Owners]:
    """Return backend, parameters, gradients and owners of all trained units.

    A parameter's key is the number of its unit among those with parameters,
    a dot, and its own name.

    Raises
    ------
    InputError
        If there are no parameters, the layers are on two backends, or a layer has no
        gradients yet or gradients whose shapes differ from those of its parameters.
    """
    units = [unit for layer in layers for unit in _learning(layer)]
    if not units:
        raise InputError("layers must include at least one with parameters")
    be = units[0].backend
    assert be is not None
    parameters, gradients, owners = {}, {}, {}
    for index, unit in enumerate(units):
        if unit.backend != be:
            raise BackendMismatchError(
                f"layers: {unit!r} is on {unit.backend}, and others on {be}"
            )
        network, state = home_of(unit)
        values = state.of_unit(network.nodes[id(unit)])
        for name in unit.parameters():
            key = f"{index}.{name}"
            parameters[key] = values[name]
            gradients[key] = _gradient(be, unit, name, values[name])
            owners[key] = unit, name
    return be, parameters, gradients, owners


def constrain(be: Backend, parameters: Slots, owners: Owners) -> None:
    """Apply the constraints of the units to their parameters."""
    for key, (unit, name) in owners.items():
        network, _ = home_of(unit)
        constraint = network.constraints.get(network.nodes[id(unit)].key(name))
        if constraint is not None:
            be.assign(parameters, key, constraint.project(be, parameters[key]))


def put_back(parameters: Slots, owners: Owners) -> None:
    """Give units the new values of their parameters, if these are new arrays."""
    for key, (unit, name) in owners.items():
        network, state = home_of(unit)
        state.assign(network.nodes[id(unit)].key(name), parameters[key])


def _learning(layer: Layer) -> Iterator[Layer]:
    """Yield a unit and its inner units, if they have parameters that are not frozen."""
    if not layer.trainable:
        return
    if layer.parameters():
        yield layer
    for child in layer.children.values():
        yield from _learning(child)


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
