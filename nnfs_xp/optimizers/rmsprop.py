"""RMSprop: steps scaled by the recent size of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_decay, check_flag, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class RMSprop(Optimizer):
    """RMSprop: steps divided by the root of a running mean of squared gradients.

    ::

        s = rho * s + (1 - rho) * dw^2
        w -= learning_rate * dw / (sqrt(s) + epsilon)

    The running mean ``s`` starts at 0, and this bias is not corrected, so the first
    steps are up to ``1 / sqrt(1 - rho)`` times as long as later steps. With `centered`,
    a running mean of the gradient is also kept, and ``s - mean^2``, the variance of the
    gradient, replaces ``s`` inside the root.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        The default is the book's; PyTorch's is 0.01.
    rho : float, default 0.9
        Decay of the running mean, in [0, 1). PyTorch calls it ``alpha`` and uses 0.99.
    epsilon : float, default 1e-7
        0 or more. The default is the book's; PyTorch uses 1e-8, in the same place.
        Keras adds it inside the root.
    centered : bool, default False
        Whether to use the variance of the gradient instead of its mean square.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`; `decay` is that of the learning rate.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10. Hinton,
    "Neural Networks for Machine Learning", lecture 6e, 2012.

    Examples
    --------
    >>> from nnfs_xp import Dense, RMSprop
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> RMSprop(0.1, rho=0.75).step(layer)  # 2 - 0.1 / sqrt(1 - 0.75)
    >>> layer.weights.round(4)
    array([[1.8]])
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        epsilon: float = 1e-7,
        *,
        centered: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = check_decay(rho, "rho")
        self.epsilon = check_rate(epsilon, "epsilon")
        self.centered = check_flag(centered, "centered")

    def moments(self) -> tuple[str, ...]:
        """Return the names of the means of squares, and of gradients if needed."""
        return "mean_of_squares", *(("mean_of_gradients",) if self.centered else ())

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and means."""
        rate = state["learning_rate"]
        formula: Callable[..., Any] = centered_rmsprop if self.centered else rmsprop
        return formula(be, w, dw, *moments, rate, self.rho, self.epsilon)


@portable
def rmsprop(
    be: Backend,
    w: Array,
    dw: Array,
    s: Array,
    learning_rate: Array,
    rho: float,
    epsilon: float,
) -> tuple[Array, Array]:
    """Return new parameters and means; the old ones may be overwritten.

    `learning_rate` is a 0-d array.
    """
    s *= rho
    s += (1.0 - rho) * (dw * dw)
    w -= learning_rate * dw / (be.xp.sqrt(s) + epsilon)
    return w, s


@portable
def centered_rmsprop(
    be: Backend,
    w: Array,
    dw: Array,
    s: Array,
    mean: Array,
    learning_rate: Array,
    rho: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Return the results of `rmsprop` with the variance in place of the mean."""
    s *= rho
    s += (1.0 - rho) * (dw * dw)
    mean *= rho
    mean += (1.0 - rho) * dw
    # Rounding can make it negative if all gradients were the same.
    variance = be.xp.maximum(s - mean * mean, be.zero)
    w -= learning_rate * dw / (be.xp.sqrt(variance) + epsilon)
    return w, s, mean
