"""Categorical cross-entropy, the loss of a classifier."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import (
    check_mode,
    clip_probabilities,
    floor_probabilities,
)
from nnfs_xp.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from nnfs_xp.losses.targets import as_column, as_rows
from nnfs_xp.registry import register


@register("loss")
class CategoricalCrossEntropy(Loss):
    """Categorical cross-entropy of probabilities ``p`` against targets ``y``.

    The loss of a sample and its gradient are::

        L = -sum_j y_j log p_j        dL/dp_j = -y_j / p_j

    For an integer label k this is ``-log p_k``. At the end of a `Model` after
    a `Softmax` layer, the model computes the same from the logits, exactly,
    by `SoftmaxCrossEntropy`.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits, to be put through a softmax first.
    mode : {"exact", "book"}, default "exact"
        ``"book"`` clips p to [1e-7, 1 - 1e-7] in loss and gradient: a
        probability of 0 costs 16.118, one of 1 costs 1e-7. ``"exact"``
        changes p only at 0, where the loss would be infinite: it counts as
        the smallest normal number of its dtype.
    backend, device, dtype : optional
        See `Loss`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapters 5 and 9.

    Examples
    --------
    >>> from nnfs_xp import CategoricalCrossEntropy
    >>> p = [[0.7, 0.1, 0.2], [0.1, 0.5, 0.4]]
    >>> CategoricalCrossEntropy(dtype="float64").forward(p, [0, 1]).round(4)
    array([0.3567, 0.6931])
    >>> loss = CategoricalCrossEntropy(mode="book", dtype="float64")
    >>> loss.forward([[0.0, 1.0]], [0]).round(4)
    array([16.1181])
    """

    def __init__(
        self, from_logits: bool = False, mode: str = "exact", **where: Any
    ) -> None:
        super().__init__(**where)
        self.from_logits = bool(from_logits)
        self.mode = check_mode(mode)
        self.after_softmax = SoftmaxCrossEntropy(mode)

    def fwd(self, be: Backend, p: Array, y_true: Array) -> tuple[Array, Any]:
        """Return ``-sum(y log p)`` of each row; residuals are p and y."""
        if self.from_logits:
            return self.after_softmax.fwd(be, p, y_true)
        y = as_rows(be, y_true, p)
        finite = clip_probabilities if self.mode == "book" else floor_probabilities
        p = finite(be, p)
        return -be.xp.sum(y * be.xp.log(p), axis=1), (p, y)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``-y / p * dlosses``, row by row."""
        if self.from_logits:
            return self.after_softmax.bwd(be, residuals, dlosses)
        p, y = residuals
        return -y / p * as_column(dlosses)

    def config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        return {"from_logits": self.from_logits, "mode": self.mode}
