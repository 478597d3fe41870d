"""Adadelta: steps in the unit of the parameters."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_decay, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class Adadelta(Optimizer):
    """Adadelta: steps scaled by the ratio of earlier steps to earlier gradients.

    ::

        s = rho * s + (1 - rho) * dw^2
        step = dw * sqrt(d + epsilon) / sqrt(s + epsilon)
        d = rho * d + (1 - rho) * step^2
        w -= learning_rate * step

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 1.0
        The paper has no learning rate, which corresponds to 1. Keras's default is
        0.001.
    rho : float, default 0.95
        Decay of both running means, in [0, 1). The default is that of the paper and
        Keras; PyTorch uses 0.9.
    epsilon : float, default 1e-6
        0 or more, added inside both roots. It determines the length of the first steps.
        The default is that of the paper and PyTorch; Keras uses 1e-7. With 0, the
        parameters never change, since ``d`` starts at 0.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`; `decay` is that of the learning rate.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012, algorithm 1.

    Examples
    --------
    >>> from nnfs_xp import Adadelta, Dense
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> Adadelta(epsilon=0.01).step(layer)  # 2 - 3 * 0.1 / sqrt(0.05 * 9 + 0.01)
    >>> layer.weights.round(4)
    array([[1.5577]])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        rho: float = 0.95,
        epsilon: float = 1e-6,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = check_decay(rho, "rho")
        self.epsilon = check_rate(epsilon, "epsilon")

    def moments(self) -> tuple[str, ...]:
        """Return the names of the mean squares of gradients and of steps."""
        return "mean_of_squares", "mean_of_squared_steps"

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and means."""
        rate = state["learning_rate"]
        return adadelta(be, w, dw, *moments, rate, self.rho, self.epsilon)


@portable
def adadelta(
    be: Backend,
    w: Array,
    dw: Array,
    s: Array,
    d: Array,
    learning_rate: Array,
    rho: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Return new parameters and means; the old ones may be overwritten.

    `learning_rate` is a 0-d array.
    """
    s *= rho
    s += (1.0 - rho) * (dw * dw)
    step = dw * be.xp.sqrt((d + epsilon) / (s + epsilon))
    d *= rho
    d += (1.0 - rho) * (step * step)
    w -= learning_rate * step
    return w, s, d
