"""Softmax: scores become probabilities."""

from __future__ import annotations

from nnfs_xp.activations.over_axis import OverAxis
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.registry import register
from nnfs_xp.special import at_least_tiny, softmax


@register("layer")
class Softmax(OverAxis):
    """Softmax over the last axis, ``s_j = exp(z_j) / sum_k exp(z_k)``.

    The largest score of a row is subtracted first, which does not change the result but
    prevents overflow. The Jacobian of a row is ``diag(s) - s s^T``, so its product with
    ``ds`` can be computed without the matrix::

        dz = s * ds - s sum_k ds_k s_k

    In the products with ``ds``, probabilities below 1e-31 (in float64, 1e-292) are
    replaced with this number. `CategoricalCrossEntropy` divides by the same number, so
    the gradient of a confident mistake is exact after passing through both.

    Parameters
    ----------
    axis : int, default -1
        The axis; axis 0, the sample axis, is not allowed. A model computes its loss
        from logits only if the axis is -1.
    backend, device, dtype : optional
        See `Layer`.

    Raises
    ------
    InputError
        If the axis is not an integer, is 0, or does not exist.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapters 4 and 9.

    Examples
    --------
    >>> from nnfs_xp import Softmax
    >>> Softmax(dtype="float64").forward([[0.0, 0.0], [1000.0, -1000.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """

    def fwd(self, cx: Context, z: Array) -> tuple[Array, Array]:
        """Return the probabilities, which are also the residuals."""
        s = softmax(cx.be, z, self.axis)
        return s, s

    def bwd(self, cx: Context, s: Array, ds: Array) -> Array:
        """Return ``s * ds - s * sum(s * ds)``, along the axis."""
        products = at_least_tiny(cx.be, s) * ds
        return products - s * cx.xp.sum(products, axis=self.axis, keepdims=True)
