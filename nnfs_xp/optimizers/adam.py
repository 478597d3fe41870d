"""Adam: a running mean of the gradient, scaled by that of its square."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.moments import MomentOptimizer, moments_after, one_minus_power
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class Adam(MomentOptimizer):
    """Adam: the mean gradient, divided by the root of the mean squared gradient.

    Both means are running means. At step ``t``, counted from 1, for every parameter
    ``w``::

        m = beta_1 m + (1 - beta_1) dw          m^ = m / (1 - beta_1^t)
        v = beta_2 v + (1 - beta_2) dw^2        v^ = v / (1 - beta_2^t)
        w -= learning_rate * m^ / (sqrt(v^) + epsilon)

    With `amsgrad`, the largest ``v`` so far replaces ``v`` in ``v^``.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
        Decay of the two moment estimates, in [0, 1).
    epsilon : float, default 1e-7
        0 or more. The default is the book's; PyTorch uses 1e-8, in the same place.
        Keras and ONNX add it before the bias of ``v`` is corrected.
    amsgrad : bool, default False
        Whether to prevent steps from growing when ``v`` decreases. As in PyTorch, the
        largest ``v`` is taken before the bias correction; optax corrects first.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10. Kingma and
    Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1. Reddi,
    Kale and Kumar, "On the Convergence of Adam and Beyond", ICLR 2018, for `amsgrad`.

    Examples
    --------
    >>> from nnfs_xp import Adam
    >>> Adam(0.01)
    Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-07)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **common)
        self.amsgrad = check_flag(amsgrad, "amsgrad")

    def moments(self) -> tuple[str, ...]:
        """Return the names of both moments, and of the largest second one."""
        return "moment_1", "moment_2", *(("largest_moment_2",) if self.amsgrad else ())

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and moments."""
        changing = state["step"], state["learning_rate"]
        constants = self.beta_1, self.beta_2, self.epsilon
        formula: Callable[..., tuple[Array, ...]] = amsgrad if self.amsgrad else adam
        return formula(be, w, dw, *moments, *changing, *constants)


@portable
def adam(
    be: Backend,
    w: Array,
    dw: Array,
    m: Array,
    v: Array,
    step: Array,
    learning_rate: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, Array, Array]:
    """Return new parameters and moments; the old ones may be overwritten.

    `step` counts from 1. It and `learning_rate` are 0-d arrays.
    """
    m, v = moments_after(dw, m, v, beta_1, beta_2)
    w = _moved(be, w, m, v, step, learning_rate, beta_1, beta_2, epsilon)
    return w, m, v


@portable
def amsgrad(
    be: Backend,
    w: Array,
    dw: Array,
    m: Array,
    v: Array,
    largest: Array,
    step: Array,
    learning_rate: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Array, Array, Array, Array]:
    """Return the results of `adam` with the largest second moment in place of `v`."""
    m, v = moments_after(dw, m, v, beta_1, beta_2)
    largest = be.xp.maximum(largest, v)
    w = _moved(be, w, m, largest, step, learning_rate, beta_1, beta_2, epsilon)
    return w, m, v, largest


def _moved(
    be: Backend,
    w: Array,
    m: Array,
    v: Array,
    step: Array,
    learning_rate: Array,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Array:
    t = be.xp.astype(step, w.dtype)
    rate = learning_rate / one_minus_power(be, beta_1, t)
    correction = one_minus_power(be, beta_2, t)
    w -= rate * m / (be.xp.sqrt(v / correction) + epsilon)
    return w
