"""Nadam: Adam with Nesterov momentum."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.clipping import Slots
from nnfs_xp.optimizers.moments import MomentOptimizer, moments_after, one_minus_power
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class Nadam(MomentOptimizer):
    """Nadam: Adam with Nesterov momentum.

    At step ``t``, counted from 1, with the product ``P_t = mu_1 mu_2 ... mu_t``::

        mu_t = beta_1 * (1 - 0.5 * 0.96^(t * momentum_decay))
        m = beta_1 m + (1 - beta_1) dw
        v = beta_2 v + (1 - beta_2) dw^2              v^ = v / (1 - beta_2^t)
        m^ = mu_{t+1} m / (1 - P_{t+1}) + (1 - mu_t) dw / (1 - P_t)
        w -= learning_rate * m^ / (sqrt(v^) + epsilon)

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        PyTorch's default is 0.002.
    beta_1, beta_2 : float, default 0.9 and 0.999
        Decay of the two moment estimates, in [0, 1).
    epsilon : float, default 1e-7
        0 or more; PyTorch uses 1e-8, in the same place.
    momentum_decay : float, default 0.004
        How fast the momentum increases from ``beta_1 / 2`` to `beta_1`, 0 or more. The
        default is that of the paper and PyTorch; Keras uses 1. optax's ``nadam`` has no
        ``mu``: its momentum is always `beta_1`.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`; `decay` is that of the learning rate.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016, workshop track.

    Examples
    --------
    >>> from nnfs_xp import Dense, Nadam
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> Nadam(0.1).step(layer)
    >>> layer.weights.round(4)
    array([[1.8944]])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        momentum_decay: float = 0.004,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **common)
        self.momentum_decay = check_rate(momentum_decay, "momentum_decay")

    def init(self, be: Backend, parameters: Slots) -> dict[str, Any]:
        """Return the state before the first step, with an empty product."""
        state = super().init(be, parameters)
        with be.context():
            state["product"] = be.constant(1.0)
        return state

    def apply(
        self, be: Backend, parameters: Slots, gradients: Slots, state: dict[str, Any]
    ) -> None:
        """Multiply the product by the momentum of this step, and apply `rule`."""
        changing = state["product"], state["step"]
        product = nadam_product(be, *changing, self.beta_1, self._fading)
        be.assign(state, "product", product)
        super().apply(be, parameters, gradients, state)

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and moments."""
        changing = state["step"], state["product"], state["learning_rate"]
        constants = self.beta_1, self.beta_2, self.epsilon, self._fading
        return nadam(be, w, dw, *moments, *changing, *constants)

    @property
    def _fading(self) -> float:
        """Logarithm of the factor by which half of the momentum fades per step."""
        return self.momentum_decay * math.log(0.96)


@portable
def nadam(
    be: Backend,
    w: Array,
    dw: Array,
    m: Array,
    v: Array,
    step: Array,
    product: Array,
    learning_rate: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    fading: float,
) -> tuple[Array, Array, Array]:
    """Return new parameters and moments; the old ones may be overwritten.

    `step` counts from 1. It, the `product` up to this step, and `learning_rate` are
    0-d arrays. `fading` is the logarithm of the factor by which half of the momentum
    fades.
    """
    t = be.xp.astype(step, w.dtype)
    mu, following = (_mu(be, s, beta_1, fading) for s in (t, t + 1.0))
    m, v = moments_after(dw, m, v, beta_1, beta_2)
    ahead = following / (1.0 - product * following) * m
    ahead = ahead + (1.0 - mu) / (1.0 - product) * dw
    correction = one_minus_power(be, beta_2, t)
    w -= learning_rate * ahead / (be.xp.sqrt(v / correction) + epsilon)
    return w, m, v


@portable
def nadam_product(
    be: Backend, product: Array, step: Array, beta_1: float, fading: float
) -> Array:
    """Return the product of momenta up to a step, given that up to the previous one."""
    t = be.xp.astype(step, product.dtype)
    return product * _mu(be, t, beta_1, fading)


def _mu(be: Backend, t: Array, beta_1: float, fading: float) -> Array:
    """Return the momentum of a step, 0-d."""
    return beta_1 * (1.0 - 0.5 * be.xp.exp(t * fading))
