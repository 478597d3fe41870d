"""Stochastic gradient descent: plain, with momentum, or with Nesterov momentum."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_decay, check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.kernels import portable
from nnfs_xp.optimizers.base import Optimizer
from nnfs_xp.registry import register
from nnfs_xp.schedules.base import LearningRate


@register("optimizer")
class SGD(Optimizer):
    """Stochastic gradient descent, ``w -= learning_rate * dw``.

    With momentum, steps are computed from a velocity ``v``, which is 0 initially::

        v = momentum * v - learning_rate * dw
        w += v                                        the usual form
        w += momentum * v - learning_rate * dw        Nesterov's

    PyTorch multiplies by the learning rate last: ``v = momentum * v + dw`` and
    ``w -= learning_rate * v``. The result is the same as long as the learning rate does
    not change.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 1.0
        The default is the book's.
    momentum : float, default 0.0
        Decay of the velocity, in [0, 1). With 0, there is no velocity.
    nesterov : bool, default False
        Whether to use Nesterov momentum; requires a momentum above 0.
    decay, clip_value, clip_norm, weight_decay, undecayed, accumulate, ema
        Optional; see `Optimizer`. In PyTorch, `weight_decay` is part of the velocity.

    Raises
    ------
    InputError
        If an argument is out of range, or `nesterov` is used without momentum.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 10. Sutskever,
    Martens, Dahl and Hinton, "On the importance of initialization and momentum
    in deep learning", ICML 2013, in Keras's form, for Nesterov momentum.

    Examples
    --------
    >>> from nnfs_xp import Dense, SGD
    >>> layer = Dense(1, 1, dtype="float64")
    >>> layer.weights = [[2.0]]
    >>> _ = layer.forward([[3.0]])
    >>> _ = layer.backward([[1.0]])
    >>> SGD(0.1).step(layer)
    >>> layer.weights.round(6), layer.biases
    (array([[1.7]]), array([[-0.1]]))
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = check_decay(momentum, "momentum")
        self.nesterov = check_flag(nesterov, "nesterov")
        if self.nesterov and not self.momentum:
            raise InputError("nesterov needs a momentum above 0, got momentum=0.0")

    def moments(self) -> tuple[str, ...]:
        """Return the name of the velocity, if there is momentum."""
        return ("velocity",) if self.momentum else ()

    def rule(
        self, be: Backend, w: Array, dw: Array, state: dict[str, Any], *moments: Array
    ) -> tuple[Array, ...]:
        """Return new parameters, and the velocity, if there is one."""
        velocity = moments[0] if moments else None
        rate = state["learning_rate"]
        w, v = sgd(be, w, dw, velocity, rate, self.momentum, self.nesterov)
        return (w,) if v is None else (w, v)


@portable
def sgd(
    be: Backend,
    w: Array,
    dw: Array,
    v: Array | None,
    learning_rate: Array,
    momentum: float,
    nesterov: bool,
) -> tuple[Array, Array | None]:
    """Return new parameters and velocities; the old ones may be overwritten.

    `learning_rate` is a 0-d array. Without momentum, `v` is None.
    """
    move = learning_rate * dw
    if v is None:
        w -= move
        return w, None
    v *= momentum
    v -= move
    w += momentum * v - move if nesterov else v
    return w, v
