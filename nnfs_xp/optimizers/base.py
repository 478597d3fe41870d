"""The shell around an optimizer's pure pair of functions.

An author writes ``init(be, parameters) -> state`` and ``update(be,
parameters, gradients, state)``. All three are dicts of arrays whose slots are
written to: in place where arrays allow it, by a new array in the slot where
they do not. The arrays may be those of single parameters, or one flat buffer
with all of them; an elementwise formula does not see the difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.layers.base import Layer

Slots = dict[str, Array]


class Optimizer:
    """Base of all optimizers.

    Parameters
    ----------
    learning_rate : float
        Factor of every update, 0 or more.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = check_rate(learning_rate, "learning_rate")
        self._layers: Sequence[Layer] = ()
        self._state: dict[str, Any] = {}

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
            If the layers change, or one has no gradients yet.
        """
        if self._layers and list(map(id, layers)) != list(map(id, self._layers)):
            raise InputError("layers must be the same ones at every step")
        layers = tuple(layers)
        trained = [layer for layer in layers if layer.initializers()]
        if not trained:
            raise InputError("layers must hold at least one with parameters")
        parameters, gradients = {}, {}
        for index, layer in enumerate(trained):
            for name, value in layer.params.items():
                gradient = getattr(layer, "d" + name, None)
                if gradient is None:
                    raise InputError(
                        f"layers: {layer!r} has no gradients; call backward first"
                    )
                parameters[f"{index}.{name}"] = value
                gradients[f"{index}.{name}"] = gradient
        be = trained[0].backend
        assert be is not None
        if not self._layers:
            self._layers, self._state = layers, self.init(be, parameters)
        with be.context():
            self.update(be, parameters, gradients, self._state)
        for index, layer in enumerate(trained):
            for name in layer.params:
                layer.params[name] = parameters[f"{index}.{name}"]

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.config().items())
        return f"{type(self).__name__}({arguments})"


def check_rate(value: float, name: str) -> float:
    """Return a finite number of 0 or more, or raise InputError."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value < 0
    ):
        raise InputError(f"{name} must be a finite number of 0 or more, got {value!r}")
    return float(value)


def check_decay(value: float, name: str) -> float:
    """Return a number from 0 up to, not including, 1, or raise InputError."""
    if check_rate(value, name) >= 1:
        raise InputError(f"{name} must be less than 1, got {value!r}")
    return float(value)
