"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Backend
from nnfs_xp.optimizers.base import Optimizer, Slots
from nnfs_xp.registry import register


@register("optimizer")
class SGD(Optimizer):
    """Stochastic gradient descent, ``w -= learning_rate * dw``.

    Parameters
    ----------
    learning_rate : float, default 1.0
        Factor of every update; the default is the book's.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10.

    Examples
    --------
    >>> from nnfs_xp import Dense, SGD
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> SGD(0.1).step(layer)
    >>> layer.weights.round(6), layer.biases
    (array([[1.7]]), array([[-0.1]]))
    """

    def __init__(self, learning_rate: float = 1.0) -> None:
        super().__init__(learning_rate)

    def update(
        self, be: Backend, parameters: Slots, gradients: Slots, state: dict[str, Any]
    ) -> None:
        """Take one step against the gradient."""
        state["step"] += 1
        for key, gradient in gradients.items():
            parameters[key] -= state["learning_rate"] * gradient
