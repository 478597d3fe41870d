"""Activations and their slopes, by ATen's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from nnfs_xp.kernels.torch.eager import implements_eager, may_look_at
from nnfs_xp.registry import UNITS, library_class

Tensor = Any


def _bound(name: str) -> Callable[..., Tensor]:
    """Return a function of ATen, below its wrapper in Python if that can be."""
    operator = getattr(torch.ops.aten, name).default
    return getattr(operator, "_op", operator)


_aten_threshold_backward = _bound("threshold_backward")
_aten_leaky_relu_backward = _bound("leaky_relu_backward")
_aten_gelu_backward = _bound("gelu_backward")
_aten_silu_backward = _bound("silu_backward")
_aten_softplus_backward = _bound("softplus_backward")
_aten_tanh_backward = _bound("tanh_backward")

# Beyond these, GELU and SiLU are x or 0 in both precisions. Infinity times 0 would be
# NaN.
_FAR = 40.0
_VERY_FAR = 1000.0
# From here on log(1 + exp(x)) is x in both precisions; PyTorch takes 20.
_SOFTPLUS_IS_LINEAR = 40.0


class Known(NamedTuple):
    """An activation: how to go forward, and how to go back.

    Attributes
    ----------
    forward : callable
        ``forward(z, unit) -> (y, kept)``; `z` may be overwritten.
    backward : callable
        ``backward(kept, dy, unit) -> dz``; neither `kept` nor `dy` is changed.
    """

    forward: Callable[[Tensor, Any], tuple[Tensor, Any]]
    backward: Callable[[Any, Tensor, Any], Tensor]


def _of_output(apply: Callable[[Tensor], Tensor]) -> Any:
    """Return a forward that overwrites z, where the slope follows from the output."""

    def forward(z: Tensor, unit: Any) -> tuple[Tensor, Tensor]:
        y = apply(z)
        return y, y

    return forward


def relu_slope(y: Tensor, dy: Tensor) -> Tensor:
    """Return `dy` where y is positive, else 0.

    ATen's function has 0 where y is 0 or less, which is not true of NaN. The sign of
    NaN is 0 there.
    """
    return _aten_threshold_backward(dy, y.sign(), 0)


def _leaky_relu(z: Tensor, unit: Any) -> tuple[Tensor, Tensor]:
    return functional.leaky_relu(z, unit.negative_slope), z


def _leaky_relu_backward(z: Tensor, dy: Tensor, unit: Any) -> Tensor:
    return _aten_leaky_relu_backward(dy, z, unit.negative_slope, False)


def _gelu(z: Tensor, unit: Any) -> tuple[Tensor, Tensor]:
    if _all_near(z):
        return functional.gelu(z, approximate=unit.approximate), z
    kept = z.clamp_(min=-_FAR).clamp(max=_FAR)
    # From there on it is x, also for infinity, of which PyTorch's is NaN.
    y = functional.gelu(kept, approximate=unit.approximate)
    return y.add_(z.sub_(kept)), kept


def _all_near(z: Tensor) -> bool:
    """Return whether nothing is far, where to look takes less time than to clip."""
    if not may_look_at(z):
        return False
    lowest, highest = torch.aminmax(z)
    return bool(lowest.item() >= -_FAR and highest.item() <= _FAR)


def _gelu_backward(x: Tensor, dy: Tensor, unit: Any) -> Tensor:
    return _aten_gelu_backward(dy, x, approximate=unit.approximate)


def _silu(z: Tensor, unit: Any) -> tuple[Tensor, Tensor]:
    kept = z.clamp(-_VERY_FAR, _VERY_FAR)
    return functional.silu(z.clamp_(min=-_VERY_FAR)), kept


def _silu_backward(x: Tensor, dy: Tensor, unit: Any) -> Tensor:
    return _aten_silu_backward(dy, x)


def _softplus(z: Tensor, unit: Any) -> tuple[Tensor, Tensor]:
    return functional.softplus(z, threshold=_SOFTPLUS_IS_LINEAR), z


def _softplus_backward(z: Tensor, dy: Tensor, unit: Any) -> Tensor:
    return _aten_softplus_backward(dy, z, 1.0, _SOFTPLUS_IS_LINEAR)


_KNOWN = {
    "Linear": Known(lambda z, unit: (z, None), lambda kept, dy, unit: dy),
    "ReLU": Known(
        _of_output(torch.Tensor.relu_), lambda y, dy, unit: relu_slope(y, dy)
    ),
    "LeakyReLU": Known(_leaky_relu, _leaky_relu_backward),
    "GELU": Known(_gelu, _gelu_backward),
    "SiLU": Known(_silu, _silu_backward),
    "Softplus": Known(_softplus, _softplus_backward),
    "Tanh": Known(
        _of_output(torch.Tensor.tanh_),
        lambda y, dy, unit: _aten_tanh_backward(dy, y),
    ),
}
_BY_CLASS = {UNITS["layer"][name]: known for name, known in _KNOWN.items()}


def known_of(unit: Any) -> Known | None:
    """Return how to compute an activation; None for a unit of another class."""
    return _BY_CLASS.get(type(unit)) or _BY_CLASS.get(library_class(unit))


@implements_eager("relu_backward")
def relu_backward(be: Any, y: Tensor, dy: Tensor) -> Tensor:
    """Choose by a comparison that takes no branch for every element."""
    return relu_slope(y, dy)


@implements_eager("softplus")
def softplus(be: Any, x: Tensor) -> Tensor:
    """Compute in one pass."""
    return functional.softplus(x, threshold=_SOFTPLUS_IS_LINEAR)


@implements_eager("activation_forward")
def activation_forward(be: Any, x: Tensor, activation: Any) -> Any:
    """Apply the activation to a copy, since it may overwrite what it is given."""
    known = known_of(activation)
    if known is None:
        return NotImplemented
    return known.forward(x.clone(), activation)


@implements_eager("activation_backward")
def activation_backward(be: Any, residuals: Any, dy: Tensor, activation: Any) -> Any:
    """Go back through the activation in one pass."""
    known = known_of(activation)
    if known is None:
        return NotImplemented
    return known.backward(residuals, dy, activation)
