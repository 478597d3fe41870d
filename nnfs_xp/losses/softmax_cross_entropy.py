"""Softmax and categorical cross-entropy in one, from logits."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import check_mode, clip_probabilities
from nnfs_xp.losses.targets import as_column, as_rows
from nnfs_xp.registry import register


@register("loss")
class SoftmaxCrossEntropy(Loss):
    """Categorical cross-entropy of a softmax, from its logits ``z``.

    With ``p = softmax(z)`` and targets ``y``, the loss of a sample and its
    gradient are::

        L = -sum_j y_j log p_j,     log p_j = z_j - log sum_k exp(z_k)
        dL/dz = p sum_j y_j - y     (p - y for targets that sum to 1)

    The logarithm is taken of the sum, never of a rounded probability, so the
    loss is exact at any logit: one of -30 against 0 costs 30.

    Parameters
    ----------
    mode : {"exact", "book"}, default "exact"
        ``"book"`` reports the loss of probabilities clipped to [1e-7,
        1 - 1e-7], as the book does: at most 16.118. Its gradient is the
        unclipped one above, as in the book.
    backend, device, dtype : optional
        See `Loss`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 9.

    Examples
    --------
    >>> from nnfs_xp import SoftmaxCrossEntropy
    >>> loss = SoftmaxCrossEntropy(dtype="float64")
    >>> loss.forward([[0.0, -1000.0]], [1])
    array([1000.])
    >>> loss.backward()
    array([[ 1., -1.]])
    """

    from_logits = True

    def __init__(self, mode: str = "exact", **where: Any) -> None:
        super().__init__(**where)
        self.mode = check_mode(mode)

    def fwd(self, be: Backend, z: Array, y_true: Array) -> tuple[Array, Any]:
        """Return ``-sum(y log p)`` of each row; residuals are p and targets."""
        losses, residuals = softmax_cross_entropy(be, z, y_true)
        if self.mode == "book":
            log_p = be.xp.log(clip_probabilities(be, residuals[0]))
            losses = -be.xp.sum(as_rows(be, y_true, z) * log_p, axis=1)
        return losses, residuals

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``(p sum(y) - y) * dlosses``, row by row."""
        return softmax_cross_entropy_backward(be, *residuals, dlosses)

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        return {"mode": self.mode}


@portable
def softmax_cross_entropy(
    be: Backend, z: Array, y_true: Array
) -> tuple[Array, tuple[Array, Array]]:
    """Return the exact loss of each row, and ``(softmax(z), y_true)``."""
    xp = be.xp
    shifted = z - xp.max(z, axis=1, keepdims=True)
    exponentials = xp.exp(shifted)
    total = xp.sum(exponentials, axis=1, keepdims=True)
    log_p = shifted - xp.log(total)
    y = as_rows(be, y_true, z)
    # 0 log 0 counts as 0, also for a logit of -inf.
    losses = -xp.sum(y * xp.where(y > 0, log_p, be.zero), axis=1)
    return losses, (exponentials / total, y_true)


@portable
def softmax_cross_entropy_backward(
    be: Backend, p: Array, y_true: Array, dlosses: Array | float
) -> Array:
    """Return ``(p sum(y) - y) * dlosses``, row by row."""
    y = as_rows(be, y_true, p)
    if y_true.ndim == 2:
        p = p * be.xp.sum(y, axis=1, keepdims=True)
    return (p - y) * as_column(dlosses)
