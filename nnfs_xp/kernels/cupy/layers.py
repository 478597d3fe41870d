"""Implementations of what dense layers and activations compute; ``cuda/dense.cu``."""

from __future__ import annotations

from typing import Any, NamedTuple

from nnfs_xp.kernels.cupy import activations
from nnfs_xp.kernels.cupy.launch import (
    SOURCE_TYPES,
    column_width,
    empty,
    is_plain,
    launch,
    plain,
)
from nnfs_xp.kernels.registry import implements


class Kept(NamedTuple):
    """Residuals of an implementation: the activation, and its output or input.

    There is no array for `Linear`, which needs none.
    """

    activation: activations.Activation
    array: Any


@implements("bias_activation", "cupy")
def bias_activation(be: Any, z: Any, biases: Any, activation: Any) -> Any:
    """Add and apply in one launch; where it is enough, in place of `z`."""
    known = activations.find(activation)
    if known is None or not is_plain(be, z, biases):
        return NotImplemented
    y = z if known.from_output else empty(z.shape, be.dtype)
    arguments = z, biases, y, z.size, z.shape[1], *known.as_arguments(be)
    launch(be, "bias_activation", z.size, *arguments)
    return y, Kept(known, None if known.number == activations.LINEAR else z)


@implements("activation_bias_backward", "cupy")
def activation_bias_backward(
    be: Any, residuals: Any, dy: Any, activation: Any, db_out: Any = None
) -> Any:
    """Go back through the activation and sum up in one launch."""
    if not isinstance(residuals, Kept):
        return NotImplemented
    known, kept = residuals
    dy = plain(dy, be.dtype)
    if kept is None:
        return dy, _column_sums(be, "sum_over_samples", dy, (dy,), out=db_out)
    dz, code = empty(dy.shape, be.dtype), known.as_arguments(be)
    arrays = kept, dy, dz
    return dz, _column_sums(be, "activation_bias_backward", dy, arrays, code, db_out)


@implements("sum_over_samples", "cupy")
def sum_over_samples(be: Any, dy: Any) -> Any:
    """Sum in one launch, in a fixed order."""
    if dy.ndim != 2 or not is_plain(be, dy):
        return NotImplemented
    return _column_sums(be, "sum_over_samples", dy, (dy,))


@implements("activation_forward", "cupy")
def activation_forward(be: Any, x: Any, activation: Any) -> Any:
    """Apply the activation in one launch."""
    known = activations.find(activation)
    if known is None or not is_plain(be, x):
        return NotImplemented
    y = empty(x.shape, be.dtype)
    launch(be, "activation_forward", x.size, x, y, x.size, *known.as_arguments(be))
    return y, Kept(known, y if known.from_output else x)


@implements("activation_backward", "cupy")
def activation_backward(be: Any, residuals: Any, dy: Any, activation: Any) -> Any:
    """Go back through the activation in one launch."""
    if not isinstance(residuals, Kept):
        return NotImplemented
    known, kept = residuals
    dy = plain(dy, be.dtype)
    dx = empty(dy.shape, be.dtype)
    arguments = kept, dy, dx, dy.size, *known.as_arguments(be)
    launch(be, "activation_backward", dy.size, *arguments)
    return dx


@implements("rescaled", "cupy")
def rescaled(be: Any, x: Any, scale: float, offset: float) -> Any:
    """Cast and scale in one launch; ``cuda/batches.cu``."""
    if not x.flags.c_contiguous or x.dtype.name not in SOURCE_TYPES:
        return NotImplemented
    y, factors = empty(x.shape, be.dtype), (be.dtype(scale), be.dtype(offset))
    kind = SOURCE_TYPES[x.dtype.name]
    launch(be, "rescaled", x.size, x, kind, y, x.size, *factors)
    return y


def _column_sums(
    be: Any,
    name: str,
    dy: Any,
    arrays: tuple[Any, ...],
    code: tuple[Any, ...] = (),
    out: Any = None,
) -> Any:
    """Run a kernel that sums up columns of its last array, and return the sums."""
    n, k = dy.shape
    sums = empty((1, k), be.dtype) if out is None else out
    if not dy.size:
        sums[...] = 0
        return sums
    width = column_width(k)
    arguments = *arrays, sums, n, k, width, *code
    grid = (-(-k // int(width)),)
    launch(be, name, dy.size, *arguments, grid=grid, block=(1024,))
    return sums
