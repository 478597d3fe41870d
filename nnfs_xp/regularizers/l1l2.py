"""Penalties on the size of parameters: on magnitudes, and on squares."""

from __future__ import annotations

from nnfs_xp.arguments import check_choice, check_rate
from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.registry import register
from nnfs_xp.regularizers.base import Regularizer
from nnfs_xp.special import sign

_MODES = ("exact", "book")


@register("regularizer")
class L1L2(Regularizer):
    """L1 and L2 penalty, ``l1 sum |w| + l2 sum w^2``.

    The gradient is ``l1 sign(w) + 2 l2 w``. The ``weight_decay`` of PyTorch's SGD is
    another form of the L2 penalty: it corresponds to ``2 l2``, but is not part of the
    loss.

    Parameters
    ----------
    l1, l2 : float, default 0
        Factors of the two sums, 0 or more.
    mode : {"exact", "book"}, default "exact"
        The derivative of ``|w|`` to use at ``w = 0``, where it is not defined.
        ``"exact"`` uses 0, the midpoint of the subgradients, so a parameter at 0 stays
        there. ``"book"`` uses +1, which moves the parameter in the negative direction
        by ``l1`` times the learning rate.

    Raises
    ------
    InputError
        If a factor is negative or not finite, or the mode is unknown.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 14.

    Examples
    --------
    >>> from nnfs_xp import Dense, L1L2, L2
    >>> L1L2(l1=0.5, l2=0.25)
    L1L2(l1=0.5, l2=0.25, mode='exact')
    >>> layer = Dense(2, 1, weight_regularizer=L2(0.5), dtype="float64")
    >>> layer.weights = [[3.0], [4.0]]
    >>> _ = layer.forward([[1.0, 1.0]])
    >>> _ = layer.backward([[0.0]])
    >>> layer.dweights.tolist()
    [[3.0], [4.0]]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, mode: str = "exact") -> None:
        self.l1 = check_rate(l1, "l1")
        self.l2 = check_rate(l2, "l2")
        self.mode = check_choice(mode, "mode", _MODES)

    def penalty(self, be: Backend, w: Array) -> Array:
        """Return ``l1 sum |w| + l2 sum w^2``."""
        return l1l2_penalty(be, w, self.l1, self.l2)

    def gradient(self, be: Backend, w: Array) -> Array:
        """Return ``l1 sign(w) + 2 l2 w``."""
        return _l1l2_gradient(be, w, self.l1, self.l2, self.mode)

    def add_gradient(self, be: Backend, gradient: Array, w: Array) -> Array:
        """Return ``gradient + l1 sign(w) + 2 l2 w``; may overwrite `gradient`."""
        if type(self).gradient is not L1L2.gradient:
            return super().add_gradient(be, gradient, w)
        return add_l1l2_gradient(be, gradient, w, self.l1, self.l2, self.mode)


@register("regularizer")
class L1(L1L2):
    """L1 penalty, ``l1 sum |w|``, which drives parameters to 0.

    Parameters
    ----------
    l1 : float, default 0.01
        Factor of the sum, 0 or more.
    mode : {"exact", "book"}, default "exact"
        The gradient at ``w = 0``; see `L1L2`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 14.

    Examples
    --------
    >>> from nnfs_xp import L1
    >>> L1(5e-4)
    L1(l1=0.0005, mode='exact')
    """

    def __init__(self, l1: float = 0.01, mode: str = "exact") -> None:
        super().__init__(l1=l1, mode=mode)


@register("regularizer")
class L2(L1L2):
    """L2 penalty, ``l2 sum w^2``, which shrinks large parameters.

    Parameters
    ----------
    l2 : float, default 0.01
        Factor of the sum, 0 or more.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 14.

    Examples
    --------
    >>> from nnfs_xp import L2
    >>> L2(5e-4)
    L2(l2=0.0005)
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


@portable
def l1l2_penalty(be: Backend, w: Array, l1: float, l2: float) -> Array:
    """Return ``l1 sum |w| + l2 sum w^2``, a 0-d array."""
    xp = be.xp
    penalty = be.zero
    if l1:
        penalty = penalty + l1 * xp.sum(xp.abs(w))
    if l2:
        penalty = penalty + l2 * xp.sum(w * w)
    return penalty


@portable
def add_l1l2_gradient(
    be: Backend, gradient: Array, w: Array, l1: float, l2: float, mode: str
) -> Array:
    """Return ``gradient + l1 sign(w) + 2 l2 w``; `gradient` may be overwritten.

    `mode` determines the sign of 0, as in `L1L2`.
    """
    return gradient + _l1l2_gradient(be, w, l1, l2, mode)


def _l1l2_gradient(be: Backend, w: Array, l1: float, l2: float, mode: str) -> Array:
    gradient = (2.0 * l2) * w
    if l1:
        if mode == "book":
            slope = 1.0 - 2.0 * be.xp.astype(w < 0, w.dtype)
        else:
            slope = sign(be, w)
        gradient = gradient + l1 * slope
    return gradient
