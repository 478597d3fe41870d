"""Kullback-Leibler divergence of predicted from target probabilities."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import floor_probabilities
from nnfs_xp.losses.targets import as_column, as_rows
from nnfs_xp.registry import register
from nnfs_xp.special import at_least_tiny, log_softmax


@register("loss", "kl_divergence", "kld")
class KullbackLeibler(Loss):
    """Kullback-Leibler divergence of probabilities ``p`` from targets ``y``.

    The loss of a sample and its gradients with respect to probabilities and to the
    logits ``z`` of a softmax are::

        L = sum_j y_j log(y_j / p_j)        dL/dp_j = -y_j / p_j
        dL/dz = p sum_j y_j - y

    The divergence is the cross-entropy minus its smallest possible value, the entropy
    of the targets. It is therefore 0 where ``p = y``, and has the same gradient as the
    cross-entropy. A target of 0 adds nothing to the loss. A model that ends with a
    `Softmax` computes the loss from the logits.

    PyTorch's ``KLDivLoss`` takes ``log p`` and is the same with
    ``reduction="batchmean"``. Keras clips both probabilities to 1e-7.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits, to which a softmax is applied first.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If an argument is invalid.

    References
    ----------
    Kullback and Leibler, "On information and sufficiency", Annals of Mathematical
    Statistics 22 (1951).

    Examples
    --------
    >>> from nnfs_xp import KullbackLeibler
    >>> loss = KullbackLeibler(dtype="float64")
    >>> loss.forward([[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [1.0, 0.0]]).round(4)
    array([0.    , 0.6931])
    >>> loss.backward()
    array([[-0.5, -0.5],
           [-1. , -0. ]])
    """

    def __init__(self, from_logits: bool = False, **where: Any) -> None:
        super().__init__(**where)
        self.from_logits = check_flag(from_logits, "from_logits")

    @property
    def after_softmax(self) -> KullbackLeibler:
        """The same loss from logits."""
        return KullbackLeibler(**{**self.config(), "from_logits": True})

    def losses_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape without its last axis: every row is a sample."""
        return shape[:-1]

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return ``sum(y log(y / p))`` of each row; residuals are p and y."""
        xp = be.xp
        y = as_rows(be, y_true, y_pred)
        if self.from_logits:
            log_p = log_softmax(be, y_pred)
            p = xp.exp(log_p)
        else:
            p = floor_probabilities(be, y_pred)
            log_p = xp.log(p)
        log_y = xp.log(floor_probabilities(be, y))
        return xp.sum(y * xp.where(y > 0, log_y - log_p, be.zero), axis=-1), (p, y)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``-y / p``, or ``p sum(y) - y`` from logits, times `dlosses`."""
        p, y = residuals
        weights = as_column(dlosses, p.ndim)
        if self.from_logits:
            return (p * be.xp.sum(y, axis=-1, keepdims=True) - y) * weights
        return -(y * weights) / at_least_tiny(be, p)
