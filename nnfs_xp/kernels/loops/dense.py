"""Biases, activations and their gradients, as loops.

Layers are fused in training alone, so outputs of activations need not have the bits
of NumPy's. What a loop keeps of an activation is one array, where some references keep
several. So what a loop begins, a loop ends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnfs_xp.kernels.loops import compiled
from nnfs_xp.kernels.loops.launch import (
    New,
    are_alike,
    are_writable,
    bound,
    is_plain,
    loop,
    rounding,
    smallest_normal,
)
from nnfs_xp.registry import UNITS, library_class


class Activation(NamedTuple):
    """An activation as loops know it.

    Attributes
    ----------
    part : str
        Name of its gradient in `source`.
    parameter : callable
        Returns what a loop is given, for a backend and a unit.
    from_output : bool
        Whether its gradient follows from its output.
    """

    part: str
    parameter: Callable[[Any, Any], float] = lambda be, unit: 0.0
    from_output: bool = False


_LINEAR = Activation("linear", from_output=True)
_KNOWN = {
    "Linear": _LINEAR,
    "ReLU": Activation("relu", from_output=True),
    "LeakyReLU": Activation("leaky_relu", lambda be, unit: unit.negative_slope),
    "ELU": Activation("elu", lambda be, unit: unit.alpha),
    "GELU": Activation("gelu"),
    # What bounds it from both sides, as infinity times 0 would be NaN.
    "SiLU": Activation("silu", lambda be, unit: 1000.0),
    "Softplus": Activation("softplus"),
    "Sigmoid": Activation(
        "logistic", lambda be, unit: smallest_normal(be) / rounding(be), True
    ),
    "Tanh": Activation("hyperbolic", from_output=True),
}
_GELU_TANH = Activation("gelu_tanh")


@loop("bias_activation")
def bias_activation(
    be: Any, new: New, z: np.ndarray, biases: np.ndarray, activation: Any
) -> Any:
    """Add and apply in one pass; where the output is enough, in place of `z`."""
    known = _find(activation)
    if known is None or not is_plain(be, z, biases) or not are_writable(z):
        return NotImplemented
    if z.ndim != 2 or biases.shape != (1, z.shape[1]):
        return NotImplemented
    _compile_backward(be, "activation_bias_backward", known)
    part, parameter = known.part, known.parameter(be, activation)
    arguments = *z.shape, z, biases, parameter
    if known.from_output:
        call = bound(be, "bias_activation_in_place", *arguments, activation=part)
        return (z, () if known is _LINEAR else z), call
    y = new(z.shape, z.dtype)
    return (y, z), bound(be, "bias_activation", *arguments, y, activation=part)


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
    found = _backward_of(be, new, residuals, dy, activation)
    if found is None:
        return NotImplemented
    known, dy = found
    shape = n, k = dy.shape
    db = new((1, k), dy.dtype) if db_out is None else db_out
    if not is_plain(be, db) or db.shape != (1, k) or not are_writable(db):
        return NotImplemented
    if known is _LINEAR:
        # BLAS adds up faster.
        return (dy, db), functools.partial(np.dot, _ones(n, dy.dtype), dy, db[0])
    dz = new(shape, dy.dtype)
    arguments = n, k, residuals, known.parameter(be, activation), dy, dz, db
    name = "activation_bias_backward"
    return (dz, db), bound(be, name, *arguments, activation=known.part)


@loop("activation_forward")
def activation_forward(be: Any, new: New, x: np.ndarray, activation: Any) -> Any:
    """Apply the activation in one pass."""
    known = _find(activation)
    if known is None or known is _LINEAR or not is_plain(be, x):
        return NotImplemented
    _compile_backward(be, "activation_backward", known)
    y = new(x.shape, x.dtype)
    arguments = x.size, x, known.parameter(be, activation), y
    call = bound(be, "activation_forward", *arguments, activation=known.part)
    return (y, y if known.from_output else x), call


@loop("activation_backward")
def activation_backward(
    be: Any, new: New, residuals: Any, dy: np.ndarray, activation: Any
) -> Any:
    """Go back through the activation in one pass."""
    found = _backward_of(be, new, residuals, dy, activation)
    if found is None or found[0] is _LINEAR:
        return NotImplemented
    known, dy = found
    dx = new(dy.shape, dy.dtype)
    arguments = dy.size, residuals, known.parameter(be, activation), dy, dx
    return dx, bound(be, "activation_backward", *arguments, activation=known.part)


@loop("relu_backward")
def relu_backward(be: Any, new: New, y: np.ndarray, dy: np.ndarray) -> Any:
    """Choose, in one pass."""
    if not are_alike(be, dy, y):
        return NotImplemented
    dx = new(dy.shape, dy.dtype)
    return dx, bound(be, "activation_backward", dy.size, y, 0.0, dy, dx)


def _find(activation: Any) -> Activation | None:
    """Return what loops know of a unit, nothing for a subclass."""
    cls = library_class(activation)
    if UNITS["layer"].get(cls.__name__) is not cls:
        return None
    if cls.__name__ == "GELU" and activation.approximate != "none":
        return _GELU_TANH
    return _KNOWN.get(cls.__name__)


def _backward_of(
    be: Any, new: New, residuals: Any, dy: Any, activation: Any
) -> tuple[Activation, np.ndarray] | None:
    """Return the activation and its gradient's operand, None for the reference.

    The reference cannot go on from what a loop alone keeps, so a gradient with gaps is
    copied for it, if the call is made at once.
    """
    known = _find(activation)
    # References that keep more than one array have a tuple.
    if known is None or isinstance(residuals, tuple) is not (known is _LINEAR):
        return None
    if not isinstance(dy, np.ndarray):
        raise TypeError("loops take arrays of NumPy alone")
    if not is_plain(be, dy):
        if new is not np.empty:
            return None
        dy = np.ascontiguousarray(dy, be.dtype)
    if known is not _LINEAR and not are_alike(be, dy, residuals):
        return None
    return known, dy


def _compile_backward(be: Any, name: str, known: Activation) -> None:
    """Find out, before anything is kept, whether there is a loop that goes back."""
    if known is not _LINEAR:
        compiled.loop(name, be.dtype_name, known.part)


@functools.lru_cache(maxsize=64)
def _ones(count: int, dtype: np.dtype) -> np.ndarray:
    return np.ones(count, dtype)
