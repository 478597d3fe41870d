"""The base of Adam and its variants: settings, and the moments of gradients."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_decay, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.schedules.base import LearningRate


class MomentOptimizer(Optimizer):
    """An optimizer with two decay rates and an epsilon, such as `Adam`."""

    def __init__(
        self,
        learning_rate: LearningRate,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta_1 = check_decay(beta_1, "beta_1")
        self.beta_2 = check_decay(beta_2, "beta_2")
        self.epsilon = check_rate(epsilon, "epsilon")

    def moments(self) -> tuple[str, ...]:
        """Return the names of both moments."""
        return "moment_1", "moment_2"


def moments_after(
    dw: Array, m: Array, v: Array, beta_1: float, beta_2: float
) -> tuple[Array, Array]:
    """Return both moments updated with a gradient; the old ones may be overwritten."""
    m *= beta_1
    m += (1.0 - beta_1) * dw
    v *= beta_2
    v += (1.0 - beta_2) * (dw * dw)
    return m, v


def one_minus_power(be: Backend, beta: float, t: Array) -> Array:
    """Return ``1 - beta^t`` without the cancellation that float32 suffers."""
    if beta == 0.0:
        return be.xp.ones_like(t)
    return -be.xp.expm1(t * math.log(beta))
