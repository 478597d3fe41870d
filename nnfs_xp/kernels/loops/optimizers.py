"""The optimizers: one pass over parameters, gradients and moments, in place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnfs_xp.kernels.loops.launch import (
    New,
    are_alike,
    are_writable,
    is_plain,
    loop,
    over_elements,
    rounding,
    smallest_normal,
)


@loop("sgd")
def sgd(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    v: np.ndarray | None,
    learning_rate: np.ndarray,
    momentum: float,
    nesterov: bool,
) -> Any:
    """Update parameters, and velocity if there is one."""
    if v is None:
        return _updated(be, "sgd", (w, dw), learning_rate, none=(None,))
    name = "sgd_nesterov" if nesterov else "sgd_momentum"
    return _updated(be, name, (w, dw, v), learning_rate, momentum, smallest_normal(be))


@loop("adagrad")
def adagrad(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    s: np.ndarray,
    learning_rate: np.ndarray,
    epsilon: float,
) -> Any:
    """Update parameters and sums."""
    return _updated(be, "adagrad", (w, dw, s), learning_rate, epsilon)


@loop("rmsprop")
def rmsprop(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    s: np.ndarray,
    learning_rate: np.ndarray,
    rho: float,
    epsilon: float,
) -> Any:
    """Update parameters and means."""
    scalars = rho, 1.0 - rho, epsilon, _least_square(be, epsilon)
    return _updated(be, "rmsprop", (w, dw, s), learning_rate, *scalars)


@loop("adam")
def adam(be: Any, new: New, *arguments: Any) -> Any:
    """Update parameters and moments."""
    return _adam(be, "adam", *arguments)


@loop("adamw")
def adamw(be: Any, new: New, *arguments: Any) -> Any:
    """Let parameters decay, and update them and the moments."""
    return _adam(be, "adamw", *arguments)


@loop("amsgrad")
def amsgrad(be: Any, new: New, w: Any, dw: Any, m: Any, v: Any, *others: Any) -> Any:
    """Update parameters, both moments, and the largest second one."""
    largest, *rest = others
    return _adam(be, "amsgrad", w, dw, m, v, *rest, more=(largest,))


@loop("nadam")
def nadam(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: np.ndarray,
    product: np.ndarray,
    learning_rate: np.ndarray,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    fading: float,
) -> Any:
    """Update parameters and moments, corrections included."""
    if not is_plain(be, product):
        return NotImplemented
    betas = beta_1, 1.0 - beta_1, beta_2, 1.0 - beta_2, _log(beta_2)
    least = smallest_normal(be), _least_square(be, epsilon)
    scalars = *betas, epsilon, beta_1, fading, *least
    return _updated(
        be, "nadam", (w, dw, m, v), learning_rate, *scalars, step=(step, product)
    )


@loop("adamax")
def adamax(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    m: np.ndarray,
    u: np.ndarray,
    step: np.ndarray,
    learning_rate: np.ndarray,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Any:
    """Update parameters, means and largest magnitudes."""
    scalars = beta_1, 1.0 - beta_1, _log(beta_1), beta_2, epsilon, smallest_normal(be)
    return _updated(be, "adamax", (w, dw, m, u), learning_rate, *scalars, step=(step,))


@loop("adadelta")
def adadelta(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    s: np.ndarray,
    d: np.ndarray,
    learning_rate: np.ndarray,
    rho: float,
    epsilon: float,
) -> Any:
    """Update parameters and both means."""
    # A mean of squares can be seen beside epsilon itself, and not beside its square.
    least = smallest_normal(be)
    least = least if least <= epsilon * rounding(be) else 0.0
    scalars = rho, 1.0 - rho, epsilon, least
    return _updated(be, "adadelta", (w, dw, s, d), learning_rate, *scalars)


@loop("lion")
def lion(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    m: np.ndarray,
    learning_rate: np.ndarray,
    beta_1: float,
    beta_2: float,
) -> Any:
    """Update parameters and momentum."""
    scalars = beta_1, 1.0 - beta_1, beta_2, 1.0 - beta_2, smallest_normal(be)
    return _updated(be, "lion", (w, dw, m), learning_rate, *scalars)


@loop("centered_rmsprop")
def centered_rmsprop(
    be: Any,
    new: New,
    w: np.ndarray,
    dw: np.ndarray,
    s: np.ndarray,
    mean: np.ndarray,
    learning_rate: np.ndarray,
    rho: float,
    epsilon: float,
) -> Any:
    """Update parameters and both means."""
    least = smallest_normal(be), _least_square(be, epsilon)
    scalars = rho, 1.0 - rho, epsilon, *least
    return _updated(be, "centered_rmsprop", (w, dw, s, mean), learning_rate, *scalars)


def _adam(
    be: Any,
    name: str,
    w: np.ndarray,
    dw: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    step: np.ndarray,
    learning_rate: np.ndarray,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    *decay: float,
    more: tuple[np.ndarray, ...] = (),
) -> Any:
    betas = [b for beta in (beta_1, beta_2) for b in (beta, 1.0 - beta, _log(beta))]
    least = smallest_normal(be), _least_square(be, epsilon)
    scalars = *betas, epsilon, *least, *decay
    arrays = w, dw, m, v, *more
    return _updated(be, name, arrays, learning_rate, *scalars, step=(step,))


def _updated(
    be: Any,
    name: str,
    arrays: tuple[np.ndarray, ...],
    learning_rate: np.ndarray,
    *scalars: float,
    step: tuple[np.ndarray, ...] = (),
    none: tuple[None, ...] = (),
) -> Any:
    """Return parameters and moments, and the call that updates them."""
    if not are_alike(be, *arrays) or not is_plain(be, learning_rate):
        return NotImplemented
    if step and not (isinstance(step[0], np.ndarray) and step[0].dtype == np.int32):
        return NotImplemented
    w, _, *moments = arrays
    if not are_writable(w, *moments):
        return NotImplemented
    arguments = *arrays, *step, learning_rate, *scalars
    call = over_elements(be, name, *arguments, alike=len(arrays))
    return (w, *moments, *none), call


def _least_square(be: Any, epsilon: float) -> float:
    """Return the smallest normal number, 0 if its root can be seen beside epsilon."""
    least = smallest_normal(be)
    return least if math.sqrt(least) <= epsilon * rounding(be) else 0.0


def _log(beta: float) -> float:
    """Return a logarithm whose exponential is right for 0, too."""
    return math.log(beta) if beta else -math.inf
