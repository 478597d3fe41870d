"""Mean absolute error in percent of the targets."""

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
from nnfs_xp.special import sign


@register("loss", "mape")
class MeanAbsolutePercentageError(Loss):
    """Mean absolute error of predictions ``p`` as a percentage of the values ``y``.

    The loss of a sample is the mean over its m outputs. The loss and its gradient are::

        L = 100/m sum_j |p_j - y_j| / max(|y_j|, eps)
        dL/dp_j = 100/m sign(p_j - y_j) / max(|y_j|, eps)

    Keras computes the same loss. scikit-learn computes a fraction instead of a
    percentage, with an `eps` of 2.2e-16. A target near 0 makes the loss very large;
    `MeanAbsoluteError` does not have this problem.

    Parameters
    ----------
    eps : float, default 1e-7
        The smallest magnitude of a target, above 0.
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
    Makridakis, "Accuracy measures: theoretical and practical concerns", International
    Journal of Forecasting 9 (1993).

    Examples
    --------
    >>> from nnfs_xp import MeanAbsolutePercentageError
    >>> loss = MeanAbsolutePercentageError(reduction="sum", dtype="float64")
    >>> loss.forward([[110.0], [-1.0]], [[100.0], [-2.0]])
    array([10., 50.])
    >>> loss.backward()
    array([[ 1.],
           [50.]])
    """

    target_kind = "values"

    def __init__(self, eps: float = 1e-7, **where: Any) -> None:
        super().__init__(**where)
        self.eps = check_positive(eps, "eps")

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the mean percentage; residuals are ``p - y`` and the magnitudes."""
        error = y_pred - y_true
        size = be.xp.maximum(be.xp.abs(y_true), be.constant(self.eps))
        losses = be.xp.abs(error) / size * (100.0 * share_of_output(error))
        return sum_over_outputs(be, losses), (error, size)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``100 sign(p - y) / max(|y|, eps)`` over m, times `dlosses`."""
        error, size = residuals
        slope = 100.0 * sign(be, error) / size
        return slope * weights_of_outputs(dlosses, error)
