"""Implementations of the optimizers: each step is one kernel, which writes in place.

The kernels are in ``cuda/optimizers.cu``. Without them a step of Adam is a
dozen launches, which for the networks of the book take longer than all they compute.
"""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.kernels.cupy.launch import are_alike, is_plain, launch
from nnfs_xp.kernels.registry import implements, references


@implements("sgd", "cupy")
def sgd(
    be: Any,
    w: Any,
    dw: Any,
    v: Any,
    learning_rate: Any,
    momentum: float,
    nesterov: bool,
) -> tuple[Any, Any]:
    """Update parameters and velocity in one launch."""
    arrays = (w, dw) if v is None else (w, dw, v)
    if not are_alike(be, *arrays) or not is_plain(be, learning_rate):
        reference = references()["sgd"]
        return reference(be, w, dw, v, learning_rate, momentum, nesterov)
    if v is None:
        launch(be, "sgd", w.size, *arrays, learning_rate)
    else:
        scalars = learning_rate, momentum, nesterov
        launch(be, "sgd_momentum", w.size, *arrays, *scalars)
    return w, v


@implements("adagrad", "cupy")
def adagrad(
    be: Any, w: Any, dw: Any, s: Any, learning_rate: Any, epsilon: float
) -> tuple[Any, Any]:
    """Update parameters and sums in one launch."""
    if not are_alike(be, w, dw, s) or not is_plain(be, learning_rate):
        return references()["adagrad"](be, w, dw, s, learning_rate, epsilon)
    launch(be, "adagrad", w.size, w, dw, s, learning_rate, epsilon)
    return w, s


@implements("rmsprop", "cupy")
def rmsprop(
    be: Any, w: Any, dw: Any, s: Any, learning_rate: Any, rho: float, epsilon: float
) -> tuple[Any, Any]:
    """Update parameters and means in one launch."""
    if not are_alike(be, w, dw, s) or not is_plain(be, learning_rate):
        return references()["rmsprop"](be, w, dw, s, learning_rate, rho, epsilon)
    launch(be, "rmsprop", w.size, w, dw, s, learning_rate, rho, epsilon)
    return w, s


@implements("adam", "cupy")
def adam(
    be: Any,
    w: Any,
    dw: Any,
    m: Any,
    v: Any,
    step: Any,
    learning_rate: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Any, Any, Any]:
    """Update parameters and moments in one launch, corrections included."""
    return _adam("adam", be, w, dw, m, v, step, learning_rate, beta_1, beta_2, epsilon)


@implements("adamw", "cupy")
def adamw(
    be: Any,
    w: Any,
    dw: Any,
    m: Any,
    v: Any,
    step: Any,
    learning_rate: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    weight_decay: float,
) -> tuple[Any, Any, Any]:
    """Let parameters decay, and update them and the moments, in one launch."""
    betas = beta_1, beta_2
    return _adam(
        "adamw", be, w, dw, m, v, step, learning_rate, *betas, epsilon, weight_decay
    )


def _adam(
    name: str,
    be: Any,
    w: Any,
    dw: Any,
    m: Any,
    v: Any,
    step: Any,
    learning_rate: Any,
    beta_1: float,
    beta_2: float,
    *constants: float,
) -> tuple[Any, Any, Any]:
    """Run one of the two kernels, or the reference where it cannot be used."""
    changing = step, learning_rate
    if (
        not are_alike(be, w, dw, m, v)
        or not is_plain(be, learning_rate)
        or step.dtype.char != "i"
    ):
        reference = references()[name]
        return reference(be, w, dw, m, v, *changing, beta_1, beta_2, *constants)
    betas = beta_1, _log(beta_1), beta_2, _log(beta_2)
    launch(be, name, w.size, w, dw, m, v, *changing, *betas, *constants)
    return w, m, v


def _log(beta: float) -> float:
    """Return a logarithm whose exponential is right for 0, too."""
    return math.log(beta) if beta else -math.inf
