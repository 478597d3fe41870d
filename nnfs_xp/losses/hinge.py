"""Hinge losses of yes-or-no questions: scores should be right by a margin."""

from __future__ import annotations

from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.losses.base import Loss
from nnfs_xp.losses.targets import (
    share_of_output,
    sum_over_outputs,
    weights_of_outputs,
)
from nnfs_xp.registry import register


@register("loss")
class Hinge(Loss):
    """Hinge loss of scores ``z`` against binary targets ``y``, 0 or 1.

    Let ``t = 2 y - 1``, which is -1 or 1. The loss of a sample is the mean over its m
    outputs. The loss and its gradient are::

        L = 1/m sum_j max(0, 1 - t_j z_j)        dL/dz_j = -t_j / m where t_j z_j < 1

    The gradient is 0 elsewhere. Keras and optax compute the same loss; both take
    targets of -1 and 1, and Keras also takes 0 and 1. For a soft target, t lies between
    -1 and 1, with ``t = 0`` for a target of 0.5.

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
    Cortes and Vapnik, "Support-vector networks", Machine Learning 20 (1995).

    Examples
    --------
    >>> from nnfs_xp import Hinge
    >>> loss = Hinge(dtype="float64")
    >>> loss.forward([[2.0], [0.5], [0.5]], [[1], [1], [0]])
    array([0. , 0.5, 1.5])
    >>> Hinge(reduction="sum", dtype="float64").backward([[2.0], [0.5]], [[1], [0]])
    array([[-0.],
           [ 1.]])
    """

    target_kind = "probabilities"
    # Scores are not probabilities: an answer is yes above 0.
    from_logits = True

    def fwd(self, be: Backend, y_pred: Array, y_true: Array) -> tuple[Array, Any]:
        """Return the mean penalty; residuals are ``max(0, 1 - t z)`` and t."""
        sign = 2.0 * y_true - 1.0
        missing = be.xp.maximum(1.0 - sign * y_pred, be.zero)
        losses = self.penalty(missing) * share_of_output(y_pred)
        return sum_over_outputs(be, losses), (missing, sign)

    def bwd(self, be: Backend, residuals: Any, dlosses: Array | float) -> Array:
        """Return the gradient of each output times `dlosses`, row by row."""
        missing, sign = residuals
        slope = -sign * self.slope(be, missing)
        return slope * weights_of_outputs(dlosses, missing)

    def penalty(self, missing: Array) -> Array:
        """Return the penalty for the shortfall of a score from its margin."""
        return missing

    def slope(self, be: Backend, missing: Array) -> Array:
        """Return the derivative of the penalty."""
        return be.xp.astype(missing > 0, missing.dtype)


@register("loss")
class SquaredHinge(Hinge):
    """Squared hinge loss of scores ``z`` against binary targets ``y``, 0 or 1.

    Let ``t = 2 y - 1``, which is -1 or 1. The loss of a sample is the mean over its m
    outputs. The loss and its gradient are::

        L = 1/m sum_j max(0, 1 - t_j z_j)^2
        dL/dz_j = -2/m t_j max(0, 1 - t_j z_j)

    The loss has no kink. Keras computes the same loss, from targets of 0 and 1 or -1
    and 1.

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
    Tang, "Deep learning using linear support vector machines", 2013, eq. 5.

    Examples
    --------
    >>> from nnfs_xp import SquaredHinge
    >>> loss = SquaredHinge(reduction="sum", dtype="float64")
    >>> loss.forward([[2.0], [0.5], [0.5]], [[1], [1], [0]])
    array([0.  , 0.25, 2.25])
    >>> loss.backward()
    array([[-0.],
           [-1.],
           [ 3.]])
    """

    def penalty(self, missing: Array) -> Array:
        """Return the square of the shortfall."""
        return missing * missing

    def slope(self, be: Backend, missing: Array) -> Array:
        """Return twice the shortfall."""
        return 2.0 * missing
