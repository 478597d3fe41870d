"""The shell around an optimizer's pure pair of functions.

An author writes ``init(be, parameters) -> state`` and ``update(be,
parameters, gradients, state)``. All three are dicts of arrays whose slots are
written to: in place where arrays allow it, by a new array in the slot where
they do not. The arrays may be those of single parameters, or one flat buffer
with all of them; an elementwise formula does not see the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnfs_xp.arguments import check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.checks import check_array
from nnfs_xp.errors import BackendMismatchError, InputError
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import describe

Slots = dict[str, Array]


class Optimizer:
    """Base of all optimizers.

    Parameters
    ----------
    learning_rate : float
        Factor of every update, 0 or more.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self._rate_written: float | None = None
        self._layers: Sequence[Layer] = ()
        self._state: dict[str, Any] = {}

    @property
    def learning_rate(self) -> float:
        """The learning rate; a new one holds from the next ``fit`` or ``step``."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = check_rate(value, "learning_rate")

    def write_rate(
        self, be: Backend, state: dict[str, Any], written: float | None
    ) -> float:
        """Write the learning rate to a state, if it is not the one `written` last.

        Returns
        -------
        float
            What is written now. A state whose rate a schedule has moved keeps it
            until the user sets another.
        """
        if self.learning_rate != written:
            with be.context():
                be.assign(state, "learning_rate", be.constant(self.learning_rate))
        return self.learning_rate

    # The pure pair, written by the author of an optimizer.

    def init(self, be: Backend, parameters: Slots) -> dict[str, Any]:
        """Return the state before the first step.

        Learning rate and step counter are 0-d arrays: a Python number would
        be frozen into a compiled step.
        """
        with be.context():
            return {
                "learning_rate": be.constant(self.learning_rate),
                "step": be.zeros((), be.xp.int32),
            }

    def update(
        self, be: Backend, parameters: Slots, gradients: Slots, state: dict[str, Any]
    ) -> None:
        """Take one step: write new values to the slots."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {"learning_rate": self.learning_rate}

    # The shell.

    def step(self, *layers: Layer) -> None:
        """Update layers that are used on their own, after their ``backward``.

        Parameters
        ----------
        *layers : Layer
            The same layers, in the same order, at every call. Those without
            parameters may be left out.

        Raises
        ------
        InputError
            If the layers change or are on two backends, or one has no
            gradients yet, or of another shape than its parameters.
        """
        if self._layers and list(map(id, layers)) != list(map(id, self._layers)):
            raise InputError("layers must be the same ones at every step")
        layers = tuple(layers)
        trained = [layer for layer in layers if layer.initializers()]
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
        if not self._layers:
            self._layers, self._state = layers, self.init(be, parameters)
        self._rate_written = self.write_rate(be, self._state, self._rate_written)
        with be.context():
            self.update(be, parameters, gradients, self._state)
            if not be.in_place:
                for index, layer in enumerate(trained):
                    for name in layer.initializers():
                        layer.replace_parameter(name, parameters[f"{index}.{name}"])

    def __repr__(self) -> str:
        return describe(self)


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
