"""Negative log-likelihood of normally distributed values."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import as_column, share_of_output, sum_over_outputs
from nnfs_xp.registry import register


@register("loss")
class GaussianNegativeLogLikelihood(Loss):
    """Negative log-likelihood of values ``y`` with predicted means and variances.

    The first half of the outputs are the means ``p``. The second half are the
    logarithms of the variances, ``s = log v``, which may be any numbers. A model
    therefore has two outputs for each of the m values. The loss of a sample is the mean
    over the values, without the constant ``log(2 pi) / 2``::

        L = 1/m sum_j (s_j + (y_j - p_j)^2 / v_j) / 2
        dL/dp_j = 1/m (p_j - y_j) / v_j        dL/ds_j = 1/2m (1 - (y_j - p_j)^2 / v_j)

    A variance below `eps` is replaced with `eps`, so an exact prediction cannot make
    the loss decrease without bound. The gradient is then the one at `eps`, so the
    variance can increase again. PyTorch's ``GaussianNLLLoss`` does the same, but takes
    ``v`` instead of its logarithm.

    Parameters
    ----------
    eps : float, default 1e-6
        The smallest variance, above 0.
    reduction : {"mean", "sum", "none"}, default "mean"
        See `Loss`.
    backend, device, dtype : optional
        See `Loss`.

    Raises
    ------
    InputError
        If `eps` is not a finite number above 0, the reduction is unknown, or the
        number of outputs is odd.

    References
    ----------
    Nix and Weigend, "Estimating the mean and variance of the target probability
    distribution", 1994.

    Examples
    --------
    >>> from nnfs_xp import GaussianNegativeLogLikelihood
    >>> loss = GaussianNegativeLogLikelihood(dtype="float64")
    >>> loss.forward([[3.0, 0.0]], [[1.0]])
    array([2.])
    >>> loss.backward()
    array([[ 2. , -1.5]])
    """

    target_kind = "values"

    def __init__(self, eps: float = 1e-6, **where: Any) -> None:
        super().__init__(**where)
        self.eps = check_positive(eps, "eps")

    def check_targets(
        self,
        be: Backend,
        value: Any,
        name: str,
        prediction_shape: tuple[int | None, ...],
        *,
        host_allowed: bool = False,
    ) -> Array:
        """Return targets, half as many as outputs, or raise InputError."""
        *others, outputs = prediction_shape
        if not others or (outputs or 0) % 2:
            raise InputError(
                f"y_pred must have an even number of outputs, a mean and the logarithm "
                f"of a variance for each target, got shape {prediction_shape}"
            )
        shape = (*others, outputs and outputs // 2)
        return super().check_targets(be, value, name, shape, host_allowed=host_allowed)

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the mean over the values; residuals are ``p - y`` and ``1 / v``."""
        m = y_true.shape[-1]
        error = y_pred[..., :m] - y_true
        s = be.xp.maximum(y_pred[..., m:], be.constant(math.log(self.eps)))
        precision = be.xp.exp(-s)
        losses = 0.5 * (s + error * (error * precision)) * share_of_output(error)
        return sum_over_outputs(be, losses), (error, precision)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return the gradients of means and of logarithms, times `dlosses`."""
        error, precision = residuals
        scaled = error * precision
        slopes = be.xp.concat([scaled, 0.5 - 0.5 * error * scaled], axis=-1)
        return slopes * (as_column(dlosses, error.ndim) * share_of_output(error))
