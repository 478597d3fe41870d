"""Implementations of the optimizers: each step is one kernel, which writes in place.

The kernels are in ``cuda/optimizers.cu``. Without them a step of Adam is a
dozen launches, which for the networks of the book take longer than all they compute.
"""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.kernels.cupy.launch import are_alike, is_plain, launch
from nnfs_xp.kernels.registry import implements


@implements("sgd", "cupy")
def sgd(be: Any, w: Any, dw: Any, v: Any, learning_rate: Any, *scalars: Any) -> Any:
    """Update parameters and velocity in one launch."""
    if v is None:
        updated = _updated(be, "sgd", (w, dw), learning_rate)
        return updated if updated is NotImplemented else (*updated, None)
    return _updated(be, "sgd_momentum", (w, dw, v), learning_rate, *scalars)


@implements("adagrad", "cupy")
def adagrad(be: Any, w: Any, dw: Any, s: Any, *scalars: Any) -> Any:
    """Update parameters and sums in one launch."""
    return _updated(be, "adagrad", (w, dw, s), *scalars)


@implements("rmsprop", "cupy")
def rmsprop(be: Any, w: Any, dw: Any, s: Any, *scalars: Any) -> Any:
    """Update parameters and means in one launch."""
    return _updated(be, "rmsprop", (w, dw, s), *scalars)


@implements("adam", "cupy")
def adam(be: Any, *arguments: Any) -> Any:
    """Update parameters and moments in one launch, corrections included."""
    return _adam(be, "adam", *arguments)


@implements("adamw", "cupy")
def adamw(be: Any, *arguments: Any) -> Any:
    """Let parameters decay, and update them and the moments, in one launch."""
    return _adam(be, "adamw", *arguments)


def _adam(
    be: Any, name: str, w: Any, dw: Any, m: Any, v: Any, step: Any, *scalars: Any
) -> Any:
    if step.dtype.char != "i":
        return NotImplemented
    rate, beta_1, beta_2, *constants = scalars
    betas = beta_1, _log(beta_1), beta_2, _log(beta_2)
    return _updated(be, name, (w, dw, m, v), rate, *betas, *constants, step=(step,))


def _updated(
    be: Any,
    name: str,
    arrays: tuple[Any, ...],
    learning_rate: Any,
    *scalars: Any,
    step: tuple[Any, ...] = (),
) -> Any:
    """Run a kernel, and return parameters and moments."""
    if not are_alike(be, *arrays) or not is_plain(be, learning_rate):
        return NotImplemented
    w, _, *moments = arrays
    launch(be, name, w.size, w.size, *arrays, *step, learning_rate, *scalars)
    return w, *moments


def _log(beta: float) -> float:
    """Return a logarithm whose exponential is right for 0, too."""
    return math.log(beta) if beta else -math.inf
