"""Negative log-likelihood of counts."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_flag
from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.clipping import floor_probabilities
from nnfs_xp.losses.targets import (
    NotNegative,
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register
from nnfs_xp.special import at_least_tiny


@register("loss")
class Poisson(NotNegative, Loss):
    """Negative log-likelihood of counts ``y`` with predicted rates ``p`` above 0.

    The loss of a sample is the mean over its m outputs, without the term ``log y!``,
    which does not depend on the predictions::

        L = 1/m sum_j (p_j - y_j log p_j)        dL/dp_j = 1/m (1 - y_j / p_j)

    For logarithms of rates, ``z = log p``, which may be any numbers, the loss is::

        L = 1/m sum_j (exp(z_j) - y_j z_j)       dL/dz_j = 1/m (exp(z_j) - y_j)

    A rate of 0 or less is replaced with the smallest normal number in the logarithm,
    and with 1e-31 (in float64, 1e-292) in the gradient. Keras adds 1e-7 to p. PyTorch's
    ``PoissonNLLLoss`` adds 1e-8, and takes logarithms unless ``log_input=False``.

    Parameters
    ----------
    log_input : bool, default False
        Whether predictions are logarithms of rates.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If an argument is invalid, or a target is negative.

    References
    ----------
    Nelder and Wedderburn, "Generalized linear models", Journal of the Royal
    Statistical Society A 135 (1972).

    Examples
    --------
    >>> from nnfs_xp import Poisson
    >>> loss = Poisson(dtype="float64")
    >>> loss.forward([[2.0], [1.0]], [[2], [3]]).round(4)
    array([0.6137, 1.    ])
    >>> loss.backward()
    array([[ 0.],
           [-1.]])
    """

    target_kind = "values"

    def __init__(self, log_input: bool = False, **where: Any) -> None:
        super().__init__(**where)
        self.log_input = check_flag(log_input, "log_input")

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the mean of ``p - y log p``; residuals are p and y."""
        p = be.xp.exp(y_pred) if self.log_input else y_pred
        log_p = y_pred
        if not self.log_input:
            log_p = be.xp.log(floor_probabilities(be, p))
        losses = (p - y_true * log_p) * share_of_output(y_pred)
        return sum_over_outputs(be, losses), (p, y_true)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return ``1 - y / p``, or ``p - y`` for logarithms, times `dlosses` over m."""
        p, y = residuals
        slope = p - y if self.log_input else 1.0 - y / at_least_tiny(be, p)
        return slope * weights_of_outputs(dlosses, y)
