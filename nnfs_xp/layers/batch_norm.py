"""Batch normalization."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_count, check_decay, check_flag, check_positive
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
    synchronized : bool, default True
        Whether, in a training on several ranks, m and v are those of the whole batch,
        as in one process. If not, each rank takes those of its own rows, which costs
        no messages, and the running statistics follow the mean over the ranks.
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
        self,
        n: int,
        momentum: float = 0.1,
        eps: float = 1e-5,
        *,
        synchronized: bool = True,
        **where: Any,
    ) -> None:
        super().__init__(**where)
        self.n = check_count(n, "n")
        self.momentum = check_decay(momentum, "momentum")
        self.eps = check_positive(eps, "eps")
        self.synchronized = check_flag(synchronized, "synchronized")

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
            if self._is_shared(cx):
                count, mean, variance = _over_ranks(cx, x, axes, count)
                centred = x - mean
            else:
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
        if self._is_shared(cx):
            sums = xp.sum(dy, axis=axes), xp.sum(dy * normal, axis=axes)
            mean, slope = (total / count for total in cx.across.sum(*sums))
        else:
            mean, slope = xp.mean(dy, axis=axes), xp.mean(dy * normal, axis=axes)
        return gain * (dy - mean - normal * slope)

    def _is_shared(self, cx: Context) -> bool:
        """Return whether the batch is that of several ranks, as a whole."""
        return self.synchronized and cx.across is not None


def _over_ranks(
    cx: Context, x: Array, axes: tuple[int, ...], count: int
) -> tuple[int, Array, Array]:
    """Return count, mean and variance of the values of all ranks.

    With the count N_r, mean m_r and variance v_r of each rank::

        m = sum(N_r m_r) / N        v = sum(N_r (v_r + (m_r - m)^2)) / N

    References
    ----------
    Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", The
    American Statistician 37, 1983.
    """
    xp = cx.xp
    # Of no rows the mean is 0, and not NaN.
    own = xp.sum(x, axis=axes) / max(count, 1)
    squares = xp.sum((x - own) * (x - own), axis=axes) / max(count, 1)
    counts, means, variances = cx.across.gather(float(count), own, squares)
    total = round(float(cx.be.read([xp.sum(counts)])[0]))
    parts = counts[:, None] / total
    mean = xp.sum(parts * means, axis=0)
    apart = means - mean
    return total, mean, xp.sum(parts * (variances + apart * apart), axis=0)
