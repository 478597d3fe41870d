"""Loops over memory, as numba compiles them; Python never runs them.

One pass takes the place of several of NumPy's. A function with annotations is a loop,
which `compiled` builds for float32 and for float64, with `real` as either of them; all
others are parts of loops. All are in this file, as what was compiled is kept for as
long as its text is the same.

An argument is a `Count` or a flag, a number (`Double`, or `Real` if it is to be rounded
to the precision), or memory without gaps: `Reals`, `Ints` of 32 bits, `Longs` of 64.
Nothing is checked here. NaN and infinity go the way that they go in the references.
"""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Count: TypeAlias = Any
Real: TypeAlias = Any
Double: TypeAlias = Any
Reals: TypeAlias = Any
Ints: TypeAlias = Any
Longs: TypeAlias = Any

real: Any = np.float32

# What makes an address memory, as `compiled` sets it.
as_Reals: Any = None
as_Ints: Any = None

# Columns of the table that `accumulate` goes through: addresses of a total, of a slot
# for what the batch adds, and of numbers; how many these are; a number without an
# address; and whether all are integers. There is 0 for no address.
TOTAL, SLOT, VALUES, LENGTH, NUMBER, INTEGER, COLUMNS = range(7)

# Elements of a block of rows, which stays in the first cache.
BLOCK = 4096


def exp_float32(x):
    """Return the exponential of an x of 0 or less, within a unit in the last place.

    ``exp(x) = 2^n exp(r)``, for the integer n that makes r smallest and a polynomial in
    r. The coefficients, and log(2) in two parts, are those of S. L. Moshier's library
    Cephes. What would be denormal is 0.
    """
    near = x if x > real(-87.3) else real(-87.3)
    n = np.floor(near * real(1.44269504088896341) + real(0.5))
    r = near - n * real(0.693359375)
    r = r - n * real(-2.12194440e-4)
    p = real(1.9875691500e-4)
    p = p * r + real(1.3981999507e-3)
    p = p * r + real(8.3334519073e-3)
    p = p * r + real(4.1665795894e-2)
    p = p * r + real(1.6666665459e-1)
    p = p * r + real(5.0000001201e-1)
    p = p * (r * r) + r + real(1.0)
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return p * power if x > real(-87.3) else (real(0.0) if x == x else x)


def exp_float64(x):
    """Return the exponential."""
    return math.exp(x)


# One of the two.
exp: Any = exp_float32


def sigmoid(x):
    """Return ``1 / (1 + exp(-x))``, as `nnfs_xp.special.sigmoid` does."""
    decay = exp(-abs(x))
    return (real(1.0) if x >= real(0.0) else decay) / (real(1.0) + decay)


# Gradients of activations, from one or two residuals and the parameter of each.


def relu(y, _, dy, parameter):
    """Return the gradient of `ReLU`."""
    return dy if y > real(0.0) else real(0.0)


def leaky_relu(x, _, dy, parameter):
    """Return the gradient of `LeakyReLU`."""
    return (real(1.0) if x > real(0.0) else parameter) * dy


def elu(x, left, dy, parameter):
    """Return the gradient of `ELU`."""
    return ((real(1.0) if x > real(0.0) else parameter) + left) * dy


def logistic(y, _, dy, parameter):
    """Return the gradient of `Sigmoid`; the parameter is the least slope."""
    slope = (real(1.0) - y) * y
    return (parameter if slope < parameter else slope) * dy


def tanh(y, _, dy, parameter):
    """Return the gradient of `Tanh`."""
    return (real(1.0) - y * y) * dy


def silu(y, s, dy, parameter):
    """Return the gradient of `SiLU`; the parameter bounds y."""
    return ((parameter if y > parameter else y) * (real(1.0) - s) + s) * dy


def softplus(x, _, dy, parameter):
    """Return the gradient of `Softplus`."""
    return sigmoid(x) * dy


def gelu_tanh(x, s, dy, parameter):
    """Return the gradient of `GELU` by a sigmoid; the parameter is sqrt(8 / pi)."""
    inner = parameter * (real(1.0) + real(3 * 0.044715) * x * x)
    return s * (real(1.0) + inner * x * (real(1.0) - s)) * dy


# Of these the one that a loop is built with.
gradient: Any = relu


def add_bias(n: Count, k: Count, z: Reals, biases: Reals):
    """Add a row of biases to each row, in place."""
    for i in range(n):
        for j in range(k):
            z[i * k + j] += biases[j]


def add_bias_relu(n: Count, k: Count, z: Reals, biases: Reals):
    """Add a row of biases to each row, and apply `ReLU`, in place."""
    for i in range(n):
        for j in range(k):
            y = z[i * k + j] + biases[j]
            z[i * k + j] = real(0.0) if y <= real(0.0) else y


def activation_backward(
    n: Count, first: Reals, second: Reals, parameter: Real, dy: Reals, dx: Reals
):
    """Go back through an activation."""
    for i in range(n):
        dx[i] = gradient(first[i], second[i], dy[i], parameter)


def activation_bias_backward(
    n: Count, k: Count, first: Reals, second: Reals, parameter: Real, dy: Reals,
    dz: Reals, sums: Reals,
):  # fmt: skip
    """Go back through an activation, and sum its gradient up over the rows."""
    for j in range(k):
        sums[j] = real(0.0)
    rows = max(1, BLOCK // max(1, k))
    for begin in range(0, n, rows):
        end = min(n, begin + rows)
        for at in range(begin * k, end * k):
            dz[at] = gradient(first[at], second[at], dy[at], parameter)
        by_fours = begin + (end - begin) // 4 * 4
        for i in range(begin, by_fours, 4):
            one, two, three, four = i * k, (i + 1) * k, (i + 2) * k, (i + 3) * k
            for j in range(k):
                sums[j] += (dz[one + j] + dz[two + j]) + (dz[three + j] + dz[four + j])
        for i in range(by_fours, end):
            for j in range(k):
                sums[j] += dz[i * k + j]


def softmax_cross_entropy_with_gradient(
    n: Count, k: Count, z: Reals, labels: Ints, long_labels: Longs, are_long: Count,
    weight: Real, weights: Reals, are_weighted: Count, dz: Reals, losses: Reals,
):  # fmt: skip
    """Write losses and gradient; a label that is no class adds nothing to either."""
    rows = max(1, BLOCK // k)
    for begin in range(0, n, rows):
        end = min(n, begin + rows)
        for i in range(begin, end):
            top = z[i * k]
            for at in range(i * k + 1, i * k + k):
                top = z[at] if z[at] > top else top
            for at in range(i * k, i * k + k):
                dz[at] = z[at] - top
            losses[i] = top
        for at in range(begin * k, end * k):
            dz[at] = exp(dz[at])
        for i in range(begin, end):
            total = row_sum(dz, i * k, k)
            factor = weights[i] if are_weighted else weight
            scale = factor / total
            for at in range(i * k, i * k + k):
                dz[at] *= scale
            label = long_labels[i] if are_long else np.int64(labels[i])
            if label >= 0 and label < k:
                losses[i] = math.log(total) + (losses[i] - z[i * k + label])
                dz[i * k + label] -= factor
            else:
                losses[i] = real(0.0)


def row_sum(x, begin, k):
    """Return the sum of k numbers."""
    total = real(0.0)
    for j in range(k):
        total += x[begin + j]
    return total


def count_correct(
    n: Count, k: Count, scores: Reals, labels: Ints, long_labels: Longs,
    are_long: Count, ignored: Count, ignores: Count, correct: Ints, counted: Ints,
):  # fmt: skip
    """Count rows whose first largest score is that of the label, and all rows."""
    right, counting = 0, 0
    for i in range(n):
        label = long_labels[i] if are_long else np.int64(labels[i])
        if ignores and label == ignored:
            continue
        counting += 1
        best, top, is_number = 0, scores[i * k], True
        for j in range(k):
            score = scores[i * k + j]
            is_number = is_number and score == score
            if score > top:
                best, top = j, score
        right += is_number and best == label
    correct[0], counted[0] = np.int32(right), np.int32(counting)


def accumulate(rows: Count, table: Longs):
    """Add a number, or the sum of some, to each total; see `TOTAL`."""
    for row in range(rows):
        at = row * COLUMNS
        values, length = table[at + VALUES], table[at + LENGTH]
        if table[at + INTEGER]:
            number = np.int32(table[at + NUMBER])
            added = as_Ints(values)[0] if values else number
            as_Ints(table[at + TOTAL])[0] += added
        else:
            amount = real(table[at + NUMBER])
            if values:
                amount = numpy_sum(as_Reals(values), np.int64(0), length)
            as_Reals(table[at + TOTAL])[0] += amount
            if table[at + SLOT]:
                as_Reals(table[at + SLOT])[0] = amount


def numpy_sum(x, begin, n):
    """Return the sum of n numbers as NumPy adds them up, to the bit.

    By halves down to 128 numbers or fewer, and these in eight sums of every eighth
    number, so that rounding errors hardly grow: NumPy's ``pairwise_sum``.
    """
    if n < 8:
        total = real(0.0)
        for i in range(begin, begin + n):
            total += x[i]
        return total
    if n <= 128:
        a, b, c, d = x[begin], x[begin + 1], x[begin + 2], x[begin + 3]
        e, f, g, h = x[begin + 4], x[begin + 5], x[begin + 6], x[begin + 7]
        whole = begin + n // 8 * 8
        for i in range(begin + 8, whole, 8):
            a += x[i]
            b += x[i + 1]
            c += x[i + 2]
            d += x[i + 3]
            e += x[i + 4]
            f += x[i + 5]
            g += x[i + 6]
            h += x[i + 7]
        total = ((a + b) + (c + d)) + ((e + f) + (g + h))
        for i in range(whole, begin + n):
            total += x[i]
        return total
    half = n // 16 * 8
    return numpy_sum(x, begin, half) + numpy_sum(x, begin + half, n - half)


# Optimizers. What is below `least`, the smallest normal number, becomes 0. A moment
# that decays would stay denormal for good, as the smallest number rounds to itself, and
# some processors take a hundred times as long for such numbers.


def sgd(n: Count, w: Reals, dw: Reals, rate: Reals):
    """Take a step of `SGD` without momentum."""
    for i in range(n):
        w[i] -= rate[0] * dw[i]


def sgd_momentum(
    n: Count, w: Reals, dw: Reals, v: Reals, rate: Reals, momentum: Real, least: Real
):
    """Take a step of `SGD` with momentum."""
    factor = rate[0]
    for i in range(n):
        new = flushed(momentum * v[i] - factor * dw[i], least)
        v[i] = new
        w[i] += new


def sgd_nesterov(
    n: Count, w: Reals, dw: Reals, v: Reals, rate: Reals, momentum: Real, least: Real
):
    """Take a step of `SGD` with Nesterov's momentum."""
    factor = rate[0]
    for i in range(n):
        move = factor * dw[i]
        new = flushed(momentum * v[i] - move, least)
        v[i] = new
        w[i] += momentum * new - move


def adagrad(n: Count, w: Reals, dw: Reals, s: Reals, rate: Reals, epsilon: Real):
    """Take a step of `Adagrad`."""
    factor = rate[0]
    for i in range(n):
        new = s[i] + dw[i] * dw[i]
        s[i] = new
        w[i] -= factor * dw[i] / (math.sqrt(new) + epsilon)


def rmsprop(
    n: Count, w: Reals, dw: Reals, s: Reals, rate: Reals, rho: Real, rest: Real,
    epsilon: Real, least: Real,
):  # fmt: skip
    """Take a step of `RMSprop`; `rest` is 1 - rho."""
    factor = rate[0]
    for i in range(n):
        new = flushed(rho * s[i] + rest * (dw[i] * dw[i]), least)
        s[i] = new
        w[i] -= factor * dw[i] / (math.sqrt(new) + epsilon)


def adam(
    n: Count, w: Reals, dw: Reals, m: Reals, v: Reals, step: Ints, rate: Reals,
    beta_1: Real, rest_1: Real, log_1: Double, beta_2: Real, rest_2: Real,
    log_2: Double, epsilon: Double, least: Real, least_square: Real,
):  # fmt: skip
    """Take a step of `Adam`, with the corrections moved into the scalars.

    With ``r = sqrt(1 - beta_2^t)`` the step ``m^ / (sqrt(v^) + epsilon)`` is ``r m /
    (sqrt(v) + r epsilon)`` over ``1 - beta_1^t``. `rest` is 1 - beta.
    """
    root = math.sqrt(-math.expm1(step[0] * log_2))
    factor = real(rate[0] * root / -math.expm1(step[0] * log_1))
    offset = real(root * epsilon)
    for i in range(n):
        new_m = flushed(beta_1 * m[i] + rest_1 * dw[i], least)
        new_v = flushed(beta_2 * v[i] + rest_2 * (dw[i] * dw[i]), least_square)
        m[i] = new_m
        v[i] = new_v
        w[i] -= factor * new_m / (math.sqrt(new_v) + offset)


def adamw(
    n: Count, w: Reals, dw: Reals, m: Reals, v: Reals, step: Ints, rate: Reals,
    beta_1: Real, rest_1: Real, log_1: Double, beta_2: Real, rest_2: Real,
    log_2: Double, epsilon: Double, least: Real, least_square: Real, decay: Double,
):  # fmt: skip
    """Take a step of `AdamW`: `adam`, once the parameters have decayed."""
    root = math.sqrt(-math.expm1(step[0] * log_2))
    factor = real(rate[0] * root / -math.expm1(step[0] * log_1))
    offset = real(root * epsilon)
    lost = real(rate[0] * decay)
    for i in range(n):
        new_m = flushed(beta_1 * m[i] + rest_1 * dw[i], least)
        new_v = flushed(beta_2 * v[i] + rest_2 * (dw[i] * dw[i]), least_square)
        m[i] = new_m
        v[i] = new_v
        old = w[i] - lost * w[i]
        w[i] = old - factor * new_m / (math.sqrt(new_v) + offset)


def flushed(x, least):
    """Return a number, or 0 for one that is smaller than the least."""
    return real(0.0) if abs(x) < least else x
