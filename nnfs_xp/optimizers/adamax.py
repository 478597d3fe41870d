"""Adamax: Adam, scaled by the largest recent gradient."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.moments import MomentOptimizer, one_minus_power
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class Adamax(MomentOptimizer):
    """Adamax: Adam with a decaying maximum instead of the mean of squares.

    At step ``t``, counted from 1::

        m = beta_1 m + (1 - beta_1) dw
        u = max(beta_2 u, |dw| + epsilon)
        w -= learning_rate / (1 - beta_1^t) * m / u

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        PyTorch's default is 0.002.
    beta_1, beta_2 : float, default 0.9 and 0.999
        Decay of the mean and of the maximum, in [0, 1).
    epsilon : float, default 1e-7
        0 or more; the paper has none. PyTorch and optax use 1e-8, in the same place.
        Keras adds it to ``u`` in the division.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015,
    algorithm 2.

    Examples
    --------
    >>> from nnfs_xp import Adamax, Dense
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> Adamax(0.1).step(layer)
    >>> layer.weights.round(4)
    array([[1.9]])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **common)

    def moments(self) -> tuple[str, ...]:
        """Return the names of the mean and of the largest magnitude."""
        return "moment_1", "largest"

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters, means and largest magnitudes."""
        changing = state["step"], state["learning_rate"]
        constants = self.beta_1, self.beta_2, self.epsilon
        return adamax(be, w, dw, *moments, *changing, *constants)


@portable
def adamax(
    be: Backend,
    w: Array,
    dw: Array,
    m: Array,
    u: Array,
    step: Array,
    learning_rate: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Return new parameters, means and largest magnitudes, perhaps in the old ones.

    `step` counts from 1. It and `learning_rate` are 0-d arrays.
    """
    t = be.xp.astype(step, w.dtype)
    rate = learning_rate / one_minus_power(be, beta_1, t)
    m *= beta_1
    m += (1.0 - beta_1) * dw
    u = be.xp.maximum(beta_2 * u, be.xp.abs(dw) + epsilon)
    w -= rate * m / u
    return w, m, u
