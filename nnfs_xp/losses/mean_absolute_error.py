"""Mean absolute error."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import (
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register
from nnfs_xp.special import sign


@register("loss", "mae")
class MeanAbsoluteError(Loss):
    """Mean absolute error of predictions ``p`` against values ``y``.

    The loss of a sample is the mean over its m outputs. The loss and its gradient are::

        L = 1/m sum_j |p_j - y_j|        dL/dp_j = 1/m sign(p_j - y_j)

    The sign of 0 is 0. PyTorch's ``l1_loss`` and Keras compute the same loss; the
    ``"sum"`` of PyTorch adds up all outputs of all samples, so it is m times as large
    as here. The book's gradient is ``sign(y - p) / m``, which has the wrong sign: a
    gradient descent step with it increases the error.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If the reduction is unknown.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 17.

    Examples
    --------
    >>> from nnfs_xp import MeanAbsoluteError
    >>> loss = MeanAbsoluteError(dtype="float64")
    >>> loss.forward([[1.0, 2.0], [0.0, 3.0]], [[1.0, 4.0], [0.0, 2.0]])
    array([1. , 0.5])
    >>> loss.backward()
    array([[ 0.  , -0.25],
           [ 0.  ,  0.25]])
    """

    target_kind = "values"

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Array]:
        """Return the mean of ``|p - y|``; residuals are ``p - y``."""
        error = y_pred - y_true
        return sum_over_outputs(be, be.xp.abs(error) * share_of_output(error)), error

    def bwd(self, be: Backend, error: Array, dlosses: Array | float) -> Array:
        """Return ``sign(p - y) / m * dlosses``, row by row."""
        return sign(be, error) * weights_of_outputs(dlosses, error)
