"""Adagrad: smaller steps where gradients have been large."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.optimizers.clipping import Slots
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class Adagrad(Optimizer):
    """Adagrad: steps divided by the root of the sum of squared gradients.

    ::

        s += dw^2
        w -= learning_rate * dw / (sqrt(s) + epsilon)

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 1.0
        The default is the book's; PyTorch's is 0.01.
    epsilon : float, default 1e-7
        0 or more. The default is the book's; PyTorch uses 1e-10, in the same place.
        Keras adds it inside the root.
    initial_accumulator : float, default 0.0
        Initial value of ``s``, 0 or more. A larger value shortens the first steps.
        Keras uses 0.1.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`; `decay` is PyTorch's ``lr_decay``.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10. Duchi,
    Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization", JMLR 12, 2011.

    Examples
    --------
    >>> from nnfs_xp import Adagrad, Dense
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> optimizer = Adagrad(0.1)
    >>> for _ in range(2):  # 2 - 0.1 - 0.1 / sqrt(2)
    ...     optimizer.step(layer)
    >>> layer.weights.round(4)
    array([[1.8293]])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        epsilon: float = 1e-7,
        *,
        initial_accumulator: float = 0.0,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.epsilon = check_rate(epsilon, "epsilon")
        self.initial_accumulator = check_rate(
            initial_accumulator, "initial_accumulator"
        )

    def init(self, be: Backend, parameters: Slots) -> dict[str, Any]:
        """Return the state before the first step."""
        state = super().init(be, parameters)
        with be.context():
            for key, s in state["sum_of_squares"].items():
                start = be.xp.full_like(s, self.initial_accumulator)
                be.assign(state["sum_of_squares"], key, start)
        return state

    def moments(self) -> tuple[str, ...]:
        """Return the names of the sums of squares."""
        return ("sum_of_squares",)

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and sums."""
        rate = state["learning_rate"]
        return adagrad(be, w, dw, *moments, rate, self.epsilon)


@portable
def adagrad(
    be: Backend, w: Array, dw: Array, s: Array, learning_rate: Array, epsilon: float
) -> tuple[Array, Array]:
    """Return new parameters and sums; the old ones may be overwritten.

    `learning_rate` is a 0-d array.
    """
    s += dw * dw
    w -= learning_rate * dw / (be.xp.sqrt(s) + epsilon)
    return w, s
