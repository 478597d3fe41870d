"""Implementations for NumPy, each of a reference that NumPy's own functions do slowly.

``benchmarks/kernels.py`` times every one of them against its reference.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from nnfs_xp.kernels.registry import implements

# Rows for each id below which they are not worth sorting.
_SHORT_SEGMENTS = 4
# NumPy's maximum over the last axis is slow for rows of few elements.
_FEW_COLUMNS = 32
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
# One element of so many is looked at for denormal numbers. It is a prime, as a unit
# that has died leaves a column of them.
_SAMPLED = 131
# Steps from one look at second moments to the next; they decay slowly.
_STEPS_OF_SECOND_MOMENTS = 16


@implements("relu_backward", "numpy")
def relu_backward(be: Any, y: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Keep the bits of `dy` where `y` is positive, and clear the others.

    NumPy's ``where`` takes a branch for every element, which a random mask
    makes expensive. A product with the mask would be as fast as this, but
    gives NaN for an infinite gradient of a dead unit.
    """
    integer = {4: np.int32, 8: np.int64}[dy.itemsize]
    # True is 1, and -1 has every bit set.
    keep = np.negative((y > 0).view(np.int8)).astype(integer)
    keep &= np.ascontiguousarray(dy).view(integer)
    return keep.view(dy.dtype)


@implements("sum_over_samples", "numpy")
def sum_over_samples(be: Any, dy: np.ndarray) -> np.ndarray:
    """Sum over the first axis as a product with ones, which BLAS does."""
    return np.dot(_ones(dy.shape[0], dy.dtype), dy)[np.newaxis]


@implements("softmax_cross_entropy", "numpy")
def softmax_cross_entropy(
    be: Any, z: np.ndarray, y_true: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Pick the true class by indexing instead of by one-hot rows."""
    places = _places(z, y_true)
    if places is None:
        return NotImplemented
    losses, p = _losses_of(z, places)
    return losses, (p, y_true)


@implements("softmax_cross_entropy_backward", "numpy")
def softmax_cross_entropy_backward(
    be: Any, p: np.ndarray, y_true: np.ndarray, dlosses: np.ndarray | float
) -> np.ndarray:
    """Subtract 1 at the true class instead of one-hot rows."""
    places = _places(p, y_true)
    if places is None:
        return NotImplemented
    return _minus_true(p.copy(), places, dlosses)


@implements("softmax_cross_entropy_with_gradient", "numpy")
def softmax_cross_entropy_with_gradient(
    be: Any, z: np.ndarray, y_true: np.ndarray, dlosses: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Overwrite the probabilities, which nobody else needs."""
    places = _places(z, y_true)
    if places is None:
        return NotImplemented
    losses, p = _losses_of(z, places)
    return losses, _minus_true(p, places, dlosses)


@implements("adam", "numpy")
def adam(
    be: Any,
    w: np.ndarray,
    dw: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: np.ndarray,
    learning_rate: np.ndarray,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Go through Adam with one temporary array and one division less.

    The second moment's correction moves into the scalars: with ``r`` its
    square root, ``m / (sqrt(v) / r + epsilon)`` is ``r m / (sqrt(v) + r
    epsilon)``. They are Python's numbers, which NumPy computes with faster
    than with arrays of one element.
    """
    t = int(step)
    root = math.sqrt(_one_minus_power(beta_2, t))
    temporary = np.multiply(dw, 1.0 - beta_1, out=np.empty_like(w))
    m *= beta_1
    m += temporary
    np.multiply(dw, dw, out=temporary)
    temporary *= 1.0 - beta_2
    v *= beta_2
    v += temporary
    _flush(m)
    if t % _STEPS_OF_SECOND_MOMENTS == 0:
        _flush(v)
    np.sqrt(v, out=temporary)
    temporary += root * epsilon
    np.divide(m, temporary, out=temporary)
    temporary *= root * float(learning_rate) / _one_minus_power(beta_1, t)
    w -= temporary
    return w, m, v


@implements("sgd", "numpy")
def sgd(
    be: Any,
    w: np.ndarray,
    dw: np.ndarray,
    v: np.ndarray | None,
    learning_rate: np.ndarray,
    momentum: float,
    nesterov: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Let no velocity become denormal."""
    if v is None:
        return NotImplemented
    move = np.multiply(dw, float(learning_rate), out=np.empty_like(w))
    v *= momentum
    v -= move
    _flush(v)
    if nesterov:
        w -= move
        w += np.multiply(v, momentum, out=move)
    else:
        w += v
    return w, v


@implements("rmsprop", "numpy")
def rmsprop(
    be: Any,
    w: np.ndarray,
    dw: np.ndarray,
    s: np.ndarray,
    learning_rate: np.ndarray,
    rho: float,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Go through RMSprop with one temporary array, and no denormal mean."""
    temporary = np.multiply(dw, dw, out=np.empty_like(w))
    temporary *= 1.0 - rho
    s *= rho
    s += temporary
    _flush(s)
    np.sqrt(s, out=temporary)
    temporary += epsilon
    np.divide(dw, temporary, out=temporary)
    temporary *= float(learning_rate)
    w -= temporary
    return w, s


@implements("count_correct", "numpy")
def count_correct(
    be: Any, y_pred: np.ndarray, y_true: np.ndarray, ignore_index: int | None
) -> dict[str, Any]:
    """Look for NaN by one sum, as there is hardly ever one."""
    rows = y_true.ndim == 2
    labels = y_true.argmax(axis=1) if rows else y_true
    right = y_pred.argmax(axis=1) == labels
    if np.isnan(np.add.reduce(y_pred, axis=None)):
        right &= ~np.isnan(y_pred).any(axis=1)
    count: Any = len(y_pred)
    if ignore_index is not None and not rows:
        counted = labels != ignore_index
        right &= counted
        count = np.asarray(np.count_nonzero(counted), np.int32)
    return {"correct": np.asarray(np.count_nonzero(right), np.int32), "count": count}


@implements("accumulate", "numpy")
def accumulate(
    be: Any, totals: list[Any], batch: list[Any], values: list[Any]
) -> tuple[list[Any], list[Any]]:
    """Add single numbers as scalars, ten times as fast as arrays without axes."""
    added = []
    for total, value in zip(totals, values, strict=True):
        if not isinstance(value, int):
            if value.dtype != total.dtype:
                value = value.astype(total.dtype)
            if value.ndim > total.ndim:
                value = np.add.reduce(value, dtype=total.dtype)
        if total.ndim:
            np.add(total, value, out=total)
        else:
            total[()] += value
        added.append(value)
    return totals, added


@implements("add_at", "numpy")
def add_at(be: Any, ids: np.ndarray, rows: np.ndarray, n_ids: int) -> np.ndarray:
    """Sum sorted rows by segments, or where these are short, add number by number.

    NumPy's ``add.at`` is fast for numbers, and slow for rows.
    """
    k = rows.shape[1]
    sums = np.zeros((n_ids, k), rows.dtype)
    if len(ids) < _SHORT_SEGMENTS * n_ids:
        places = ids.astype(np.intp)[:, np.newaxis] * k + np.arange(k)
        np.add.at(sums.reshape(-1), places.reshape(-1), rows.reshape(-1))
        return sums
    counts = np.bincount(ids)
    present = np.flatnonzero(counts)
    first = np.cumsum(counts)[present] - counts[present]
    ordered = rows.take(np.argsort(ids, kind="stable"), axis=0)
    sums[present] = np.add.reduceat(ordered, first, axis=0)
    return sums


@implements("softplus", "numpy")
def softplus(be: Any, x: np.ndarray) -> np.ndarray:
    """Take the logarithm of 1 + e instead of ``log1p(e)``, in float32.

    NumPy computes float32 logarithms several at a time, ``log1p`` one by one.
    The sum 1 + e is rounded; its logarithm is off by what was rounded off over
    the sum.
    """
    if x.dtype != np.float32:
        return NotImplemented
    e = np.abs(x, out=np.empty_like(x))
    np.negative(e, out=e)
    np.exp(e, out=e)
    y = np.add(e, 1.0, out=np.empty_like(x))
    rounded = y - 1.0
    rounded -= e
    rounded /= y
    np.log(y, out=y)
    y -= rounded
    y += np.maximum(x, be.zero, out=e)
    return y


@implements("elu_left", "numpy")
def elu_left(be: Any, x: np.ndarray, alpha: float) -> np.ndarray:
    """Compute ``exp(x) - 1`` as ``2 t / (1 - t)``, t = tanh(x / 2), in float32.

    NumPy computes float32 tangents several at a time, ``expm1`` one by one.
    """
    if x.dtype != np.float32:
        return NotImplemented
    t = np.minimum(x, be.zero, out=np.empty_like(x))
    t *= 0.5
    np.tanh(t, out=t)
    rest = 1.0 - t
    t *= 2.0 * alpha
    t /= rest
    return t


def _places(z: np.ndarray, y_true: np.ndarray) -> np.ndarray | None:
    """Return where the true classes are in the flat array; None unless all are there.

    One index for each row is faster than two.
    """
    if y_true.ndim != 1:
        return None
    # Negative labels are large when read without their sign.
    labels = y_true.view(_UNSIGNED[y_true.itemsize])
    if np.maximum.reduce(labels, initial=0) >= z.shape[1]:
        return None
    return _row_starts(*z.shape) + y_true


def _losses_of(z: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Flat places are those of rows that lie one after another.
    p = np.subtract(z, _row_maxima(z), order="C")
    losses = p.take(places)
    np.exp(p, out=p)
    total = np.dot(p, _ones(p.shape[1], p.dtype))
    np.subtract(np.log(total), losses, out=losses)
    p /= total[:, np.newaxis]
    return losses, p


def _minus_true(
    p: np.ndarray, places: np.ndarray, dlosses: np.ndarray | float
) -> np.ndarray:
    """Return probabilities less 1 at the true class, weighted; overwrites them."""
    p.reshape(-1)[places] -= 1.0
    p *= dlosses if isinstance(dlosses, float) else dlosses[:, np.newaxis]
    return p


def _row_maxima(z: np.ndarray) -> np.ndarray:
    if z.shape[1] > _FEW_COLUMNS:
        return np.maximum.reduce(z, axis=1, keepdims=True)
    return np.maximum.reduce(z.T.copy())[:, np.newaxis]


@functools.lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype) -> np.ndarray:
    return np.ones(count, dtype=dtype)


@functools.lru_cache(maxsize=64)
def _row_starts(rows: int, columns: int) -> np.ndarray:
    return np.arange(0, rows * columns, columns)


def _flush(moment: np.ndarray) -> None:
    """Set what has decayed to denormal numbers to 0, if a sample has such numbers.

    They would decay no further, as the smallest rounds to itself, and some processors
    take a hundred times as long for them.
    """
    if not moment.size:
        return
    # Without its sign, and less 1, so that 0 is the largest of these integers.
    bits = moment.ravel("K")[::_SAMPLED].view(_UNSIGNED[moment.itemsize]) << 1
    bits -= 1
    # Numbers that are denormal have no bit in their exponent.
    if np.minimum.reduce(bits) < (2 << np.finfo(moment.dtype).nmant) - 1:
        moment[np.abs(moment) < np.finfo(moment.dtype).smallest_normal] = 0


def _one_minus_power(beta: float, t: int) -> float:
    return -math.expm1(t * math.log(beta)) if beta else 1.0
