"""The formulas of batch normalization, forward and backward, and its statistics."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.backends import Array, Backend
from nnfs_xp.engine.context import Context
from nnfs_xp.kernels import portable


@portable
def batch_norm(
    be: Backend,
    x: Array,
    gamma: Array,
    beta: Array,
    mean: Array,
    variance: Array,
    momentum: float,
    eps: float,
) -> tuple[Array, Any, Array, Array]:
    """Return ``gamma x^ + beta``, its residuals, and the running statistics after it.

    Residuals are ``x^`` and the factor of x. The statistics are taken over all axes of
    the batch but the last.
    """
    xp, axes = be.xp, tuple(range(x.ndim - 1))
    m = xp.mean(x, axis=axes)
    centred = x - m
    v = xp.mean(centred * centred, axis=axes)
    count = math.prod(x.shape[:-1])
    running = followed((mean, variance), (m, v), count, momentum)
    return *normalized(be, centred, v, gamma, beta, eps), *running


@portable
def batch_norm_backward(
    be: Backend, residuals: Any, gamma: Array, dy: Array
) -> tuple[Array, Array, Array]:
    """Return the gradients of inputs, gain and shift of `batch_norm`."""
    xp, axes = be.xp, tuple(range(dy.ndim - 1))
    sums = xp.sum(dy * residuals[0], axis=axes), xp.sum(dy, axis=axes)
    count = math.prod(dy.shape[:-1])
    return inputs_gradient(gamma, residuals, dy, sums, count), *sums


def normalized(
    be: Backend, centred: Array, variance: Array, gamma: Array, beta: Array, eps: float
) -> tuple[Array, Any]:
    """Return ``gamma x^ + beta``, with ``x^`` and its factor."""
    factor = 1.0 / be.xp.sqrt(variance + eps)
    normal = centred * factor
    return gamma * normal + beta, (normal, factor)


def inputs_gradient(
    gamma: Array, residuals: Any, dy: Array, sums: Any, count: int
) -> Array:
    """Return ``dx``, given the sums of ``dy x^`` and of ``dy`` over N values."""
    normal, factor = residuals
    slope, mean = (total / count for total in sums)
    return gamma * factor * (dy - mean - normal * slope)


def followed(known: Any, own: Any, count: int, momentum: float) -> tuple[Array, Array]:
    """Return running statistics after a batch, given its mean and variance."""
    if count < 2:
        return known
    mean, variance = own
    new = mean, variance * (count / (count - 1))
    found = [
        (1 - momentum) * old + momentum * one
        for old, one in zip(known, new, strict=True)
    ]
    return found[0], found[1]


def over_ranks(cx: Context, x: Array) -> tuple[int, Array, Array]:
    """Return count, mean and variance of the values of all ranks.

    With the count N_r, mean m_r and variance v_r of each rank::

        m = sum(N_r m_r) / N        v = sum(N_r (v_r + (m_r - m)^2)) / N

    References
    ----------
    Chan, Golub and LeVeque, "Algorithms for Computing the Sample Variance", The
    American Statistician 37, 1983.
    """
    xp, axes, count = cx.xp, tuple(range(x.ndim - 1)), math.prod(x.shape[:-1])
    # Without rows the mean is 0, not NaN.
    own = xp.sum(x, axis=axes) / max(count, 1)
    squares = xp.sum((x - own) * (x - own), axis=axes) / max(count, 1)
    counts, means, variances = cx.across.gather(float(count), own, squares)
    total = round(float(cx.be.read([xp.sum(counts)])[0]))
    parts = counts[:, None] / total
    mean = xp.sum(parts * means, axis=0)
    apart = means - mean
    return total, mean, xp.sum(parts * (variances + apart * apart), axis=0)
