"""Layer normalization."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable
from nnfs_xp.layers.normalization import _Normalization
from nnfs_xp.registry import register


@register("layer")
class LayerNorm(_Normalization):
    """Layer normalization over the last axis.

    Let ``m`` and ``v`` be the mean and the variance of the n features of each sample::

        x^ = (x - m) / sqrt(v + eps)        y = gamma x^ + beta
        g = gamma dy
        dx = (g - mean(g) - x^ mean(g x^)) / sqrt(v + eps)
        dgamma = sum(dy x^)                 dbeta = sum(dy)

    The means are taken over the features, the sums over everything else. Samples are
    independent of each other, so the layer computes the same during and outside
    training.

    Parameters
    ----------
    n : int
        Number of features, the length of the last axis.
    eps : float, default 1e-5
        Number above 0 that is added to the variance.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    gamma, beta : array, shape (n,)
        Gain and shift, which are trained.

    Raises
    ------
    InputError
        If an argument is out of range.

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
        """Return ``gamma x^ + beta``; residuals are ``x^`` and the factor."""
        params = cx.params
        return layer_norm(
            cx.be, x, params["gamma"], params["beta"], self.eps, cx.training
        )

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Write ``dgamma`` and ``dbeta``, and return ``dx``."""
        gamma = cx.params["gamma"]
        dx, dgamma, dbeta = layer_norm_backward(cx.be, residuals, gamma, dy)
        if cx.learns:
            cx.grads["gamma"], cx.grads["beta"] = dgamma, dbeta
        return dx


@portable
def layer_norm(
    be: Backend, x: Array, gamma: Array, beta: Array, eps: float, training: bool
) -> tuple[Array, Any]:
    """Return ``gamma x^ + beta``; residuals are ``x^`` and the factor of x.

    An implementation may round differently during and outside training.
    """
    xp = be.xp
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    factor = 1.0 / xp.sqrt(variance + eps)
    normal = centred * factor
    return gamma * normal + beta, (normal, factor)


@portable
def layer_norm_backward(
    be: Backend, residuals: Any, gamma: Array, dy: Array
) -> tuple[Array, Array, Array]:
    """Return the gradients of inputs, gain and shift of `layer_norm`."""
    xp, (normal, factor) = be.xp, residuals
    g = gamma * dy
    mean = xp.mean(g, axis=-1, keepdims=True)
    slope = xp.mean(g * normal, axis=-1, keepdims=True)
    axes = tuple(range(dy.ndim - 1))
    dgamma, dbeta = xp.sum(dy * normal, axis=axes), xp.sum(dy, axis=axes)
    return factor * (g - mean - normal * slope), dgamma, dbeta
