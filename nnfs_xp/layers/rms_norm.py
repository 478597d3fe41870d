"""Normalization by the root of the mean square."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable
from nnfs_xp.layers.normalization import _Normalization
from nnfs_xp.registry import register


@register("layer")
class RMSNorm(_Normalization):
    """Root mean square normalization over the last axis.

    The mean is taken over the n features of each sample::

        f = 1 / sqrt(mean(x^2) + eps)       x^ = f x        y = gamma x^
        g = gamma dy
        dx = f (g - x^ mean(g x^))          dgamma = sum(dy x^)

    Unlike `LayerNorm`, the layer neither subtracts a mean nor adds a shift.

    Parameters
    ----------
    n : int
        Number of features, the length of the last axis.
    eps : float, default 1e-6
        Number above 0 that is added to the mean square.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    gamma : array, shape (n,)
        The gain, which is trained.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    Zhang and Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019, equation
    4. PyTorch's default ``eps`` is the distance from 1 to the next number.

    Examples
    --------
    >>> from nnfs_xp import RMSNorm
    >>> RMSNorm(2, dtype="float64").forward([[1.0, 7.0], [30.0, 40.0]]).round(4)
    array([[0.2   , 1.4   ],
           [0.8485, 1.1314]])
    """

    def __init__(self, n: int, eps: float = 1e-6, **where: Any) -> None:
        super().__init__(**where)
        self.n = check_count(n, "n")
        self.eps = check_positive(eps, "eps")

    def parameters(self) -> dict[str, tuple[Any, ...]]:
        """Return initializer and shape of the gain."""
        return {"gamma": ("ones", (self.n,))}

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``gamma x^``; residuals are ``x^`` and the factor of x."""
        return rms_norm(cx.be, x, cx.params["gamma"], self.eps)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Write ``dgamma``, and return ``dx``."""
        dx, dgamma = rms_norm_backward(cx.be, residuals, cx.params["gamma"], dy)
        if cx.learns:
            cx.grads["gamma"] = dgamma
        return dx


@portable
def rms_norm(be: Backend, x: Array, gamma: Array, eps: float) -> tuple[Array, Any]:
    """Return ``gamma x^``; residuals are ``x^`` and the factor of x."""
    square = be.xp.mean(x * x, axis=-1, keepdims=True)
    factor = 1.0 / be.xp.sqrt(square + eps)
    normal = x * factor
    return gamma * normal, (normal, factor)


@portable
def rms_norm_backward(
    be: Backend, residuals: Any, gamma: Array, dy: Array
) -> tuple[Array, Array]:
    """Return the gradients of inputs and gain of `rms_norm`."""
    xp, (normal, factor) = be.xp, residuals
    g = gamma * dy
    slope = xp.mean(g * normal, axis=-1, keepdims=True)
    dgamma = xp.sum(dy * normal, axis=tuple(range(dy.ndim - 1)))
    return factor * (g - normal * slope), dgamma
