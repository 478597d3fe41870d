"""Hinge loss of a classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import ClassTargets, as_column, as_rows
from nnfs_xp.registry import register


@register("loss")
class CategoricalHinge(ClassTargets, Loss):
    """Multiclass hinge loss of scores ``z``.

    The score of the true class k should exceed all other scores by 1. If ``z_i`` is the
    highest of the other scores, the loss of a sample is::

        L = max(0, 1 + z_i - z_k)        dL/dz_i = 1, dL/dz_k = -1 where L > 0

    All other derivatives are 0. For rows of targets ``q``, the loss is the weighted
    mean of the losses of all labels, ``sum_k q_k L_k``. In a tie, the first score
    counts as the highest.

    optax's ``multiclass_hinge_loss`` is the same. Keras's ``CategoricalHinge`` includes
    the true class, with a score of 0, among the other classes. The result is the same
    if no score is negative, as after a `Softmax`. PyTorch's ``MultiMarginLoss`` adds up
    the terms of all other classes.

    Parameters
    ----------
    label_smoothing, class_weight, ignore_index : optional
        See `SoftmaxCrossEntropy`.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If an argument is invalid; on the first data, if `class_weight` does not have
        one weight per class.

    References
    ----------
    Crammer and Singer, "On the algorithmic implementation of multiclass kernel-based
    vector machines", Journal of Machine Learning Research 2 (2001).

    Examples
    --------
    >>> from nnfs_xp import CategoricalHinge
    >>> loss = CategoricalHinge(reduction="sum", dtype="float64")
    >>> loss.forward([[3.0, 1.0, 0.0], [3.0, 2.5, 0.0]], [0, 1])
    array([0. , 1.5])
    >>> loss.backward()
    array([[ 0.,  0.,  0.],
           [ 1., -1.,  0.]])
    """

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        class_weight: Sequence[float] | dict[int, float] | str | None = None,
        ignore_index: int | None = None,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.set_target_options(label_smoothing, class_weight, ignore_index)

    def fwd(self, be: Backend, z: Array, y_true: Array) -> tuple[Array, Any]:
        """Return ``sum(q L)``; residuals are q where L > 0, and the two highest."""
        xp = be.xp
        q = as_rows(be, self.weighted_targets(be, y_true, z), z)
        classes = xp.arange(z.shape[-1], device=be.device)
        first = classes == xp.argmax(z, axis=-1, keepdims=True)
        rest = xp.where(first, be.constant(-math.inf), z)
        second = (classes == xp.argmax(rest, axis=-1, keepdims=True)) & ~first
        top, next_to_top = (xp.max(a, axis=-1, keepdims=True) for a in (z, rest))
        missing = 1.0 + xp.where(first, next_to_top, top) - z
        costly = missing > 0
        losses = xp.sum(q * xp.where(costly, missing, be.zero), axis=-1)
        return losses, (xp.where(costly, q, be.zero), first, second)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``-1`` for each costly label and 1 for its rival, times q."""
        xp = be.xp
        q, first, second = residuals
        of_first = xp.sum(xp.where(first, q, be.zero), axis=-1, keepdims=True)
        of_others = xp.sum(xp.where(first, be.zero, q), axis=-1, keepdims=True)
        # The rival of the highest score is the second-highest; that of all others is
        # the highest.
        dz = xp.where(first, of_others, xp.where(second, of_first, be.zero)) - q
        return dz * as_column(dlosses, q.ndim)
