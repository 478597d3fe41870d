"""Group normalization."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_count, check_positive
from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.errors import InputError
from nnfs_xp.kernels import portable
from nnfs_xp.layers.normalization import _Normalization
from nnfs_xp.registry import register


@register("layer")
class GroupNorm(_Normalization):
    """Group normalization: over each group of channels, at all positions of a sample.

    The last axis is split into groups. Let ``m`` and ``v`` be the mean and the variance
    of the values of a group, over all positions of a sample::

        x^ = (x - m) / sqrt(v + eps)        y = gamma x^ + beta
        g = gamma dy
        dx = (g - mean(g) - x^ mean(g x^)) / sqrt(v + eps)
        dgamma = sum(dy x^)                 dbeta = sum(dy)

    The means are taken over a group, the sums over everything but the channels. With
    one group, the layer normalizes whole samples; with n groups, it normalizes each
    channel separately. Samples are independent of each other, so the layer computes the
    same during and outside training.

    Parameters
    ----------
    n : int
        Number of channels, the length of the last axis.
    groups : int
        Number of groups, which must divide `n`.
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
    Wu and He, "Group Normalization", ECCV 2018, section 3.1.

    Examples
    --------
    >>> from nnfs_xp import GroupNorm
    >>> layer = GroupNorm(4, 2, dtype="float64")
    >>> layer.forward([[1.0, 3.0, 50.0, 70.0]]).round(4)
    array([[-1.,  1., -1.,  1.]])
    """

    def __init__(self, n: int, groups: int, eps: float = 1e-5, **where: Any) -> None:
        super().__init__(**where)
        self.n = check_count(n, "n")
        self.groups = check_count(groups, "groups")
        if self.n % self.groups:
            raise InputError(f"groups must divide n {self.n}, got {self.groups}")
        self.eps = check_positive(eps, "eps")

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``gamma x^ + beta``; residuals are ``x^`` and the factor of x."""
        gamma, beta = cx.params["gamma"], cx.params["beta"]
        return group_norm(cx.be, x, gamma, beta, self.groups, self.eps)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Write ``dgamma`` and ``dbeta``, and return ``dx``."""
        dx, dgamma, dbeta = group_norm_backward(
            cx.be, residuals, cx.params["gamma"], dy, self.groups
        )
        if cx.learns:
            cx.grads["gamma"], cx.grads["beta"] = dgamma, dbeta
        return dx


@portable
def group_norm(
    be: Backend, x: Array, gamma: Array, beta: Array, groups: int, eps: float
) -> tuple[Array, Any]:
    """Return ``gamma x^ + beta``; residuals are ``x^`` and the factor of x."""
    xp, parts = be.xp, _in_groups(be, x, groups)
    centred = parts - xp.mean(parts, axis=(1, 3), keepdims=True)
    variance = xp.mean(centred * centred, axis=(1, 3), keepdims=True)
    factor = 1.0 / xp.sqrt(variance + eps)
    normal = xp.reshape(centred * factor, x.shape)
    return gamma * normal + beta, (normal, factor)


@portable
def group_norm_backward(
    be: Backend, residuals: Any, gamma: Array, dy: Array, groups: int
) -> tuple[Array, Array, Array]:
    """Return the gradients of inputs, gain and shift of `group_norm`."""
    xp, (normal, factor) = be.xp, residuals
    axes = tuple(range(dy.ndim - 1))
    dgamma, dbeta = xp.sum(dy * normal, axis=axes), xp.sum(dy, axis=axes)
    g, normal = _in_groups(be, gamma * dy, groups), _in_groups(be, normal, groups)
    mean = xp.mean(g, axis=(1, 3), keepdims=True)
    slope = xp.mean(g * normal, axis=(1, 3), keepdims=True)
    dx = xp.reshape(factor * (g - mean - normal * slope), dy.shape)
    return dx, dgamma, dbeta


def _in_groups(be: Backend, x: Array, groups: int) -> Array:
    """Return an array as (samples, positions, groups, channels of a group)."""
    shape = (x.shape[0], -1, groups, x.shape[-1] // groups)
    return be.xp.reshape(x, shape)
