"""Mean squared error."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import (
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register


@register("loss", "mse")
class MeanSquaredError(Loss):
    """Mean squared error of predictions ``p`` against values ``y``.

    The loss of a sample is the mean over its m outputs. The loss and its gradient are::

        L = 1/m sum_j (p_j - y_j)^2        dL/dp_j = 2/m (p_j - y_j)

    The book and Keras compute the same loss, and so does PyTorch's ``mse_loss`` with
    reduction ``"mean"``. PyTorch's ``"sum"`` adds up all outputs of all samples, so it
    is m times as large as here.

    Targets must have exactly the shape of the predictions. In the book, and with a
    warning in PyTorch, targets of shape (n,) against predictions of shape (n, 1)
    broadcast to (n, n), and every prediction is compared with every target.

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
    >>> from nnfs_xp import MeanSquaredError
    >>> loss = MeanSquaredError(dtype="float64")
    >>> loss.forward([[1.0, 2.0], [0.0, 3.0]], [[1.0, 4.0], [0.0, 3.0]])
    array([2., 0.])
    >>> loss.backward()
    array([[ 0., -1.],
           [ 0.,  0.]])
    """

    target_kind = "values"

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Array]:
        """Return the mean of ``(p - y)^2``; residuals are ``p - y``."""
        error = y_pred - y_true
        return sum_over_outputs(be, error * (error * share_of_output(error))), error

    def bwd(self, be: Backend, error: Array, dlosses: Array | float) -> Array:
        """Return ``2 (p - y) / m * dlosses``, row by row."""
        return error * (2.0 * weights_of_outputs(dlosses, error))
