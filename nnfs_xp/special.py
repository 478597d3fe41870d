"""Functions that the standard lacks, or that overflow if written as they are read.

Each is a few passes over the array, exact at any magnitude of its argument.
"""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend
from nnfs_xp.kernels import portable
from nnfs_xp.kernels.constants import ERFCX_FLOAT32, ERFCX_FLOAT64


def sigmoid(be: Backend, x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``.

    With ``e = exp(-|x|)``, which is at most 1, that is ``1 / (1 + e)`` for an x
    of 0 or more, and ``e / (1 + e)`` for others, however small.
    """
    xp = be.xp
    decay = xp.exp(-xp.abs(x))
    # The larger of decay and (1 or 0) is what `where` would choose. On NumPy a
    # random choice costs as much as the exponential.
    return xp.maximum(decay, xp.astype(x >= 0, x.dtype)) / (1.0 + decay)


def at_least_tiny(be: Backend, p: Array) -> Array:
    """Return probabilities as they count in gradients: 1e-31 in float32 at least.

    A loss divides by a probability, and the activation before it multiplies by
    the same one. Both of them take this number for a smaller one, such as a 0 that
    has been rounded to it: so the quotient is finite, and their product exact.

    The number is the smallest normal one over the rounding error of 1, 1e-292 in
    float64. Over it, a weight up to 1e7 is finite, or 1e15 in float64.
    """
    info = be.xp.finfo(be.dtype)
    tiny = float(info.smallest_normal) / float(info.eps)
    return be.xp.maximum(p, be.constant(tiny))


def sign(be: Backend, x: Array) -> Array:
    """Return -1, 0 or 1, and NaN for NaN.

    The standard has it, but CuPy's, made to fit the standard, waits for the
    device.
    """
    one = be.constant(1.0)
    return be.xp.where(x > 0, one, be.xp.where(x < 0, -one, x))


@portable
def softplus(be: Backend, x: Array) -> Array:
    """Return ``log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))``."""
    xp = be.xp
    return xp.maximum(x, be.zero) + xp.log1p(xp.exp(-xp.abs(x)))


@portable
def softmax(be: Backend, z: Array, axis: int) -> Array:
    """Return ``exp(z) / sum(exp(z))`` along an axis."""
    xp = be.xp
    exponentials = xp.exp(z - xp.max(z, axis=axis, keepdims=True))
    return exponentials / xp.sum(exponentials, axis=axis, keepdims=True)


def log_softmax(be: Backend, z: Array) -> Array:
    """Return ``z - log(sum(exp(z)))`` along the last axis."""
    xp = be.xp
    shifted = z - xp.max(z, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def erfc(be: Backend, x: Array) -> Array:
    """Return ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from x on.

    The relative error is below 1e-15 in float64 and 1e-6 in float32, wherever
    the result is a normal number: up to 26.5 and 9.1. ``erfc(-x)`` is
    ``2 - erfc(x)``.
    """
    xp = be.xp
    # From 30 on the result is 0 in both precisions.
    a = xp.minimum(xp.abs(x), be.constant(30.0))
    # exp(-a^2) would make a relative error of the rounding error of a^2. The
    # square of h is exact, and what is left, a^2 - h^2, is small.
    h = xp.floor(a * 256.0) * (1.0 / 256.0)
    # In this order: XLA makes of a product of exponentials one of a sum.
    tail = xp.exp(-h * h) * erfcx(be, a) * xp.exp((h - a) * (h + a))
    side = sign(be, x)
    return (1.0 - side) + side * tail


def erfcx(be: Backend, x: Array) -> Array:
    """Return ``exp(x^2) erfc(x)`` for x from 0 to 30.

    It falls from 1 like ``1 / (x sqrt(pi))``, and so is well approximated by
    one rational function, ``t P(t) / Q(t)`` with ``t = 1 / (x + 1.5)``. Such
    approximations of erfc are due to W. J. Cody, "Rational Chebyshev
    approximations for the error function", Math. Comp. 23 (1969), who takes
    three for different x; one for all needs no choice between them. P and Q
    were fitted for the smallest relative error, 6e-17 for float64 and 2e-8
    for float32.
    """
    p, q = ERFCX_FLOAT64 if be.dtype_name == "float64" else ERFCX_FLOAT32
    t = 1.0 / (x + 1.5)
    value = _polynomial(p, t)
    value *= t
    value /= _polynomial(q, t)
    return value


def _polynomial(coefficients: tuple[float, ...], t: Array) -> Array:
    """Return the polynomial's value by Horner's rule."""
    first, second, *others = coefficients
    value = first * t
    value += second
    for coefficient in others:
        value *= t
        value += coefficient
    return value
