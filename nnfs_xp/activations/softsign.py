"""Softsign: a sigmoid without exponentials."""

from __future__ import annotations

from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.base import Layer
from nnfs_xp.registry import register

# From here on, y is -1 or 1 in both precisions. Infinity over itself would be NaN.
_FAR = 1e30


@register("layer")
class Softsign(Layer):
    """Softsign, ``y = x / (1 + |x|)``.

    The gradient is ``dx = dy / (1 + |x|)^2``. Inputs may have any shape; NaN stays NaN.

    Parameters
    ----------
    backend, device, dtype : optional
        See `Layer`.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", 2010, section 2.3.

    Examples
    --------
    >>> from nnfs_xp import Softsign
    >>> softsign = Softsign(dtype="float64")
    >>> softsign.forward([[-3.0, 0.0, 1.0]])
    array([[-0.75,  0.  ,  0.5 ]])
    >>> softsign.backward([[1.0, 1.0, 1.0]])
    array([[0.0625, 1.    , 0.25  ]])
    """

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Array]:
        """Return ``x / (1 + |x|)``, and the divisor."""
        x = cx.xp.maximum(x, cx.be.constant(-_FAR))
        x = cx.xp.minimum(x, cx.be.constant(_FAR))
        divisor = 1.0 + cx.xp.abs(x)
        return x / divisor, divisor

    def bwd(self, cx: Context, divisor: Array, dy: Array) -> Array:
        """Return ``dy / (1 + |x|)^2``."""
        # Its square may be infinite.
        return dy / divisor / divisor
