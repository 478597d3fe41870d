"""Loops over memory, as numba compiles them; Python never runs them.

One pass replaces several of NumPy's. A function with annotations is a loop,
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

from nnfs_xp.kernels.constants import ERFCX_FLOAT32, ERFCX_FLOAT64, HIDDEN_SCORE

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


def log1p_float32(e):
    """Return ``log(1 + e)`` for e from 0 to 1.

    By the series of the inverse hyperbolic tangent: ``2 (s + s^3 / 3 + ...)`` with
    ``s = e / (2 + e)``, which is a third at most.
    """
    s = e / (real(2.0) + e)
    z = s * s
    p = real(1 / 17)
    p = p * z + real(1 / 15)
    p = p * z + real(1 / 13)
    p = p * z + real(1 / 11)
    p = p * z + real(1 / 9)
    p = p * z + real(1 / 7)
    p = p * z + real(1 / 5)
    p = p * z + real(1 / 3)
    return real(2.0) * (s + s * z * p)


def log1p_float64(e):
    """Return ``log(1 + e)``."""
    return math.log1p(e)


log1p: Any = log1p_float32


def tanh_float32(x):
    """Return the hyperbolic tangent, near 0 by a polynomial of Cephes."""
    z = x * x
    p = real(-5.70498872745e-3)
    p = p * z + real(2.06390887954e-2)
    p = p * z - real(5.37397155531e-2)
    p = p * z + real(1.33314422036e-1)
    p = p * z - real(3.33332819422e-1)
    near = p * z * x + x
    decay = exp(real(-2.0) * abs(x))
    far = (real(1.0) - decay) / (real(1.0) + decay)
    far = far if x >= real(0.0) else -far
    return near if abs(x) < real(0.625) else far


def tanh_float64(x):
    """Return the hyperbolic tangent."""
    return math.tanh(x)


tanh: Any = tanh_float32


def erfcx_float32(x):
    """Return ``exp(x^2) erfc(x)`` for x from 0 to 30, see `nnfs_xp.special.erfcx`."""
    t = real(1.0) / (x + real(1.5))
    return t * polynomial(ERFCX_FLOAT32[0], t) / polynomial(ERFCX_FLOAT32[1], t)


def erfcx_float64(x):
    """Return the same in float64."""
    t = 1.0 / (x + 1.5)
    return t * polynomial(ERFCX_FLOAT64[0], t) / polynomial(ERFCX_FLOAT64[1], t)


def polynomial(coefficients, t):
    """Return the value by Horner's rule."""
    value = real(0.0)
    for coefficient in coefficients:
        value = value * t + real(coefficient)
    return value


erfcx: Any = erfcx_float32


def sigmoid(x):
    """Return ``1 / (1 + exp(-x))``, see `nnfs_xp.special.sigmoid`."""
    decay = exp(-abs(x))
    return (real(1.0) if x >= real(0.0) else decay) / (real(1.0) + decay)


def normal(x):
    """Return where `GELU` is bound, the tail of the distribution, and the density."""
    a = real(40.0) if abs(x) > real(40.0) else abs(x)
    bell = exp(real(-0.5) * a * a)
    tail = real(0.5) * bell * erfcx(a * real(math.sqrt(0.5)))
    return a, tail, bell * real(math.sqrt(0.5 / math.pi))


def cubic(x):
    """Return the sigmoid that approximates `GELU`, and the slope inside it."""
    near = real(40.0) if x > real(40.0) else (real(-40.0) if x < real(-40.0) else x)
    scale, square = real(math.sqrt(8.0 / math.pi)), near * near
    s = sigmoid(scale * near * (real(1.0) + real(0.044715) * square))
    return near, s, scale * (real(1.0) + real(3 * 0.044715) * square)


# Activations, and their gradients of what is kept: the output, or else the input.
# Each has one parameter, which some do not use.


def linear_forward(x, parameter):
    """Return the input."""
    return x


def relu_forward(x, parameter):
    """Return the output of `ReLU`."""
    return real(0.0) if x <= real(0.0) else x


def relu(y, dy, parameter):
    """Return the gradient of `ReLU`, of its output."""
    return dy if y > real(0.0) else real(0.0)


def leaky_relu_forward(x, parameter):
    """Return the output of `LeakyReLU`."""
    return x if x > real(0.0) else parameter * x


def leaky_relu(x, dy, parameter):
    """Return the gradient of `LeakyReLU`."""
    return (real(1.0) if x > real(0.0) else parameter) * dy


def elu_forward(x, parameter):
    """Return the output of `ELU`, ``exp(x) - 1`` by a hyperbolic tangent."""
    t = tanh(real(0.5) * x)
    left = parameter * (real(2.0) * t / (real(1.0) - t))
    return x if x > real(0.0) else left


def elu(x, dy, parameter):
    """Return the gradient of `ELU`."""
    left = parameter * exp(real(0.0) if x > real(0.0) else x)
    return (real(1.0) if x > real(0.0) else left) * dy


def logistic_forward(x, parameter):
    """Return the output of `Sigmoid`."""
    return sigmoid(x)


def logistic(y, dy, parameter):
    """Return the gradient of `Sigmoid`, of its output; no slope is below a tiny one."""
    slope = (real(1.0) - y) * y
    return (parameter if slope < parameter else slope) * dy


def hyperbolic_forward(x, parameter):
    """Return the output of `Tanh`."""
    return tanh(x)


def hyperbolic(y, dy, parameter):
    """Return the gradient of `Tanh`, of its output."""
    return (real(1.0) - y * y) * dy


def silu_forward(x, parameter):
    """Return the output of `SiLU`; infinity times 0 would be NaN."""
    return (-parameter if x < -parameter else x) * sigmoid(x)


def silu(x, dy, parameter):
    """Return the gradient of `SiLU`."""
    s = sigmoid(x)
    near = parameter if x > parameter else (-parameter if x < -parameter else x)
    return (near * s * (real(1.0) - s) + s) * dy


def softplus_forward(x, parameter):
    """Return the output of `Softplus`."""
    return (real(0.0) if x <= real(0.0) else x) + log1p(exp(-abs(x)))


def softplus(x, dy, parameter):
    """Return the gradient of `Softplus`."""
    return sigmoid(x) * dy


def gelu_forward(x, parameter):
    """Return the output of `GELU`."""
    a, tail, _ = normal(x)
    return (real(0.0) if x <= real(0.0) else x) - a * tail


def gelu(x, dy, parameter):
    """Return the gradient of `GELU`."""
    a, tail, density = normal(x)
    left = tail - a * density
    return (real(1.0) - left if x > real(0.0) else left) * dy


def gelu_tanh_forward(x, parameter):
    """Return the output of `GELU` by a sigmoid."""
    _, s, _ = cubic(x)
    return (real(-40.0) if x < real(-40.0) else x) * s


def gelu_tanh(x, dy, parameter):
    """Return the gradient of `GELU` by a sigmoid."""
    near, s, inner = cubic(x)
    return s * (real(1.0) + inner * near * (real(1.0) - s)) * dy


# Those that a loop is built with.
forward: Any = relu_forward
gradient: Any = relu


def bias_activation_in_place(
    n: Count, k: Count, z: Reals, biases: Reals, parameter: Real
):
    """Add a row of biases to each row, and apply an activation."""
    for i in range(n):
        for j in range(k):
            z[i * k + j] = forward(z[i * k + j] + biases[j], parameter)


def bias_activation(
    n: Count, k: Count, z: Reals, biases: Reals, parameter: Real, y: Reals
):
    """Add a row of biases to each row, in place, and apply an activation."""
    for i in range(n):
        for j in range(k):
            z[i * k + j] += biases[j]
            y[i * k + j] = forward(z[i * k + j], parameter)


def activation_forward(n: Count, x: Reals, parameter: Real, y: Reals):
    """Apply an activation."""
    for i in range(n):
        y[i] = forward(x[i], parameter)


def activation_backward(n: Count, kept: Reals, parameter: Real, dy: Reals, dx: Reals):
    """Go back through an activation."""
    for i in range(n):
        dx[i] = gradient(kept[i], dy[i], parameter)


def activation_bias_backward(
    n: Count, k: Count, kept: Reals, parameter: Real, dy: Reals, dz: Reals, sums: Reals
):
    """Go back through an activation, and sum its gradient up over the rows."""
    for j in range(k):
        sums[j] = real(0.0)
    rows = max(1, BLOCK // max(1, k))
    for begin in range(0, n, rows):
        end = min(n, begin + rows)
        for at in range(begin * k, end * k):
            dz[at] = gradient(kept[at], dy[at], parameter)
        by_fours = begin + (end - begin) // 4 * 4
        for i in range(begin, by_fours, 4):
            one, two, three, four = i * k, (i + 1) * k, (i + 2) * k, (i + 3) * k
            for j in range(k):
                sums[j] += (dz[one + j] + dz[two + j]) + (dz[three + j] + dz[four + j])
        for i in range(by_fours, end):
            for j in range(k):
                sums[j] += dz[i * k + j]


def fill_rows(
    n: Count, h: Count, w: Count, c: Count, top: Count, left: Count, step: Count,
    high: Count, positions: Count, places: Count, step_along: Count, apart: Count,
    x: Reals, rows: Reals,
):  # fmt: skip
    """Copy what lies below a row of a window; rows are sorted by remainder.

    Outside the images there is 0.
    """
    length = positions * places * c
    for image in range(n):
        for at in range(step * high):
            into = ((image * step + at % step) * high + at // step) * length
            y = at - top
            if y < 0 or y >= h:
                for q in range(length):
                    rows[into + q] = real(0.0)
            else:
                for position in range(positions):
                    for place in range(places):
                        column = position * step_along + place * apart - left
                        if 0 <= column < w:
                            of = ((image * h + y) * w + column) * c
                            for q in range(c):
                                rows[into + q] = x[of + q]
                        else:
                            for q in range(c):
                                rows[into + q] = real(0.0)
                        into += c


def fold_rows(
    n: Count, h: Count, w: Count, c: Count, top: Count, left: Count, step: Count,
    high: Count, positions: Count, places: Count, step_along: Count, apart: Count,
    rows: Reals, dx: Reals,
):  # fmt: skip
    """Add the gradients of what lies below a row of a window to those of images."""
    length = positions * places * c
    for image in range(n):
        for y in range(h):
            at = y + top
            of = ((image * step + at % step) * high + at // step) * length
            into = (image * h + y) * w * c
            for q in range(w * c):
                dx[into + q] = real(0.0)
            for position in range(positions):
                for place in range(places):
                    column = position * step_along + place * apart - left
                    if 0 <= column < w:
                        for q in range(c):
                            dx[into + column * c + q] += rows[of + q]
                    of += c


def max_pool_backward(
    n: Count, h: Count, w: Count, c: Count, rows: Count, columns: Count, high: Count,
    wide: Count, step: Count, step_along: Count, x: Reals, y: Reals, dy: Reals,
    rest: Reals, dx: Reals,
):  # fmt: skip
    """Add each gradient to that of the first value that is the largest."""
    for q in range(n * h * w * c):
        dx[q] = real(0.0)
    of = 0
    for image in range(n):
        for i in range(rows):
            for j in range(columns):
                corner = ((image * h + i * step) * w + j * step_along) * c
                for q in range(c):
                    rest[q] = dy[of + q]
                for row in range(high):
                    for column in range(wide):
                        at = corner + (row * w + column) * c
                        for q in range(c):
                            found = x[at + q] == y[of + q]
                            dx[at + q] += rest[q] if found else real(0.0)
                            rest[q] = real(0.0) if found else rest[q]
                of += c


def softmax_cross_entropy_with_gradient(
    n: Count, k: Count, z: Reals, labels: Ints, long_labels: Longs, are_long: Count,
    weight: Real, weights: Reals, are_weighted: Count, dz: Reals, losses: Reals,
):  # fmt: skip
    """Write losses and gradient; a label that is not a class adds nothing to either."""
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


def row_dot(x, y, begin, k):
    """Return the sum of k products."""
    total = real(0.0)
    for j in range(k):
        total += x[begin + j] * y[begin + j]
    return total


def row_largest(x, begin, k):
    """Return the largest of k numbers, by four that do not wait for each other."""
    a, b, c, d = x[begin], x[begin], x[begin], x[begin]
    by_fours = begin + k // 4 * 4
    for at in range(begin, by_fours, 4):
        a = x[at] if x[at] > a else a
        b = x[at + 1] if x[at + 1] > b else b
        c = x[at + 2] if x[at + 2] > c else c
        d = x[at + 3] if x[at + 3] > d else d
    for at in range(by_fours, begin + k):
        a = x[at] if x[at] > a else a
    a, c = b if b > a else a, d if d > c else c
    return c if c > a else a


def attention_weights(
    n: Count, t: Count, s: Count, causal: Count, scale: Real, p: Reals
):
    """Turn scores into weights, in place; row i of each t sees i + 1 if causal.

    What is hidden is computed with the rest to the next multiple of 16, as a vector has
    so many numbers, and has the weight 0.
    """
    for row in range(n):
        begin = row * s
        width = row % t + 1 if causal else s
        whole = min(s, (width + 15) // 16 * 16)
        for at in range(begin + width, begin + whole):
            p[at] = real(HIDDEN_SCORE)
        top = row_largest(p, begin, whole)
        for at in range(begin, begin + whole):
            p[at] = exp((p[at] - top) * scale)
        factor = real(1.0) / row_sum(p, begin, whole)
        for at in range(begin, begin + whole):
            p[at] *= factor
        for at in range(begin + whole, begin + s):
            p[at] = real(0.0)


def attention_weights_backward(
    n: Count, t: Count, s: Count, causal: Count, scale: Real, p: Reals, dp: Reals
):
    """Turn gradients of weights into those of scores, in place."""
    for row in range(n):
        begin = row * s
        width = row % t + 1 if causal else s
        whole = min(s, (width + 15) // 16 * 16)
        total = row_dot(p, dp, begin, whole)
        for at in range(begin, begin + whole):
            dp[at] = (dp[at] - total) * p[at] * scale
        for at in range(begin + whole, begin + s):
            dp[at] = real(0.0)


def layer_norm(
    n: Count, d: Count, x: Reals, gamma: Reals, beta: Reals, eps: Real, normal: Reals,
    factors: Reals, y: Reals,
):  # fmt: skip
    """Normalize each row, and write what its gradient needs."""
    for i in range(n):
        begin = i * d
        mean = row_sum(x, begin, d) / real(d)
        for at in range(begin, begin + d):
            normal[at] = x[at] - mean
        variance = row_dot(normal, normal, begin, d) / real(d)
        factor = real(1.0) / real(math.sqrt(variance + eps))
        factors[i] = factor
        for j in range(d):
            value = normal[begin + j] * factor
            normal[begin + j] = value
            y[begin + j] = value * gamma[j] + beta[j]


def layer_norm_backward(
    n: Count, d: Count, normal: Reals, factors: Reals, gamma: Reals, dy: Reals,
    dx: Reals, dgamma: Reals, dbeta: Reals,
):  # fmt: skip
    """Go back through the normalization, and sum up over the rows."""
    for j in range(d):
        dgamma[j] = real(0.0)
        dbeta[j] = real(0.0)
    for i in range(n):
        begin = i * d
        for j in range(d):
            dgamma[j] += dy[begin + j] * normal[begin + j]
            dbeta[j] += dy[begin + j]
        for j in range(d):
            dx[begin + j] = dy[begin + j] * gamma[j]
        mean = row_sum(dx, begin, d) / real(d)
        slope = row_dot(dx, normal, begin, d) / real(d)
        for at in range(begin, begin + d):
            dx[at] = factors[i] * (dx[at] - mean - normal[at] * slope)


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
    factor, offset = corrected(step[0], rate[0], log_1, log_2, epsilon)
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
    factor, offset = corrected(step[0], rate[0], log_1, log_2, epsilon)
    lost = real(rate[0] * decay)
    for i in range(n):
        new_m = flushed(beta_1 * m[i] + rest_1 * dw[i], least)
        new_v = flushed(beta_2 * v[i] + rest_2 * (dw[i] * dw[i]), least_square)
        m[i] = new_m
        v[i] = new_v
        old = w[i] - lost * w[i]
        w[i] = old - factor * new_m / (math.sqrt(new_v) + offset)


def amsgrad(
    n: Count, w: Reals, dw: Reals, m: Reals, v: Reals, largest: Reals, step: Ints,
    rate: Reals, beta_1: Real, rest_1: Real, log_1: Double, beta_2: Real, rest_2: Real,
    log_2: Double, epsilon: Double, least: Real, least_square: Real,
):  # fmt: skip
    """Take a step of `Adam` with the largest second moment."""
    factor, offset = corrected(step[0], rate[0], log_1, log_2, epsilon)
    for i in range(n):
        new_m = flushed(beta_1 * m[i] + rest_1 * dw[i], least)
        new_v = flushed(beta_2 * v[i] + rest_2 * (dw[i] * dw[i]), least_square)
        m[i] = new_m
        v[i] = new_v
        # NaN stays, whichever of the two it is.
        top = new_v if new_v > largest[i] or new_v != new_v else largest[i]
        largest[i] = top
        w[i] -= factor * new_m / (math.sqrt(top) + offset)


def nadam(
    n: Count, w: Reals, dw: Reals, m: Reals, v: Reals, step: Ints, product: Reals,
    rate: Reals, beta_1: Real, rest_1: Real, beta_2: Real, rest_2: Real, log_2: Double,
    epsilon: Double, momentum: Double, fading: Double, least: Real, least_square: Real,
):  # fmt: skip
    """Take a step of `Nadam`, with the correction moved into the scalars.

    `momentum` is beta_1, and `fading` the logarithm by which a half of it fades.
    """
    root = math.sqrt(-math.expm1(step[0] * log_2))
    now = momentum * (1.0 - 0.5 * math.exp(step[0] * fading))
    following = momentum * (1.0 - 0.5 * math.exp((step[0] + 1.0) * fading))
    factor_m = real(rate[0] * root * following / (1.0 - product[0] * following))
    factor_dw = real(rate[0] * root * (1.0 - now) / (1.0 - product[0]))
    offset = real(root * epsilon)
    for i in range(n):
        new_m = flushed(beta_1 * m[i] + rest_1 * dw[i], least)
        new_v = flushed(beta_2 * v[i] + rest_2 * (dw[i] * dw[i]), least_square)
        m[i] = new_m
        v[i] = new_v
        w[i] -= (factor_m * new_m + factor_dw * dw[i]) / (math.sqrt(new_v) + offset)


def adamax(
    n: Count, w: Reals, dw: Reals, m: Reals, u: Reals, step: Ints, rate: Reals,
    beta_1: Real, rest_1: Real, log_1: Double, beta_2: Real, epsilon: Real, least: Real,
):  # fmt: skip
    """Take a step of `Adamax`."""
    factor = real(rate[0] / -math.expm1(step[0] * log_1))
    for i in range(n):
        new_m = flushed(beta_1 * m[i] + rest_1 * dw[i], least)
        faded, here = beta_2 * u[i], abs(dw[i]) + epsilon
        top = here if here > faded or here != here else faded
        m[i] = new_m
        u[i] = top
        w[i] -= factor * new_m / top


def adadelta(
    n: Count, w: Reals, dw: Reals, s: Reals, d: Reals, rate: Reals, rho: Real,
    rest: Real, epsilon: Real, least: Real,
):  # fmt: skip
    """Take a step of `Adadelta`; `rest` is 1 - rho."""
    factor = rate[0]
    for i in range(n):
        new_s = flushed(rho * s[i] + rest * (dw[i] * dw[i]), least)
        move = dw[i] * math.sqrt((d[i] + epsilon) / (new_s + epsilon))
        s[i] = new_s
        d[i] = flushed(rho * d[i] + rest * (move * move), least)
        w[i] -= factor * move


def lion(
    n: Count, w: Reals, dw: Reals, m: Reals, rate: Reals, beta_1: Real, rest_1: Real,
    beta_2: Real, rest_2: Real, least: Real,
):  # fmt: skip
    """Take a step of `Lion`; `rest` is 1 - beta."""
    factor = rate[0]
    for i in range(n):
        ahead = beta_1 * m[i] + rest_1 * dw[i]
        # Neither is true of NaN, which stays.
        way = real(1.0) if ahead > 0 else real(-1.0) if ahead < 0 else ahead
        m[i] = flushed(beta_2 * m[i] + rest_2 * dw[i], least)
        w[i] -= factor * way


def centered_rmsprop(
    n: Count, w: Reals, dw: Reals, s: Reals, mean: Reals, rate: Reals, rho: Real,
    rest: Real, epsilon: Real, least: Real, least_square: Real,
):  # fmt: skip
    """Take a step of `RMSprop` with the variance; `rest` is 1 - rho."""
    factor = rate[0]
    for i in range(n):
        new_s = flushed(rho * s[i] + rest * (dw[i] * dw[i]), least_square)
        new_mean = flushed(rho * mean[i] + rest * dw[i], least)
        variance = new_s - new_mean * new_mean
        variance = real(0.0) if variance < 0 else variance
        s[i] = new_s
        mean[i] = new_mean
        w[i] -= factor * dw[i] / (math.sqrt(variance) + epsilon)


def corrected(step, rate, log_1, log_2, epsilon):
    """Return rate and epsilon of a step of Adam, with the corrections in them."""
    root = math.sqrt(-math.expm1(step * log_2))
    return real(rate * root / -math.expm1(step * log_1)), real(root * epsilon)


def flushed(x, least):
    """Return a number, or 0 for one that is smaller than the least."""
    return real(0.0) if abs(x) < least else x
