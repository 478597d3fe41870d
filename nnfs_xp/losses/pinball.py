"""Pinball loss: predictions become quantiles."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_decay, check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import (
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register


@register("loss")
class Pinball(Loss):
    """Pinball (quantile) loss of predictions ``p`` against values ``y``.

    The loss of a prediction is ``q`` times its error if the prediction is too low, and
    ``1 - q`` times its error if it is too high. The loss of many values is therefore
    lowest if a fraction ``q`` of them is below the prediction. The loss of a sample is
    the mean over its m outputs. The loss and its gradient are::

        L = 1/m sum_j max(q (y_j - p_j), (q - 1) (y_j - p_j))
        dL/dp_j = 1/m (-q if p_j < y_j, 1 - q if p_j > y_j, else 0)

    scikit-learn's ``mean_pinball_loss`` is the same. For ``q = 0.5``, the loss is half
    of the `MeanAbsoluteError`.

    Parameters
    ----------
    quantile : float, default 0.5
        The fraction ``q``, above 0 and below 1.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If `quantile` is not between 0 and 1, or the reduction is unknown.

    References
    ----------
    Koenker and Bassett, "Regression quantiles", Econometrica 46 (1978).

    Examples
    --------
    >>> from nnfs_xp import Pinball
    >>> loss = Pinball(0.75, reduction="sum", dtype="float64")
    >>> loss.forward([[0.0], [0.0]], [[4.0], [-4.0]])
    array([3., 1.])
    >>> loss.backward()
    array([[-0.75],
           [ 0.25]])
    """

    target_kind = "values"

    def __init__(self, quantile: float = 0.5, **where: Any) -> None:
        super().__init__(**where)
        self.quantile = check_decay(check_positive(quantile, "quantile"), "quantile")

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Array]:
        """Return the mean loss of the outputs; residuals are ``y - p``."""
        error = y_true - y_pred
        costs = be.xp.maximum(self.quantile * error, (self.quantile - 1.0) * error)
        return sum_over_outputs(be, costs * share_of_output(error)), error

    def bwd(self, be: Backend, error: Array, dlosses: Array | float) -> Array:
        """Return ``-q`` or ``1 - q`` over m, times `dlosses`."""
        low, high = be.constant(-self.quantile), be.constant(1.0 - self.quantile)
        slope = be.xp.where(error < 0, high, be.zero)
        slope = be.xp.where(error > 0, low, slope)
        return slope * weights_of_outputs(dlosses, error)
