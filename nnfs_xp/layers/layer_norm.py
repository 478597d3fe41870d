"""Layer normalization."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_positive
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.normalization import _Normalization
from nnfs_xp.registry import register


@register("layer")
class LayerNorm(_Normalization):
    """Layer normalization over the last axis.

    With mean ``m`` and variance ``v`` of the n features of each sample::

        x^ = (x - m) / sqrt(v + eps)        y = gamma x^ + beta
        g = gamma dy
        dx = (g - mean(g) - x^ mean(g x^)) / sqrt(v + eps)
        dgamma = sum(dy x^)                 dbeta = sum(dy)

    The means are taken over the features, the sums over everything else. Nothing
    depends on other samples, so training and use are the same.

    Parameters
    ----------
    n : int
        Number of features, the length of the last axis.
    eps : float, default 1e-5
        Added to the variance, above 0.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    gamma, beta : array, shape (n,)
        Gain and shift, which are trained.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    Ba, Kiros and Hinton, "Layer Normalization", 2016, equation 4.

    Examples
    --------
    >>> from nnfs_xp import LayerNorm
    >>> LayerNorm(2, dtype="float64").forward([[1.0, 3.0], [5.0, 5.0]]).round(4)
    array([[-1.,  1.],
           [ 0.,  0.]])
    """

    def __init__(self, n: int, eps: float = 1e-5, **where: Any) -> None:
        super().__init__(**where)
        self.n = check_count(n, "n")
        self.eps = check_positive(eps, "eps")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``gamma x^ + beta``; residuals are ``x^`` and the factor of x."""
        xp = cx.xp
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        variance = xp.mean(centred * centred, axis=-1, keepdims=True)
        factor = 1.0 / xp.sqrt(variance + self.eps)
        normal = centred * factor
        return cx.params["gamma"] * normal + cx.params["beta"], (normal, factor)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Write ``dgamma`` and ``dbeta``, and return ``dx``."""
        xp, (normal, factor) = cx.xp, residuals
        self.write_gradients(cx, normal, dy)
        g = cx.params["gamma"] * dy
        mean = xp.mean(g, axis=-1, keepdims=True)
        slope = xp.mean(g * normal, axis=-1, keepdims=True)
        return factor * (g - mean - normal * slope)
