"""Lion: steps of equal length along the sign of a momentum."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_decay
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate
from nnfs_xp.special import sign


@register("optimizer")
class Lion(Optimizer):
    """Lion: each step is the sign of a momentum times the learning rate.

    ::

        w -= learning_rate * sign(beta_1 m + (1 - beta_1) dw)
        m = beta_2 m + (1 - beta_2) dw

    Lion stores one number for each parameter, whereas Adam stores two.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.0001
        The paper suggests a rate 3 to 10 times smaller than for `AdamW`. Keras's
        default is 0.001.
    beta_1, beta_2 : float, default 0.9 and 0.99
        Weight of the momentum in the step, and decay of the momentum, in [0, 1).
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`. The paper suggests a `weight_decay` 3 to 10 times
        larger than for `AdamW`.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023,
    algorithm 2.

    Examples
    --------
    >>> from nnfs_xp import Dense, Lion
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> Lion(0.25).step(layer)
    >>> layer.weights, layer.biases
    (array([[1.75]]), array([[-0.25]]))
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.0001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = check_decay(beta_1, "beta_1")
        self.beta_2 = check_decay(beta_2, "beta_2")

    def moments(self) -> tuple[str, ...]:
        """Return the name of the momentum."""
        return ("momentum",)

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and momentum."""
        rate = state["learning_rate"]
        return lion(be, w, dw, *moments, rate, self.beta_1, self.beta_2)


@portable
def lion(
    be: Backend,
    w: Array,
    dw: Array,
    m: Array,
    learning_rate: Array,
    beta_1: float,
    beta_2: float,
) -> tuple[Array, Array]:
    """Return new parameters and momentum; the old ones may be overwritten.

    `learning_rate` is a 0-d array.
    """
    ahead = beta_1 * m + (1.0 - beta_1) * dw
    w -= learning_rate * sign(be, ahead)
    m *= beta_2
    m += (1.0 - beta_2) * dw
    return w, m
