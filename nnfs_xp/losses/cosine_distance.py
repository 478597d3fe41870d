"""How much the directions of predictions and targets differ."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import as_column, sum_over_outputs
from nnfs_xp.registry import register


@register("loss")
class CosineDistance(Loss):
    """One minus the cosine of the angle between predictions ``p`` and targets ``y``.

    Predictions and targets are vectors along the last axis. Let ``u = p / |p|`` and
    ``v = y / |y|`` be their directions. The loss and its gradient are::

        L = 1 - u . v        dL/dp = ((u . v) u - v) / |p|

    A length below `eps` is replaced with `eps`, as in PyTorch's ``cosine_similarity``;
    then ``dL/dp = -v / eps``. The loss of a sample with several vectors is the mean
    over these vectors. optax's ``cosine_distance`` is the same; Keras's loss
    ``CosineSimilarity`` is ``-u . v``, which is smaller by 1.

    Parameters
    ----------
    eps : float, default 1e-8
        The smallest length, above 0.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If `eps` is not a finite number above 0, or the reduction is unknown.

    References
    ----------
    Salton and McGill, "Introduction to modern information retrieval", 1983, chapter 4.

    Examples
    --------
    >>> from nnfs_xp import CosineDistance
    >>> loss = CosineDistance(reduction="sum", dtype="float64")
    >>> loss.forward([[2.0, 0.0], [0.0, 3.0]], [[5.0, 0.0], [1.0, 0.0]])
    array([0., 1.])
    >>> loss.backward().round(4)
    array([[ 0.    ,  0.    ],
           [-0.3333,  0.    ]])
    """

    target_kind = "values"

    def __init__(self, eps: float = 1e-8, **where: Any) -> None:
        super().__init__(**where)
        self.eps = check_positive(eps, "eps")

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return ``1 - u . v``; residuals are directions, cosine, lengths, a shape."""
        shape = tuple(y_pred.shape)
        if y_pred.ndim == 1:  # vectors of one number each
            y_pred, y_true = y_pred[:, None], y_true[:, None]
        (u, length), (v, _) = (
            directions(be, y_pred, self.eps),
            directions(be, y_true, self.eps),
        )
        cosine = be.xp.sum(u * v, axis=-1, keepdims=True)
        losses = (1.0 - cosine) / math.prod(u.shape[1:-1])
        return sum_over_outputs(be, losses), (u, v, cosine, length, shape)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``((u . v) u - v) / |p| * dlosses``, vector by vector."""
        u, v, cosine, length, shape = residuals
        # A length clipped to eps does not change with p.
        along = be.xp.where(length > self.eps, cosine * u, be.zero)
        dy = (
            (along - v)
            / length
            * (as_column(dlosses, u.ndim) / math.prod(u.shape[1:-1]))
        )
        return be.xp.reshape(dy, shape)


def directions(be: Backend, x: Array, eps: float) -> tuple[Array, Array]:
    """Return vectors of the last axis divided by their lengths, and the lengths."""
    xp = be.xp
    # A square may overflow, but that of an entry divided by the largest one does not.
    largest = xp.max(xp.abs(x), axis=-1, keepdims=True)
    share = x / xp.maximum(largest, be.constant(eps))
    length = largest * xp.sqrt(xp.sum(share * share, axis=-1, keepdims=True))
    length = xp.maximum(length, be.constant(eps))
    return x / length, length
