"""Logarithm of the hyperbolic cosine of the error."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import (
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register

# Beyond it, log(cosh(e)) is |e| - log 2 in both precisions.
_FAR = 30.0


@register("loss")
class LogCosh(Loss):
    """Logarithm of the hyperbolic cosine of the errors of predictions ``p``.

    The loss is close to ``e^2 / 2`` for small errors ``e = p - y`` and to
    ``|e| - log 2`` for large errors, with no kink in between. The loss of a sample is
    the mean over its m outputs::

        L = 1/m sum_j log(cosh(p_j - y_j))        dL/dp_j = 1/m tanh(p_j - y_j)

    The loss is computed as ``log(1 + 2 sinh(e / 2)^2)``, so it is accurate for small
    errors, and large errors do not overflow. Keras and optax compute the same loss.

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
    Saleh and Saleh, "Statistical properties of the log-cosh loss function used in
    machine learning", 2022.

    Examples
    --------
    >>> from nnfs_xp import LogCosh
    >>> loss = LogCosh(reduction="sum", dtype="float64")
    >>> loss.forward([[0.5], [1.0], [100.0]], [[0.0], [0.0], [0.0]]).round(4)
    array([ 0.1201,  0.4338, 99.3069])
    >>> loss.backward().round(4)
    array([[0.4621],
           [0.7616],
           [1.    ]])
    """

    target_kind = "values"

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Array]:
        """Return the mean of ``log(cosh(p - y))``; residuals are ``p - y``."""
        error = y_pred - y_true
        size = be.xp.abs(error)
        near = be.xp.minimum(size, be.constant(_FAR))
        half = be.xp.sinh(0.5 * near)
        losses = (size - near) + be.xp.log1p(2.0 * half * half)
        return sum_over_outputs(be, losses * share_of_output(error)), error

    def bwd(self, be: Backend, error: Array, dlosses: Array | float) -> Array:
        """Return ``tanh(p - y) / m * dlosses``, row by row."""
        return be.xp.tanh(error) * weights_of_outputs(dlosses, error)
