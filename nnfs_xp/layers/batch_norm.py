"""Batch normalization."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.arguments import check_count, check_decay, check_flag, check_positive
from nnfs_xp.backends import Array
from nnfs_xp.engine.context import Context
from nnfs_xp.layers.batch_normalization import (
    batch_norm,
    batch_norm_backward,
    followed,
    inputs_gradient,
    normalized,
    over_ranks,
)
from nnfs_xp.layers.normalization import _Normalization
from nnfs_xp.registry import register


@register("layer")
class BatchNorm(_Normalization):
    """Batch normalization over all axes but the last.

    In training, let ``m`` and ``v`` be the mean and the variance of each feature over
    the batch::

        x^ = (x - m) / sqrt(v + eps)        y = gamma x^ + beta
        dx = gamma / sqrt(v + eps) (dy - mean(dy) - x^ mean(dy x^))
        dgamma = sum(dy x^)                 dbeta = sum(dy)

    The means are taken over the N values of a feature. Outside training, and in a
    frozen layer, running statistics replace m and v, and
    ``dx = dy gamma / sqrt(v + eps)``. Each training step updates the running
    statistics. The variance then has the divisor N - 1, as in PyTorch::

        mean     = (1 - momentum) mean + momentum m
        variance = (1 - momentum) variance + momentum v N / (N - 1)

    A batch with a single value per feature has no variance and does not change the
    running statistics.

    Parameters
    ----------
    n : int
        Number of features, the length of the last axis.
    momentum : float, default 0.1
        Weight of the current batch, in [0, 1). The default is PyTorch's. Keras defines
        the momentum the other way around; its default corresponds to 0.01 here.
    eps : float, default 1e-5
        Number above 0 that is added to the variance.
    synchronized : bool, default True
        Whether training on several ranks uses m and v of the whole batch, as one
        process does. If False, each rank uses the statistics of its own rows, which
        needs no communication, and the running statistics are updated with the mean
        over the ranks.
    backend, device, dtype : optional
        See `Layer`.

    Attributes
    ----------
    gamma, beta : array, shape (n,)
        Gain and shift, which are trained.
    mean, variance : array, shape (n,)
        The running statistics, which are not trained.

    Raises
    ------
    InputError
        If an argument is out of range.

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
        kept, params = cx.buffers, cx.params
        gain = params["gamma"], params["beta"]
        known = kept["mean"], kept["variance"]
        if not (cx.training and cx.learns):
            count, (mean, variance) = None, known
        elif self._is_shared(cx):
            count, mean, variance = over_ranks(cx, x)
            new = followed(known, (mean, variance), count, self.momentum)
            kept["mean"], kept["variance"] = new
        else:
            options = *known, self.momentum, self.eps
            y, residuals, *new = batch_norm(cx.be, x, *gain, *options)
            kept["mean"], kept["variance"] = new
            return y, (*residuals, math.prod(x.shape[:-1]))
        y, residuals = normalized(cx.be, x - mean, variance, *gain, self.eps)
        return y, (*residuals, count)

    def bwd(self, cx: Context, residuals: Any, dy: Array) -> Array:
        """Write ``dgamma`` and ``dbeta``, and return ``dx``."""
        xp, gamma, (normal, factor, count) = cx.xp, cx.params["gamma"], residuals
        if count is not None and cx.needs_dx and not self._is_shared(cx):
            dx, *sums = batch_norm_backward(cx.be, (normal, factor), gamma, dy)
            cx.grads["gamma"], cx.grads["beta"] = sums
            return dx
        self._write_gradients(cx, normal, dy)
        if count is None or not cx.needs_dx:
            return dy * (gamma * factor)
        axes = tuple(range(dy.ndim - 1))
        own = xp.sum(dy * normal, axis=axes), xp.sum(dy, axis=axes)
        return inputs_gradient(gamma, (normal, factor), dy, cx.across.sum(*own), count)

    def _write_gradients(self, cx: Context, normal: Array, dy: Array) -> None:
        """Write the sums of ``dy x^`` and ``dy`` over all axes but the last."""
        if cx.learns:
            axes = tuple(range(dy.ndim - 1))
            cx.grads["gamma"] = cx.xp.sum(dy * normal, axis=axes)
            cx.grads["beta"] = cx.xp.sum(dy, axis=axes)

    def _is_shared(self, cx: Context) -> bool:
        """Return whether the statistics are those of the batch of all ranks."""
        return self.synchronized and cx.across is not None
