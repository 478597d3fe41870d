"""Implementations of the optimizers: each step is one kernel, which writes in place.

The kernels are in ``cuda/optimizers.cu``. Without them a step of Adam is a
dozen launches, which for the networks of the book take longer than all they compute.
"""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.kernels.cupy.launch import THREADS, are_alike, is_plain, launch
from nnfs_xp.kernels.cupy.module import blocks_at_once, blocks_for
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


@implements("amsgrad", "cupy")
def amsgrad(
    be: Any, w: Any, dw: Any, m: Any, v: Any, largest: Any, *others: Any
) -> Any:
    """Update parameters, both moments and the largest second one in one launch."""
    return _adam(be, "amsgrad", w, dw, m, v, *others, more=(largest,))


@implements("nadam", "cupy")
def nadam(
    be: Any, w: Any, dw: Any, m: Any, v: Any, step: Any, product: Any, *scalars: Any
) -> Any:
    """Update parameters and moments in one launch, corrections included."""
    if not is_plain(be, product):
        return NotImplemented
    return _adam(be, "nadam", w, dw, m, v, (step, product), *scalars)


@implements("nadam_product", "cupy")
def nadam_product(
    be: Any, product: Any, step: Any, beta_1: float, fading: float
) -> Any:
    """Multiply the product with the momentum of a step in one launch, in place."""
    if not is_plain(be, product) or step.dtype.char != "i":
        return NotImplemented
    launch(be, "nadam_product", 1, product, step, beta_1, fading)
    return product


@implements("adamax", "cupy")
def adamax(
    be: Any, w: Any, dw: Any, m: Any, u: Any, step: Any, rate: Any, *scalars: Any
) -> Any:
    """Update parameters, means and largest magnitudes in one launch."""
    beta_1, *others = scalars
    constants = beta_1, _log(beta_1), *others
    return _updated(be, "adamax", (w, dw, m, u), rate, *constants, step=(step,))


@implements("adadelta", "cupy")
def adadelta(be: Any, w: Any, dw: Any, s: Any, d: Any, *scalars: Any) -> Any:
    """Update parameters and both means in one launch."""
    return _updated(be, "adadelta", (w, dw, s, d), *scalars)


@implements("lion", "cupy")
def lion(be: Any, w: Any, dw: Any, m: Any, *scalars: Any) -> Any:
    """Update parameters and momentum in one launch."""
    return _updated(be, "lion", (w, dw, m), *scalars)


@implements("centered_rmsprop", "cupy")
def centered_rmsprop(be: Any, w: Any, dw: Any, s: Any, mean: Any, *scalars: Any) -> Any:
    """Update parameters and both means in one launch."""
    return _updated(be, "centered_rmsprop", (w, dw, s, mean), *scalars)


def _adam(
    be: Any,
    name: str,
    w: Any,
    dw: Any,
    m: Any,
    v: Any,
    step: Any,
    *scalars: Any,
    more: tuple[Any, ...] = (),
) -> Any:
    rate, beta_1, beta_2, *constants = scalars
    scalars = beta_1, _log(beta_1), beta_2, _log(beta_2), *constants
    steps = step if isinstance(step, tuple) else (step,)
    return _updated(be, name, (w, dw, m, v, *more), rate, *scalars, step=steps)


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
    if step and step[0].dtype.char != "i":
        return NotImplemented
    w, _, *moments = arrays
    # One wave: a second one would be of few blocks, and wait for the first.
    most = blocks_at_once(be.dtype_name, name, THREADS)
    arguments = w.size, *arrays, *step, learning_rate, *scalars
    grid = (blocks_for(w.size, THREADS, most),)
    launch(be, name, w.size, *arguments, grid=grid)
    return w, *moments


def _log(beta: float) -> float:
    """Return a logarithm whose exponential is right for 0, too."""
    return math.log(beta) if beta else -math.inf
