"""Implementations of what dense layers and activations compute; ``cuda/dense.cu``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nnfs_xp.kernels.cupy import activations
from nnfs_xp.kernels.cupy.launch import SOURCE_TYPES, THREADS, is_plain
from nnfs_xp.kernels.cupy.module import blocks_for, kernel
from nnfs_xp.kernels.registry import implements, references


class Kept(NamedTuple):
    """Residuals of an implementation: the activation, and its output or input.

    There is no array for `Linear`, which needs none.
    """

    activation: activations.Activation
    array: Any


@implements("bias_activation", "cupy")
def bias_activation(be: Any, z: Any, biases: Any, activation: Any) -> tuple[Any, Any]:
    """Add and apply in one launch; where it is enough, in the place of `z`."""
    known = activations.find(activation)
    if known is None or not is_plain(be, z, biases):
        return references()["bias_activation"](be, z, biases, activation)
    y = z if known.from_output else _like(z)
    if z.size:
        kernel(be.dtype_name, "bias_activation")(
            (blocks_for(z.size),),
            (THREADS,),
            (
                z, biases, y, z.size, z.shape[1],
                np.int32(known.number), be.dtype(known.parameter),
            ),
        )  # fmt: skip
    return y, Kept(known, None if known.number == activations.LINEAR else z)


@implements("activation_bias_backward", "cupy")
def activation_bias_backward(
    be: Any, residuals: Any, dy: Any, activation: Any, db_out: Any = None
) -> tuple[Any, Any]:
    """Go back through the activation and sum up in one launch."""
    if not isinstance(residuals, Kept):
        reference = references()["activation_bias_backward"]
        return reference(be, residuals, dy, activation, db_out)
    known, kept = residuals
    if kept is None:
        return dy, _column_sums(be, dy, db_out)
    dy = _plain(be, dy)
    n, k = dy.shape
    dz, db = _like(dy), _sums(dy, db_out)
    if dy.size == 0:
        db[...] = 0
    else:
        width = _columns_of_block(k)
        kernel(be.dtype_name, "activation_bias_backward")(
            (-(-k // width),),
            (1024,),
            (
                kept, dy, dz, db, n, k, np.int32(width),
                np.int32(known.number), be.dtype(known.parameter),
            ),
        )  # fmt: skip
    return dz, db


@implements("sum_over_samples", "cupy")
def sum_over_samples(be: Any, dy: Any) -> Any:
    """Sum in one launch, in a fixed order."""
    if dy.ndim != 2 or not is_plain(be, dy):
        return references()["sum_over_samples"](be, dy)
    return _column_sums(be, dy, None)


@implements("activation_forward", "cupy")
def activation_forward(be: Any, x: Any, activation: Any) -> tuple[Any, Any]:
    """Apply the activation in one launch."""
    known = activations.find(activation)
    if known is None or not is_plain(be, x):
        return references()["activation_forward"](be, x, activation)
    y = _like(x)
    if x.size:
        kernel(be.dtype_name, "activation_forward")(
            (blocks_for(x.size),),
            (THREADS,),
            (x, y, x.size, np.int32(known.number), be.dtype(known.parameter)),
        )
    return y, Kept(known, y if known.from_output else x)


@implements("activation_backward", "cupy")
def activation_backward(be: Any, residuals: Any, dy: Any, activation: Any) -> Any:
    """Go back through the activation in one launch."""
    if not isinstance(residuals, Kept):
        return references()["activation_backward"](be, residuals, dy, activation)
    known, kept = residuals
    dy = _plain(be, dy)
    dx = _like(dy)
    if dy.size:
        kernel(be.dtype_name, "activation_backward")(
            (blocks_for(dy.size),),
            (THREADS,),
            (
                kept, dy, dx, dy.size,
                np.int32(known.number), be.dtype(known.parameter),
            ),
        )  # fmt: skip
    return dx


@implements("rescaled", "cupy")
def rescaled(be: Any, x: Any, scale: float, offset: float) -> Any:
    """Cast and scale in one launch; ``cuda/batches.cu``."""
    import cupy

    if not x.flags.c_contiguous or x.dtype.name not in SOURCE_TYPES:
        return references()["rescaled"](be, x, scale, offset)
    y = cupy.empty(x.shape, be.dtype)
    if x.size:
        kernel(be.dtype_name, "rescaled")(
            (blocks_for(x.size),),
            (THREADS,),
            (
                x, np.int32(SOURCE_TYPES[x.dtype.name]), y, x.size,
                be.dtype(scale), be.dtype(offset),
            ),
        )  # fmt: skip
    return y


def _column_sums(be: Any, dy: Any, out: Any) -> Any:
    dy = _plain(be, dy)
    n, k = dy.shape
    sums = _sums(dy, out)
    if dy.size == 0:
        sums[...] = 0
    else:
        width = _columns_of_block(k)
        kernel(be.dtype_name, "sum_over_samples")(
            (-(-k // width),), (1024,), (dy, sums, n, k, np.int32(width))
        )
    return sums


def _columns_of_block(k: int) -> int:
    """Return how many columns a block of 1024 threads sums up.

    Eight floats are a sector of memory, and more blocks keep more multiprocessors
    at work. From some hundreds of blocks on, whole lines are better.
    """
    if k < 8:
        return 1 << (k - 1).bit_length()
    return 8 if k < 4096 else 32


def _sums(dy: Any, out: Any) -> Any:
    import cupy

    return cupy.empty((1, dy.shape[1]), dy.dtype) if out is None else out


def _like(array: Any) -> Any:
    import cupy

    return cupy.empty(array.shape, array.dtype)


def _plain(be: Any, array: Any) -> Any:
    import cupy

    return cupy.ascontiguousarray(array, be.dtype)
