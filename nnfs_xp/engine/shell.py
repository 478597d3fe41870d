"""The book's way to call a unit: ``forward``, ``backward``, and attributes after them.

A unit that no model holds has a network of its own, made when it is first needed. A
call runs a program over the unit that stores inputs, outputs and gradients with every
unit inside, and never fuses anything.
"""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array, Backend, get_backend
from nnfs_xp.checks import check_array, check_inputs
from nnfs_xp.checks.inputs import several_inputs
from nnfs_xp.engine.context import RecordingContext
from nnfs_xp.engine.data import as_inputs
from nnfs_xp.engine.draws import HostDraws
from nnfs_xp.engine.layout import Shape
from nnfs_xp.engine.network import Network, units_of
from nnfs_xp.engine.program import Program
from nnfs_xp.engine.state import State, hold
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.placement import backend_for
from nnfs_xp.random import fresh_seed
from nnfs_xp.unit import check_arguments, check_not_overridden

# Methods of a unit that the engine does not call, and what it calls instead.
_SHELL = {"forward": "fwd(cx, x)", "backward": "bwd(cx, residuals, dy)"}


def check_units(unit: Any, *, called: bool = False) -> None:
    """Raise InputError if a unit, or one inside, is not written as it will be used.

    Parameters
    ----------
    unit : Layer
    called : bool, default False
        Whether the unit itself is called by ``forward`` and ``backward``, so that
        they may be overridden.
    """
    if not called:
        check_not_overridden(unit, _SHELL)
    for name, count in (("fwd", 2), ("bwd", 3)):
        check_arguments(unit, name, count)
    for child in unit.children.values():
        check_units(child)


def asked_backend_of(unit: Any) -> Backend | None:
    """Return the backend that a unit, or one inside, was made for.

    Raises
    ------
    BackendMismatchError
        If two of them were made for different ones.
    """
    first, *others = [u for u in units_of(unit) if u._backend is not None] or [unit]
    for other in others:
        if other._backend != first._backend:
            raise BackendMismatchError(
                f"{other!r} is on {other._backend}, and other units of {unit!r} on "
                f"{first._backend}"
            )
    return first._backend


def has_values(unit: Any) -> bool:
    """Return whether a unit, or one inside, has parameters or buffers."""
    return any(inner.parameters() or inner.state() for inner in units_of(unit))


def backend_of_unit(unit: Any) -> Backend | None:
    """Return where a unit computes; None while that is undecided."""
    if unit._home is not None:
        network, _ = unit._home
        if not network.standalone or has_values(unit):
            return network.backend
    asked = asked_backend_of(unit)
    if asked is None and has_values(unit):
        # Where the original of a copy computes.
        places = (inner._place for inner in units_of(unit))
        return next(filter(None, places), None) or get_backend()
    return asked


def home_of(unit: Any, be: Backend | None = None) -> tuple[Network, State]:
    """Return the network that a unit is part of, and its state.

    Parameters
    ----------
    unit : Layer
    be : Backend, optional
        Where to compute, for units without a backend of their own.
    """
    if unit._home is not None:
        network, _ = unit._home
        same = be is None or network.backend == be
        if not network.standalone or (same and network.is_current()):
            unit._home[1].lend()
            return unit._home
    be = be or backend_of_unit(unit) or get_backend()
    network = Network(unit, be, fresh_seed(), standalone=True)
    state = State(network)
    hold(state)
    return network, state


def values_of(unit: Any) -> dict[str, Array]:
    """Return the parameters of a unit and of those inside, by path within it."""
    if not has_values(unit):
        return {}
    network, state = home_of(unit)
    start = network.nodes[id(unit)].key("")
    return {
        path.removeprefix(start): value
        for path, value in state.parameters().items()
        if path.startswith(start)
    }


def value_of(unit: Any, name: str) -> Array:
    """Return a parameter or buffer of a unit by its name."""
    network, state = home_of(unit)
    return state.of_unit(network.nodes[id(unit)])[name]


def assign_value(unit: Any, name: str, value: Any) -> None:
    """Replace the values of a parameter or buffer.

    Raises
    ------
    InputError
        If they have another shape, or are not numbers.
    """
    network, state = home_of(unit)
    node, be = network.nodes[id(unit)], network.backend
    path = node.key(name)
    array = fitted(be, value, name, network.shape_of(path))
    # A copy, so that later changes of the given array do not affect the unit.
    state.assign(path, be.xp.asarray(array, copy=True))


def fitted(
    be: Backend, value: Any, name: str, shape: Shape, *, host_allowed: bool = False
) -> Array:
    """Return new values of a parameter in its shape.

    Biases of shape (1, n) may come as (n,), as they do in the first chapters of the
    book and in other libraries.
    """
    given = check_array(be, value, name, host_allowed=host_allowed)
    array = be.asarray(given, be.dtype)
    if tuple(array.shape) == shape[1:] and shape[:1] == (1,) and len(shape) == 2:
        array = be.xp.reshape(array, shape)
    if tuple(array.shape) != shape:
        raise InputError(f"{name} must have shape {shape}, got {tuple(array.shape)}")
    return array


def forward(unit: Any, inputs: Any, training: bool) -> Any:
    """Compute the output of a unit, and store with it what `backward` needs."""
    check_units(unit, called=True)
    training = check_flag(training, "training")
    first = inputs[0] if several_inputs(unit, inputs) else inputs
    be = backend_for(backend_of_unit(unit), first)
    network, state = home_of(unit, be)
    with be.context():
        x, ids, _ = check_inputs(be, unit, inputs, "inputs")
        x = as_inputs(be, x, ids)
        program = program_over(unit, network, training)
        draws = HostDraws(be, unit._draws)
        cx = program.begin(state.tree, draws)
        output, _ = cx.fwd(x)
        program.commit(state.tree)
    unit._draws += 1
    unit._program = program
    return output


def program_over(unit: Any, network: Network, training: bool) -> Program:
    """Return a program that stores with every unit what passes through it."""
    return Program(
        network, training=training, keeps=True, needs_dx=True,
        unit=unit, context=RecordingContext,
    )  # fmt: skip


def backward(unit: Any, dvalues: Any) -> Any:
    """Compute the gradients of a unit and of those inside, after `forward`."""
    program = unit._program
    if program is None:
        raise InputError("backward requires a forward pass before it")
    _, state = unit._home
    be = program.network.backend
    with be.context():
        dy = _gradient_of(be, dvalues, unit.output, "dvalues")
        cx = program.begin(state.tree)
        dinputs = cx.bwd(unit._residuals, dy)
        gradients, regularizers = program.run.gradients, program.network.regularizers
        for inner, node in program.contexts:
            for name in node.parameters:
                path = node.key(name)
                gradient, penalty = gradients.get(path), regularizers.get(path)
                if gradient is not None and penalty is not None:
                    values = program.arrays[path]
                    gradient = penalty.add_gradient(be, gradient, values)
                if gradient is not None:
                    setattr(inner.unit, f"d{name}", gradient)
    return dinputs


def _gradient_of(be: Backend, value: Any, output: Any, name: str) -> Any:
    """Return the gradient of an output, or of each of several, in its shape."""
    if isinstance(output, tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(output):
            raise InputError(f"{name} must hold {len(output)} arrays, one an output")
        return tuple(
            _gradient_of(be, own, one, f"{name}[{number}]")
            for number, (own, one) in enumerate(zip(value, output, strict=True))
        )
    dy = be.asarray(check_array(be, value, name), be.dtype)
    if tuple(dy.shape) != tuple(output.shape):
        raise InputError(
            f"{name} must have the output's shape {tuple(output.shape)}, "
            f"got {tuple(dy.shape)}"
        )
    return dy
