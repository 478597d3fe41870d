"""Batch normalization."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_count, check_decay, check_positive
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.normalization import _Normalization
from nnfs_xp.registry import register


@register("layer")
class BatchNorm(_Normalization):
    """Batch normalization over all axes but the last.

    In training, with mean ``m`` and variance ``v`` of each feature over the batch::

        x^ = (x - m) / sqrt(v + eps)        y = gamma x^ + beta
        dx = gamma / sqrt(v + eps) (dy - mean(dy) - x^ mean(dy x^))
        dgamma = sum(dy x^)                 dbeta = sum(dy)

    The means are taken over the N values of a feature. Otherwise, and where the layer
    is frozen, running statistics take the place of m and v, and ``dx = dy gamma /
    sqrt(v + eps)``. They follow those of the batches, the variance with divisor
    N - 1 as in PyTorch::

        mean     = (1 - momentum) mean + momentum m
        variance = (1 - momentum) variance + momentum v N / (N - 1)

    A batch with one value of a feature has no variance, and leaves them as they are.

    Parameters
    ----------
    n : int
        Number of features, the length of the last axis.
    momentum : float, default 0.1
        Weight of the last batch, from 0 up to, not including, 1; PyTorch's default.
        Keras counts the other way, and takes what would be 0.01 here.
    eps : float, default 1e-5
        Added to the variance, above 0.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    gamma, beta : array, shape (n,)
        Gain and shift, which are trained.
    mean, variance : array, shape (n,)
        The running statistics, which are not.

    Raises
    ------
    InputError
        If an argument is out of its range.

    References
    ----------
    Ioffe and Szegedy, "Batch Normalization", ICML 2015, algorithm 1.

    Examples
    --------
    >>> from nnfs_xp import BatchNorm
    >>> layer = BatchNorm(1, dtype="float64")
    >>> layer.forward([[1.0], [3.0]]).round(4)
    array([[-1.],
           [ 1.]])
    >>> layer.mean, layer.variance
    (array([0.2]), array([1.1]))
    """

    def __init__(
        self, n: int, momentum: float = 0.1, eps: float = 1e-5, **where: Any
    ) -> None:
        super().__init__(**where)
        self.n = check_count(n, "n")
        self.momentum = check_decay(momentum, "momentum")
        self.eps = check_positive(eps, "eps")

    def state(self) -> dict[str, tuple[float, tuple[int, ...]]]:
        """Return the running statistics: mean 0, variance 1."""
        return {"mean": (0.0, (self.n,)), "variance": (1.0, (self.n,))}

    def fwd(self, cx: Context, x: Array) -> tuple[Array, Any]:
        """Return ``gamma x^ + beta``; residuals are ``x^``, the factor of x, and N.

        N is None where running statistics were used.
        """
        xp, axes, kept = cx.xp, tuple(range(x.ndim - 1)), cx.buffers
        if cx.training and cx.learns:
            count = math.prod(x.shape[:-1])
            mean = xp.mean(x, axis=axes)
            centred = x - mean
            variance = xp.mean(centred * centred, axis=axes)
            if count > 1:
                unbiased = variance * (count / (count - 1))
                for name, new in (("mean", mean), ("variance", unbiased)):
                    kept[name] = (1 - self.momentum) * kept[name] + self.momentum * new
        else:
            count, centred, variance = None, x - kept["mean"], kept["variance"]
        factor = 1.0 / xp.sqrt(variance + self.eps)
        normal = centred * factor
        return cx.params["gamma"] * normal + cx.params["beta"], (normal, factor, count)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Write ``dgamma`` and ``dbeta``, and return ``dx``."""
        xp, (normal, factor, count) = cx.xp, residuals
        axes, gain = tuple(range(dy.ndim - 1)), cx.params["gamma"] * factor
        self.write_gradients(cx, normal, dy)
        if count is None or not cx.needs_dx:
            return dy * gain
        mean, slope = xp.mean(dy, axis=axes), xp.mean(dy * normal, axis=axes)
        return gain * (dy - mean - normal * slope)
