"""LAMB: Adam, with steps scaled to the norm of each parameter."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.optimizers.moments import MomentOptimizer, moments_after, one_minus_power
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class LAMB(MomentOptimizer):
    """LAMB: Adam with steps proportional to the norm of each parameter array.

    At step ``t``, counted from 1, for every array of parameters ``w``::

        m = beta_1 m + (1 - beta_1) dw          m^ = m / (1 - beta_1^t)
        v = beta_2 v + (1 - beta_2) dw^2        v^ = v / (1 - beta_2^t)
        u = m^ / (sqrt(v^) + epsilon) + weight_decay * w
        w -= learning_rate * |w| / |u| * u

    ``|w|`` and ``|u|`` are Euclidean norms of the whole array. If one of them is 0, the
    quotient is set to 1. Each array therefore changes by the same fraction of its norm,
    which allows training with very large batches.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
        Decay of the two moment estimates, in [0, 1).
    epsilon : float, default 1e-6
        0 or more.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`. The weight decay is part of ``u``, as in the paper
        and optax; Keras decays the parameters before the step. For `undecayed`
        parameters, the quotient is also 1, as in the authors' implementation.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76
    minutes", ICLR 2020, algorithm 2.

    Examples
    --------
    >>> from nnfs_xp import LAMB, Dense
    >>> layer = Dense(2, 1, dtype="float64")
    >>> layer.weights = [[3.0], [4.0]]
    >>> _ = layer.forward([[1.0, 0.0]])
    >>> _ = layer.backward([[1.0]])
    >>> LAMB(0.1).step(layer)  # a step of length 0.1 * |w| = 0.5
    >>> layer.weights.round(4).tolist()
    [[2.5], [4.0]]
    """

    by_parameter = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **common)

    def shrink(self, be: Backend, *arguments: Any) -> None:
        """Leave the decay to `rule`."""

    def rule_of(self, path: str) -> Callable[..., tuple[Array, ...]]:
        """Return the rule for a parameter: Adam's where it does not decay."""
        return functools.partial(self.rule, adapts=self.decays(path))

    def rule(
        self,
        be: Backend,
        w: Array,
        dw: Array,
        state: dict[str, Any],
        *moments: Array,
        adapts: bool = True,
    ) -> tuple[Array, ...]:
        """Return new parameters and moments."""
        t, rate = be.xp.astype(state["step"], w.dtype), state["learning_rate"]
        m, v = moments
        m, v = moments_after(dw, m, v, self.beta_1, self.beta_2)
        root = be.xp.sqrt(v / one_minus_power(be, self.beta_2, t))
        u = m / one_minus_power(be, self.beta_1, t) / (root + self.epsilon)
        if adapts:
            u = u + self.weight_decay * w
            rate = rate * _quotient(be, w, u)
        w -= rate * u
        return w, m, v


def _quotient(be: Backend, w: Array, u: Array) -> Array:
    """Return ``|w| / |u|``, or 1 where one of them is 0."""
    xp = be.xp
    of_w, of_u = xp.sqrt(xp.sum(w * w)), xp.sqrt(xp.sum(u * u))
    both = xp.logical_and(of_w > 0, of_u > 0)
    return xp.where(both, of_w / of_u, be.constant(1.0))
