"""Huber's loss."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import (
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register


@register("loss")
class Huber(Loss):
    """Huber loss of predictions ``p`` against values ``y``.

    The loss is quadratic for small errors ``e = p - y`` and linear for large errors.
    The loss of a sample is the mean over its m outputs::

        L = 1/m sum_j h(e_j),    h(e) = e^2 / 2                   if |e| <= delta
                                        delta (|e| - delta / 2)   otherwise
        dL/dp_j = 1/m max(-delta, min(e_j, delta))

    PyTorch's ``huber_loss`` and Keras compute the same; the ``"sum"`` of PyTorch adds
    up all outputs of all samples, so it is m times as large as here. PyTorch's
    ``smooth_l1_loss`` is this loss divided by delta. The book has no such loss.

    Parameters
    ----------
    delta : float, default 1.0
        Magnitude of the error at which the loss becomes linear, above 0.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If `delta` is not a finite number above 0, or the reduction is unknown.

    References
    ----------
    Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical
    Statistics 35, 1964.

    Examples
    --------
    >>> from nnfs_xp import Huber
    >>> loss = Huber(dtype="float64")
    >>> loss.forward([[0.5], [-3.0]], [[0.0], [0.0]])
    array([0.125, 2.5  ])
    >>> loss.backward()
    array([[ 0.25],
           [-0.5 ]])
    """

    target_kind = "values"

    def __init__(self, delta: float = 1.0, **where: Any) -> None:
        super().__init__(**where)
        self.delta = check_positive(delta, "delta")

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Array]:
        """Return the mean of ``h(p - y)``; residuals are ``p - y``."""
        error = y_pred - y_true
        size = be.xp.abs(error)
        # Both branches in one product, which squares no error above delta.
        near = be.xp.minimum(size, be.constant(self.delta))
        losses = near * ((size - 0.5 * near) * share_of_output(error))
        return sum_over_outputs(be, losses), error

    def bwd(self, be: Backend, error: Array, dlosses: Array | float) -> Array:
        """Return ``p - y`` clipped to [-delta, delta], over m, times `dlosses`."""
        slope = be.xp.minimum(error, be.constant(self.delta))
        slope = be.xp.maximum(slope, be.constant(-self.delta))
        return slope * weights_of_outputs(dlosses, error)
