"""Logarithm of the softmax: scores become log-probabilities."""

from __future__ import annotations

from nnfs_xp.activations.over_axis import OverAxis
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.registry import register


@register("layer")
class LogSoftmax(OverAxis):
    """Logarithm of the softmax over the last axis, computed without underflow.

    ``y_j = z_j - log(sum_k exp(z_k))``. The largest score of a row is subtracted first,
    so the computation never overflows or takes the logarithm of 0. If ``s`` is the
    softmax, the gradient is::

        dz = dy - s sum_k dy_k

    Parameters
    ----------
    axis : int, default -1
        The axis; axis 0, the sample axis, is not allowed.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If the axis is not an integer, is 0, or does not exist.

    References
    ----------
    Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and
    softmax functions", IMA Journal of Numerical Analysis 41 (2021).

    Examples
    --------
    >>> from nnfs_xp import LogSoftmax
    >>> log_softmax = LogSoftmax(dtype="float64")
    >>> log_softmax.forward([[0.0, 0.0], [1000.0, -1000.0]]).round(4)
    array([[-6.931e-01, -6.931e-01],
           [ 0.000e+00, -2.000e+03]])
    >>> log_softmax.backward([[1.0, 0.0], [0.0, 1.0]])
    array([[ 0.5, -0.5],
           [-1. ,  1. ]])
    """

    def fwd(self, cx: Context, z: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return the log-probabilities; residuals are the two parts of the softmax."""
        xp = cx.xp
        shifted = z - xp.max(z, axis=self.axis, keepdims=True)
        exponentials = xp.exp(shifted)
        total = xp.sum(exponentials, axis=self.axis, keepdims=True)
        return shifted - xp.log(total), (exponentials, total)

    def bwd(self, cx: Context, residuals: tuple[Array, Array], dy: Array) -> Array:
        """Return ``dy - s sum(dy)``, along the axis."""
        exponentials, total = residuals
        return dy - exponentials * (
            cx.xp.sum(dy, axis=self.axis, keepdims=True) / total
        )
