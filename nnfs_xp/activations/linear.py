"""Linear activation: the identity."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register


@register("layer")
class Linear(Layer):
    """Linear activation, ``y = x``, with the gradient ``dx = dy``.

    The book uses this activation after the last layer of a regression model. Nothing is
    computed: the output is the input array itself.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Kinsley and Kukiela, "Neural Networks from Scratch", chapter 17.

    Examples
    --------
    >>> from nnfs_xp import Linear
    >>> linear = Linear(dtype="float64")
    >>> linear.forward([[-1.0, 0.0, 2.0]])
    array([[-1.,  0.,  2.]])
    >>> linear.backward([[5.0, 6.0, 7.0]])
    array([[5., 6., 7.]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, tuple[()]]:
        """Return the inputs; there are no residuals."""
        return x, ()

    def bwd(self, cx: Context, residuals: tuple[()], dy: Array) -> Array:
        """Return `dy`."""
        return dy
