"""Mean squared error of logarithms."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import (
    NotNegative,
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register


@register("loss", "msle")
class MeanSquaredLogarithmicError(NotNegative, Loss):
    """Mean squared error of the logarithms of ``1 + p`` and ``1 + y``.

    Predictions ``p`` and values ``y`` are nonnegative. The loss of a sample is the mean
    over its m outputs. The loss and its gradient are::

        e_j = log(1 + p_j) - log(1 + y_j)
        L = 1/m sum_j e_j^2        dL/dp_j = 2/m e_j / (1 + p_j)

    A negative prediction is treated as 0 and has a gradient of 0, as in Keras, which
    first raises all numbers to at least 1e-7. A `Softplus` at the end of a model avoids
    negative predictions. scikit-learn rejects negative predictions.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If the reduction is unknown, or a target is below 0.

    Examples
    --------
    >>> from nnfs_xp import MeanSquaredLogarithmicError
    >>> loss = MeanSquaredLogarithmicError(reduction="sum", dtype="float64")
    >>> loss.forward([[1.0], [0.0]], [[3.0], [0.0]]).round(4)
    array([0.4805, 0.    ])
    >>> loss.backward().round(4)
    array([[-0.6931],
           [ 0.    ]])
    """

    target_kind = "values"

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the mean of ``e^2``; residuals are e and the predictions."""
        raised = be.xp.log1p(be.xp.maximum(y_pred, be.zero))
        error = raised - be.xp.log1p(y_true)
        losses = error * error * share_of_output(error)
        return sum_over_outputs(be, losses), (error, y_pred)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``2 e / (1 + p)`` over m times `dlosses`, 0 where ``p < 0``."""
        error, p = residuals
        slope = 2.0 * error / (1.0 + be.xp.maximum(p, be.zero))
        slope = be.xp.where(p < 0, be.zero, slope)
        return slope * weights_of_outputs(dlosses, error)
