"""AdamW: Adam with separate weight decay."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.adam import Adam, adam
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class AdamW(Adam):
    """Adam with decoupled weight decay.

    Before each step of Adam::

        w *= 1 - learning_rate * weight_decay

    The gradient of an L2 penalty is scaled by Adam, together with the gradient of the
    loss. Decoupled weight decay shrinks every parameter by the same fraction, and is
    not part of the loss. As in PyTorch, all parameters decay, even biases, except those
    named in `undecayed`.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
    epsilon : float, default 1e-7
        See `Adam`.
    weight_decay : float, default 0.01
        0 or more; the default is PyTorch's.
    amsgrad : bool, default False
        See `Adam`.
    decay, clip_value, clip_norm, undecayed, accumulate, ema
        Optional; see `Optimizer`; `decay` is that of the learning rate.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019,
    algorithm 2, with the learning rate as its schedule, as in PyTorch.

    Examples
    --------
    >>> from nnfs_xp import AdamW, Dense
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[0.0]])
    >>> _ = layer.backward([[1.0]])
    >>> AdamW(0.1, weight_decay=0.5).step(layer)
    >>> layer.weights.round(6), layer.biases.round(6)
    (array([[1.9]]), array([[-0.1]]))
    >>> AdamW(0.1, undecayed=("biases", "gamma", "beta")).decays("0.biases")
    False
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float = 0.01,
        **common: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, weight_decay=weight_decay, **common
        )

    @property
    def _at_once(self) -> bool:
        return not self.undecayed and not self.amsgrad

    def shrink(self, be: Backend, *arguments: Any) -> None:
        """Decay the parameters, if `rule` does not."""
        if not self._at_once:
            super().shrink(be, *arguments)

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return decayed and updated parameters, and moments."""
        if not self._at_once:
            return super().rule(be, w, dw, state, *moments)
        changing = state["step"], state["learning_rate"]
        constants = self.beta_1, self.beta_2, self.epsilon, self.weight_decay
        return adamw(be, w, dw, *moments, *changing, *constants)


@portable
def adamw(
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
    weight_decay: float,
) -> tuple[Array, Array, Array]:
    """Return the results of `adam`, after the parameters have decayed."""
    # As a difference, because float32 rounds the factor: 1 - 1e-6 is 1 - 1.01e-6.
    w -= (learning_rate * weight_decay) * w
    return adam(be, w, dw, m, v, step, learning_rate, beta_1, beta_2, epsilon)
