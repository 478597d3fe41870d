"""The book's optimizers, called layer by layer.

Their caches stay in the optimizer, not on the layers: another optimizer for the
same layers begins with caches of its own.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from nnfs_xp.backends import Array, Backend, backend_of, library_of
from nnfs_xp.book.names import stands_for
from nnfs_xp.book.settings import AnyAttributes, moved
from nnfs_xp.engine.shell import home_of
from nnfs_xp.engine.state import State
from nnfs_xp.errors import InputError
from nnfs_xp.layers import Layer
from nnfs_xp.optimizers.adagrad import Adagrad
from nnfs_xp.optimizers.adam import Adam
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.optimizers.clipping import Slots
from nnfs_xp.optimizers.collecting import Owners, collect_gradients, constrain, put_back
from nnfs_xp.optimizers.rmsprop import RMSprop
from nnfs_xp.optimizers.sgd import SGD


class BookOptimizer(AnyAttributes, Optimizer):
    """What all optimizers of the book share: three calls for each step.

    Attributes
    ----------
    current_learning_rate : float
        The learning rate with its decay, since the last `pre_update_params`.
    iterations : int
        Steps so far, counted by `post_update_params`.
    """

    _current: float | None = None
    # A rate that was set by hand, after the one that it replaces.
    _by_hand: tuple[float, float] | None = None
    _decay: float = 0.0

    @property
    def current_learning_rate(self) -> float:
        """The learning rate with its decay."""
        return self.rate_at(0) if self._current is None else self._current

    @current_learning_rate.setter
    def current_learning_rate(self, value: float) -> None:
        self._current, self._by_hand = value, (super().rate_at(self.iterations), value)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, also one that was set by hand.

        As in the book, that holds if there is no decay, until there is another rate.
        """
        rate = super().rate_at(step)
        planned, value = self._by_hand or (None, rate)
        return rate if self.decay or rate != planned else value

    def pre_update_params(self) -> None:
        """Compute the learning rate of this step."""
        self._current = self.rate_at(self.iterations)

    def update_params(self, layer: Any) -> None:
        """Update the parameters of one layer, after its ``backward``.

        Parameters
        ----------
        layer : Layer or object
            A layer with parameters and gradients; of a reader's own class, one with
            ``weights``, ``biases`` or both, and ``dweights`` and ``dbiases``.
        """
        declared = isinstance(layer, Layer) and bool(layer.parameters())
        owners: Owners = {}
        if declared:
            for name in layer.parameters():
                if (gradient := getattr(layer, f"d{name}", None)) is not None:
                    setattr(layer, f"d{name}", moved(layer.backend, gradient))
            be, parameters, gradients, owners = collect_gradients([layer])
        else:
            be, parameters, gradients = _attributes_of(layer)
        with be.context():
            state = self._state_of(layer, be, parameters, owners)
            rate = be.constant(self.current_learning_rate)
            be.assign(state, "learning_rate", rate)
            be.assign(state, "step", be.asarray(self.iterations, "int32"))
            constraints = functools.partial(constrain, be, parameters, owners)
            self.update(be, parameters, gradients, state, constrain=constraints)
            if not declared:
                for name, value in parameters.items():
                    setattr(layer, name, value)
            elif not be.in_place:
                put_back(parameters, owners)

    def _state_of(
        self, layer: Any, be: Backend, parameters: Slots, owners: Owners
    ) -> dict[str, Any]:
        """Return the caches for a layer, at first those that its model has for it."""
        # A list, not a dict by id, so that copies of optimizer and layers fit together.
        states = vars(self).setdefault("_states_by_layer", [])
        for known, state, _ in states:
            if known is layer:
                return state
        state = self.init(be, parameters)
        for key, (unit, name) in owners.items():
            network, held = home_of(unit)
            path = network.nodes[id(unit)].key(name)
            for moment in self.moments() if network.optimizer is self else ():
                cached = network.learned.views(held.tree["optimizer"][moment])
                if path in cached:
                    be.assign(state[moment], key, cached[path])
        states.append((layer, state, owners))
        return state

    def post_update_params(self) -> None:
        """Count the step."""
        self.iterations += 1


def hand_over(optimizer: BookOptimizer, state: State) -> None:
    """Let a model go on from the steps that were taken by hand, with their caches."""
    be, nodes = state.network.backend, state.network.nodes
    named = {"optimizer.step": np.asarray(optimizer.iterations)}
    others = []
    for layer, caches, owners in vars(optimizer).pop("_states_by_layer", []):
        if not owners or any(id(unit) not in nodes for unit, _ in owners.values()):
            others.append((layer, caches, owners))
            continue
        for key, (unit, name) in owners.items():
            for moment in optimizer.moments():
                path = f"optimizer.{moment}.{nodes[id(unit)].key(name)}"
                named[path] = be.to_numpy(caches[moment][key])
    vars(optimizer)["_states_by_layer"] = others
    if len(named) > 1 or optimizer.iterations != state.counters.optimizer_steps:
        with be.context():
            state.restore_learning(named, complete=False)


def _attributes_of(layer: Any) -> tuple[Backend, dict[str, Array], dict[str, Array]]:
    """Return parameters and gradients of a layer that has them as attributes."""
    name = type(layer).__name__
    found = [key for key in ("weights", "biases") if hasattr(layer, key)]
    if not found:
        raise InputError(f"{name} has neither weights nor biases to update")
    if library_of(first := getattr(layer, found[0])) is None:
        raise InputError(f"{found[0]} of {name} must be an array, got {first!r}")
    be = backend_of(first)
    parameters, gradients = {}, {}
    for key in found:
        parameters[key] = be.asarray(getattr(layer, key), be.dtype)
        gradient = getattr(layer, f"d{key}", None)
        if gradient is None:
            raise InputError(f"{name} has no d{key}, which its backward must set")
        gradients[key] = be.asarray(gradient, be.dtype)
        wanted = tuple(parameters[key].shape)
        if tuple(gradients[key].shape) != wanted:
            raise InputError(
                f"d{key} of {name} must have the shape of {key}, {wanted}, "
                f"got {tuple(gradients[key].shape)}"
            )
    return be, parameters, gradients


@stands_for(SGD)
class Optimizer_SGD(BookOptimizer, SGD):
    """`nnfs_xp.SGD` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 1.0
    decay : float, default 0
    momentum : float, default 0

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> optimizer = nnfs.Optimizer_SGD(decay=1.0, momentum=0.9)
    >>> optimizer.post_update_params()
    >>> optimizer.pre_update_params()
    >>> optimizer.current_learning_rate
    0.5
    """

    def __init__(
        self, learning_rate: float = 1.0, decay: float = 0.0, momentum: float = 0.0
    ) -> None:
        super().__init__(learning_rate, momentum=momentum, decay=decay)


@stands_for(Adagrad)
class Optimizer_Adagrad(BookOptimizer, Adagrad):
    """`nnfs_xp.Adagrad` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 1.0
    decay : float, default 0
    epsilon : float, default 1e-7

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Optimizer_Adagrad(decay=1e-4).decay
    0.0001
    """

    def __init__(
        self, learning_rate: float = 1.0, decay: float = 0.0, epsilon: float = 1e-7
    ) -> None:
        super().__init__(learning_rate, epsilon, decay=decay)


@stands_for(RMSprop)
class Optimizer_RMSprop(BookOptimizer, RMSprop):
    """`nnfs_xp.RMSprop` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 0.001
    decay : float, default 0
    epsilon : float, default 1e-7
    rho : float, default 0.9

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Optimizer_RMSprop(learning_rate=0.02, decay=1e-5, rho=0.999).rho
    0.999
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        rho: float = 0.9,
    ) -> None:
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, decay=decay)


@stands_for(Adam)
class Optimizer_Adam(BookOptimizer, Adam):
    """`nnfs_xp.Adam` under the book's name.

    Parameters
    ----------
    learning_rate : float, default 0.001
    decay : float, default 0
    epsilon : float, default 1e-7
    beta_1, beta_2 : float, default 0.9 and 0.999

    Examples
    --------
    >>> import nnfs_xp.book as nnfs
    >>> nnfs.Optimizer_Adam(learning_rate=0.05, decay=5e-7).learning_rate
    0.05
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, decay=decay)
