"""Muon: steps along an orthogonalized momentum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from nnfs_xp.arguments import check_decay, check_flag, check_names, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.optimizers.adam import adam
from nnfs_xp.optimizers.base import Optimizer, is_named
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate

# A polynomial that is steep at 0, and how many times it is applied.
_COEFFICIENTS = 3.4445, -4.7750, 2.0315
_TIMES = 5
# Steps are made as long as those of Adam usually are.
_LENGTH = 0.2


@register("optimizer")
class Muon(Optimizer):
    """Muon: weight matrices take steps along their orthogonalized momentum.

    For every matrix ``w`` of shape ``(n, k)``, where both n and k are above 1::

        m = momentum * m + (1 - momentum) * dw
        u = momentum * m + (1 - momentum) * dw      Nesterov's; else u = m
        w -= learning_rate * 0.2 * sqrt(max(n, k)) * orthogonal(u)

    ``orthogonal`` is an approximation. It starts with ``x = u / |u|``, where ``|u|`` is
    the Frobenius norm, and replaces x with ``a x + (b x x^T + c (x x^T)^2) x`` five
    times, which moves all singular values close to 1. All other parameters are updated
    by `Adam`.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
        A learning rate that is suitable for `Adam` is also suitable here.
    momentum : float, default 0.95
        Decay of the momentum, in [0, 1).
    nesterov : bool, default True
        Whether to use Nesterov momentum.
    others : sequence of str, default ()
        Names or full paths of matrices that are also updated by Adam. The author of
        Muon suggests the matrices of embeddings and of the last layer.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-7
        Arguments of `Adam`.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`. PyTorch's default for `weight_decay` is 0.1.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with
    the step length of Liu et al., "Muon is Scalable for LLM Training", 2025. PyTorch's
    ``Muon(adjust_lr_fn="match_rms_adamw")`` is the same, but computes ``orthogonal`` in
    bfloat16. Keras does not multiply ``dw`` by ``1 - momentum``; optax corrects the
    bias of the momentum as Adam does.

    Examples
    --------
    >>> from nnfs_xp import Dense, Muon
    >>> layer = Dense(2, 2, dtype="float64")
    >>> layer.weights = [[0.0, 0.0], [0.0, 0.0]]
    >>> _ = layer.forward([[3.0, 0.0], [0.0, 1.0]])
    >>> _ = layer.backward([[1.0, 0.0], [0.0, 1.0]])
    >>> Muon(1.0).step(layer)  # about 0.2 * sqrt(2) on the diagonal
    >>> layer.weights.round(2).tolist()
    [[-0.21, 0.0], [0.0, -0.32]]
    """

    by_parameter = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        momentum: float = 0.95,
        *,
        nesterov: bool = True,
        others: Sequence[str] = (),
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = check_decay(momentum, "momentum")
        self.nesterov = check_flag(nesterov, "nesterov")
        self.others = check_names(others, "others")
        self.beta_1 = check_decay(beta_1, "beta_1")
        self.beta_2 = check_decay(beta_2, "beta_2")
        self.epsilon = check_rate(epsilon, "epsilon")

    def moments(self) -> tuple[str, ...]:
        """Return the names of both moments; matrices need the first one only."""
        return "moment_1", "moment_2"

    def rule_of(self, path: str) -> Callable[..., tuple[Array, ...]]:
        """Return the rule for a parameter: Adam's for those in `others`."""
        return self._adam if is_named(path, self.others) else self.rule

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters and moments."""
        if w.ndim != 2 or min(w.shape) < 2:
            return self._adam(be, w, dw, state, *moments)
        m, v = moments
        m *= self.momentum
        m += (1.0 - self.momentum) * dw
        ahead = self.momentum * m + (1.0 - self.momentum) * dw
        length = _LENGTH * math.sqrt(max(w.shape))
        direction = orthogonal(be, ahead if self.nesterov else m)
        w -= (state["learning_rate"] * length) * direction
        return w, m, v

    def _adam(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        changing = state["step"], state["learning_rate"]
        constants = self.beta_1, self.beta_2, self.epsilon
        return adam(be, w, dw, *moments, *changing, *constants)


def orthogonal(be: Backend, u: Array) -> Array:
    """Return a matrix with the singular vectors of `u` and singular values near 1."""
    xp, (a, b, c) = be.xp, _COEFFICIENTS
    wide = u.shape[0] <= u.shape[1]
    x = u if wide else xp.matrix_transpose(u)
    x = x / xp.maximum(xp.sqrt(xp.sum(x * x)), be.constant(1e-7))
    for _ in range(_TIMES):
        square = be.full_matmul(x, xp.matrix_transpose(x))
        inner = b * square + c * be.full_matmul(square, square)
        x = a * x + be.full_matmul(inner, x)
    return x if wide else xp.matrix_transpose(x)
