"""Biases, activations and their gradients, as loops."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.kernels.loops.launch import (
    New,
    are_alike,
    bound,
    is_plain,
    loop,
    rounding,
    smallest_normal,
)
from nnfs_xp.registry import UNITS, library_class

# Bound of the output in the gradient of SiLU, as infinity times 0 would be NaN.
_FAR = 1000.0


@loop("bias_activation")
def bias_activation(
    be: Any, new: New, z: np.ndarray, biases: np.ndarray, activation: Any
) -> Any:
    """Add biases, and cut off below 0, in the place of `z`.

    Other activations stay with NumPy, so that predictions have the same bits.
    """
    kind = _kind(activation)
    if kind not in ("Linear", "ReLU") or not is_plain(be, z, biases):
        return NotImplemented
    if biases.shape != (1, z.shape[1]):
        return NotImplemented
    name = "add_bias_relu" if kind == "ReLU" else "add_bias"
    return (z, z if kind == "ReLU" else ()), bound(be, name, *z.shape, z, biases)


@loop("activation_bias_backward")
def activation_bias_backward(
    be: Any,
    new: New,
    residuals: Any,
    dy: np.ndarray,
    activation: Any,
    db_out: np.ndarray | None = None,
) -> Any:
    """Go back through the activation and sum up, in one pass over the gradient."""
    if not is_plain(be, dy):
        return NotImplemented
    shape = n, k = dy.shape
    db = new((1, k), dy.dtype) if db_out is None else db_out
    if not is_plain(be, db) or db.shape != (1, k):
        return NotImplemented
    if _kind(activation) == "Linear":
        # BLAS adds up faster.
        return (dy, db), functools.partial(np.dot, _ones(n, dy.dtype), dy, db[0])
    known = _gradient(be, activation, residuals, dy)
    if known is None:
        return NotImplemented
    gradient, first, second, parameter = known
    dz = new(shape, dy.dtype)
    arguments = n, k, first, second, parameter, dy, dz, db
    return (dz, db), bound(
        be, "activation_bias_backward", *arguments, gradient=gradient
    )


@loop("activation_backward")
def activation_backward(
    be: Any, new: New, residuals: Any, dy: np.ndarray, activation: Any
) -> Any:
    """Go back through the activation in one pass."""
    known = _gradient(be, activation, residuals, dy)
    if known is None:
        return NotImplemented
    gradient, first, second, parameter = known
    dx = new(dy.shape, dy.dtype)
    arguments = dy.size, first, second, parameter, dy, dx
    return dx, bound(be, "activation_backward", *arguments, gradient=gradient)


@loop("relu_backward")
def relu_backward(be: Any, new: New, y: np.ndarray, dy: np.ndarray) -> Any:
    """Choose, in one pass."""
    if not are_alike(be, dy, y):
        return NotImplemented
    dx = new(dy.shape, dy.dtype)
    return dx, bound(be, "activation_backward", dy.size, y, None, 0.0, dy, dx)


def _kind(activation: Any) -> str:
    """Return the name of one of our own classes, none for a subclass."""
    cls = library_class(activation)
    return cls.__name__ if UNITS["layer"].get(cls.__name__) is cls else ""


# By the name of an activation, the part that is its gradient, and what that is given.
_GRADIENTS: dict[str, tuple[str, Callable[[Any, Any], float]]] = {
    "ReLU": ("relu", lambda be, unit: 0.0),
    "LeakyReLU": ("leaky_relu", lambda be, unit: unit.negative_slope),
    "ELU": ("elu", lambda be, unit: unit.alpha),
    "Sigmoid": ("logistic", lambda be, unit: smallest_normal(be) / rounding(be)),
    "Tanh": ("tanh", lambda be, unit: 0.0),
    "SiLU": ("silu", lambda be, unit: _FAR),
    "Softplus": ("softplus", lambda be, unit: 0.0),
    "GELU": ("gelu_tanh", lambda be, unit: math.sqrt(8.0 / math.pi)),
}


def _gradient(
    be: Any, activation: Any, residuals: Any, dy: np.ndarray
) -> tuple[str, np.ndarray, np.ndarray | None, float] | None:
    """Return the part that is an activation's gradient, and its arguments."""
    kind = _kind(activation)
    # The exact GELU keeps more than the loop takes.
    exact = kind == "GELU" and activation.approximate == "none"
    kept = residuals if isinstance(residuals, tuple) else (residuals,)
    if exact or kind not in _GRADIENTS or not are_alike(be, dy, *kept):
        return None
    part, parameter = _GRADIENTS[kind]
    second = kept[1] if len(kept) == 2 else None
    return part, kept[0], second, parameter(be, activation)


@functools.lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype) -> np.ndarray:
    return np.ones(count, dtype)
