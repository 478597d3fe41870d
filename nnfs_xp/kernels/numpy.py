"""Implementations for NumPy, each of a reference that NumPy's own functions do slowly.

``benchmarks/kernels.py`` times every one of them against its reference.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.kernels import numpy_images as numpy_images
from nnfs_xp.kernels.constants import HIDDEN_SCORE
from nnfs_xp.kernels.heads import (
    attention_backward_plan,
    attention_plan,
    scale_of_scores,
)
from nnfs_xp.kernels.plans import New, Plan, by_plan
from nnfs_xp.kernels.registry import implements, references

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
    keep &= (dy if dy.flags.c_contiguous else dy.copy()).view(integer)
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
    if y_true.ndim != 1:
        return NotImplemented
    losses, p, _, compute = _plan_of_losses(np.empty, z, y_true)
    return (losses, (p, y_true)) if compute() else NotImplemented


@implements("softmax_cross_entropy_backward", "numpy")
def softmax_cross_entropy_backward(
    be: Any, p: np.ndarray, y_true: np.ndarray, dlosses: np.ndarray | float
) -> np.ndarray:
    """Subtract 1 at the true class instead of one-hot rows."""
    if (
        y_true.ndim != 1
        or np.maximum.reduce(_unsigned(y_true), initial=0) >= p.shape[1]
    ):
        return NotImplemented
    dz = p.copy()
    places = _row_starts(*p.shape) + y_true
    _subtract_true(dz, dz.reshape(-1), places, _columns(dlosses))
    return dz


@implements("softmax_cross_entropy_with_gradient", "numpy")
@by_plan
def softmax_cross_entropy_with_gradient(
    be: Any,
    new: New,
    z: np.ndarray,
    y_true: np.ndarray,
    dlosses: np.ndarray | float,
) -> Plan:
    """Overwrite the probabilities, which nobody else needs."""
    if y_true.ndim != 1:
        return NotImplemented
    losses, p, places, compute = _plan_of_losses(new, z, y_true)
    flat, weights = p.reshape(-1), _columns(dlosses)

    def call() -> None:
        if compute():
            _subtract_true(p, flat, places, weights)
        else:
            wanted = references()["softmax_cross_entropy_with_gradient"]
            losses[...], p[...] = wanted(be, z, y_true, dlosses)

    return (losses, p), call


@implements("adam", "numpy")
@by_plan
def adam(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: np.ndarray,
    learning_rate: np.ndarray,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Plan:
    """Go through Adam with one temporary array and one division less.

    The second moment's correction moves into the scalars: with ``r`` its
    square root, ``m / (sqrt(v) / r + epsilon)`` is ``r m / (sqrt(v) + r
    epsilon)``. They are Python's numbers, which NumPy computes with faster
    than with arrays of one element.
    """
    temporary = new(w.shape, w.dtype)
    flush_m, flush_v = _flush(m), _flush(v)

    def call() -> None:
        t = int(step)
        root = math.sqrt(_one_minus_power(beta_2, t))
        factor = root * float(learning_rate) / _one_minus_power(beta_1, t)
        np.multiply(dw, 1.0 - beta_1, temporary)
        np.multiply(m, beta_1, m)
        np.add(m, temporary, m)
        np.multiply(dw, dw, temporary)
        np.multiply(temporary, 1.0 - beta_2, temporary)
        np.multiply(v, beta_2, v)
        np.add(v, temporary, v)
        flush_m()
        if t % _STEPS_OF_SECOND_MOMENTS == 0:
            flush_v()
        np.sqrt(v, temporary)
        np.add(temporary, root * epsilon, temporary)
        np.divide(m, temporary, temporary)
        np.multiply(temporary, factor, temporary)
        np.subtract(w, temporary, w)

    return (w, m, v), call


@implements("sgd", "numpy")
@by_plan
def sgd(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    v: np.ndarray | None,
    learning_rate: np.ndarray,
    momentum: float,
    nesterov: bool,
) -> Plan:
    """Let no velocity become denormal."""
    if v is None:
        return NotImplemented
    move, flush = new(w.shape, w.dtype), _flush(v)

    def call() -> None:
        np.multiply(dw, float(learning_rate), move)
        np.multiply(v, momentum, v)
        np.subtract(v, move, v)
        flush()
        if nesterov:
            np.subtract(w, move, w)
            np.add(w, np.multiply(v, momentum, move), w)
        else:
            np.add(w, v, w)

    return (w, v), call


@implements("rmsprop", "numpy")
@by_plan
def rmsprop(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    s: np.ndarray,
    learning_rate: np.ndarray,
    rho: float,
    epsilon: float,
) -> Plan:
    """Go through RMSprop with one temporary array, and no denormal mean."""
    temporary, flush = new(w.shape, w.dtype), _flush(s)

    def call() -> None:
        np.multiply(dw, dw, temporary)
        np.multiply(temporary, 1.0 - rho, temporary)
        np.multiply(s, rho, s)
        np.add(s, temporary, s)
        flush()
        np.sqrt(s, temporary)
        np.add(temporary, epsilon, temporary)
        np.divide(dw, temporary, temporary)
        np.multiply(temporary, float(learning_rate), temporary)
        np.subtract(w, temporary, w)

    return (w, s), call


@implements("count_correct", "numpy")
@by_plan
def count_correct(
    be: Any, new: New, y_pred: np.ndarray, y_true: np.ndarray, ignore_index: int | None
) -> Plan:
    """Look for NaN by one sum, as there is hardly ever one."""
    n, rows = len(y_pred), y_true.ndim == 2
    ignoring = ignore_index is not None and not rows
    best, right = new((n,), np.intp), new((n,), np.bool_)
    results: dict[str, Any] = {"correct": new((), np.int32), "count": n}
    if ignoring:
        results["count"] = new((), np.int32)

    def call() -> None:
        y_pred.argmax(1, best)
        labels = y_true.argmax(axis=1) if rows else y_true
        np.equal(best, labels, right)
        if math.isnan(np.add.reduce(y_pred, None)):
            np.logical_and(right, ~np.isnan(y_pred).any(axis=1), right)
        if ignoring:
            counted = labels != ignore_index
            np.logical_and(right, counted, right)
            results["count"][()] = np.count_nonzero(counted)
        results["correct"][()] = np.count_nonzero(right)

    return results, call


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
@by_plan
def add_at(be: Any, new: New, ids: np.ndarray, rows: np.ndarray, n_ids: int) -> Plan:
    """Sum sorted rows by segments, or where these are short, add number by number.

    NumPy's ``add.at`` is fast for numbers, and slow for rows.
    """
    k = rows.shape[1]
    sums = new((n_ids, k), rows.dtype)

    def call() -> None:
        sums[...] = 0
        if len(ids) < _SHORT_SEGMENTS * n_ids:
            places = ids.astype(np.intp)[:, np.newaxis] * k + np.arange(k)
            np.add.at(sums.reshape(-1), places.reshape(-1), rows.reshape(-1))
            return
        counts = np.bincount(ids)
        present = np.flatnonzero(counts)
        first = np.cumsum(counts)[present] - counts[present]
        ordered = rows.take(np.argsort(ids, kind="stable"), axis=0)
        sums[present] = np.add.reduceat(ordered, first, axis=0)

    return sums, call


@implements("attention", "numpy")
@by_plan
def attention(
    be: Any,
    new: New,
    parts: tuple[np.ndarray, ...],
    n_heads: int,
    causal: bool,
    mask: Any,
    drop: np.ndarray | None,
    training: bool,
) -> Any:
    """Write to the places of the heads, and over the scores."""

    def softmax(p: np.ndarray) -> Callable[[], None]:
        scale = be.dtype(scale_of_scores(parts, n_heads))
        of_rows = new((*p.shape[:3], 1), p.dtype)
        later = _later(*p.shape[2:]) if causal else None

        def call() -> None:
            np.multiply(p, scale, p)
            if later is not None:
                np.copyto(p, HIDDEN_SCORE, "same_kind", later)
            np.maximum.reduce(p, axis=-1, out=of_rows, keepdims=True)
            np.subtract(p, of_rows, p)
            np.exp(p, p)
            np.add.reduce(p, axis=-1, out=of_rows, keepdims=True)
            np.divide(p, of_rows, p)

        return call

    return attention_plan(be, new, softmax, parts, n_heads, mask, drop)


@implements("attention_backward", "numpy")
@by_plan
def attention_backward(
    be: Any,
    new: New,
    parts: tuple[np.ndarray, ...],
    n_heads: int,
    causal: bool,
    p: np.ndarray,
    drop: np.ndarray | None,
    dy: np.ndarray,
) -> Any:
    """Write to the places of the heads, and over the gradient of the weights."""

    def softmax_backward(p: np.ndarray, dp: np.ndarray) -> Callable[[], None]:
        products, of_rows = new(p.shape, p.dtype), new((*p.shape[:3], 1), p.dtype)
        scale = be.dtype(scale_of_scores(parts, n_heads))

        def call() -> None:
            np.multiply(dp, p, products)
            np.add.reduce(products, axis=-1, out=of_rows, keepdims=True)
            np.subtract(dp, of_rows, dp)
            np.multiply(dp, p, dp)
            np.multiply(dp, scale, dp)

        return call

    return attention_backward_plan(
        be, new, softmax_backward, parts, n_heads, p, drop, dy
    )


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


def _plan_of_losses(
    new: New, z: np.ndarray, y_true: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Callable[[], bool]]:
    """Return losses, probabilities, flat places of the true classes, and a call.

    The call computes all three, and returns False, with nothing written, where a label
    is not a class. One index for each row is faster than two.
    """
    n, k = z.shape
    losses, p = new((n,), z.dtype), new((n, k), z.dtype)
    # Maxima, and then sums.
    of_rows, places = new((n,), z.dtype), new((n,), np.intp)
    # Probabilities are computed later where the transposed logits are.
    across = p.reshape(k, n) if k <= _FEW_COLUMNS else None
    starts, ones = _row_starts(n, k), _ones(k, z.dtype)
    flat, column = p.reshape(-1), of_rows[:, np.newaxis]
    labels = _unsigned(y_true)

    def compute() -> bool:
        if np.maximum.reduce(labels, initial=0) >= k:
            return False
        if across is None:
            np.maximum.reduce(z, 1, out=of_rows)
        else:
            np.copyto(across, z.T)
            np.maximum.reduce(across, 0, out=of_rows)
        np.subtract(z, column, p)
        np.add(starts, y_true, places)
        flat.take(places, None, losses, "clip")
        np.exp(p, p)
        np.dot(p, ones, of_rows)
        np.divide(p, column, p)
        np.log(of_rows, of_rows)
        np.subtract(of_rows, losses, losses)
        return True

    return losses, p, places, compute


def _unsigned(labels: np.ndarray) -> np.ndarray:
    """Return integers without their sign, as which negative labels are large."""
    return labels.view(_UNSIGNED[labels.itemsize])


def _subtract_true(
    p: np.ndarray, flat: np.ndarray, places: np.ndarray, weights: np.ndarray | float
) -> None:
    """Subtract 1 at the true classes from probabilities, and weight the rows."""
    flat[places] -= 1.0
    np.multiply(p, weights, p)


def _columns(dlosses: np.ndarray | float) -> np.ndarray | float:
    return dlosses if isinstance(dlosses, float) else dlosses[:, np.newaxis]


@functools.lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype) -> np.ndarray:
    return np.ones(count, dtype=dtype)


@functools.lru_cache(maxsize=16)
def _later(t: int, s: int) -> np.ndarray:
    """Return where a key is later than a query."""
    return np.triu(np.ones((t, s), bool), 1)


@functools.lru_cache(maxsize=64)
def _row_starts(rows: int, columns: int) -> np.ndarray:
    return np.arange(0, rows * columns, columns)


def _flush(moment: np.ndarray) -> Callable[[], None]:
    """Return what sets denormal numbers to 0, if a sample has such numbers.

    A moment that decays to them would decay no further, as the smallest rounds to
    itself, and some processors take a hundred times as long for them.
    """
    if not moment.size or not moment.flags.forc:
        return lambda: None
    info = np.finfo(moment.dtype)
    sample = moment.ravel("K")[::_SAMPLED].view(_UNSIGNED[moment.itemsize])
    bits, one = np.empty_like(sample), sample.dtype.type(1)
    # Numbers that are denormal have no bit in their exponent.
    normal, smallest = (2 << info.nmant) - 1, info.smallest_normal

    def flush() -> None:
        # Without its sign, and less 1, so that 0 is the largest of these integers.
        np.left_shift(sample, one, bits)
        np.subtract(bits, one, bits)
        if np.minimum.reduce(bits) < normal:
            moment[np.abs(moment) < smallest] = 0

    return flush


def _one_minus_power(beta: float, t: int) -> float:
    return -math.expm1(t * math.log(beta)) if beta else 1.0
