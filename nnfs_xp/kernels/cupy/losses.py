"""Implementations of softmax with cross-entropy; ``cuda/losses.cu``."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.cupy.launch import is_plain
from nnfs_xp.kernels.cupy.module import kernel
from nnfs_xp.kernels.registry import implements, references

# Classes up to which a warp goes through a row; above, a block does.
_FEW_CLASSES = 1024
_ROWS_OF_BLOCK = 8


@implements("softmax_cross_entropy", "cupy")
def softmax_cross_entropy(be: Any, z: Any, y_true: Any) -> tuple[Any, Any]:
    """Compute losses and softmax in one launch."""
    import cupy

    if not _fits(be, z):
        return references()["softmax_cross_entropy"](be, z, y_true)
    targets, label_bytes = _targets(be, y_true)
    losses, p = cupy.empty(z.shape[:1], be.dtype), cupy.empty(z.shape, be.dtype)
    _launch(be, "softmax_cross_entropy", z, (z, targets, label_bytes, losses, p))
    return losses, (p, y_true)


@implements("softmax_cross_entropy_backward", "cupy")
def softmax_cross_entropy_backward(
    be: Any, p: Any, y_true: Any, dlosses: Any
) -> tuple[Any, Any]:
    """Compute the gradient in one launch."""
    import cupy

    if not _fits(be, p, dlosses):
        reference = references()["softmax_cross_entropy_backward"]
        return reference(be, p, y_true, dlosses)
    targets, label_bytes = _targets(be, y_true)
    dz = cupy.empty(p.shape, be.dtype)
    arguments = (p, targets, label_bytes, *_weights(be, dlosses), dz)
    _launch(be, "softmax_cross_entropy_backward", p, arguments)
    return dz


@implements("softmax_cross_entropy_with_gradient", "cupy")
def softmax_cross_entropy_with_gradient(
    be: Any, z: Any, y_true: Any, dlosses: Any
) -> tuple[Any, Any]:
    """Compute losses and gradient in one launch, without the softmax in memory."""
    import cupy

    if not _fits(be, z, dlosses):
        reference = references()["softmax_cross_entropy_with_gradient"]
        return reference(be, z, y_true, dlosses)
    targets, label_bytes = _targets(be, y_true)
    losses, dz = cupy.empty(z.shape[:1], be.dtype), cupy.empty(z.shape, be.dtype)
    arguments = (z, targets, label_bytes, *_weights(be, dlosses), losses, dz)
    _launch(be, "softmax_cross_entropy_with_gradient", z, arguments)
    return losses, dz


def _fits(be: Any, rows: Any, dlosses: Any = 1.0) -> bool:
    weighted = not isinstance(dlosses, float)
    return rows.size > 0 and is_plain(be, rows, *([dlosses] if weighted else []))


def _targets(be: Any, y_true: Any) -> tuple[Any, np.int32]:
    """Return targets as a kernel reads them, and the bytes of a label, 0 for rows."""
    import cupy

    if y_true.ndim == 2:
        return cupy.ascontiguousarray(y_true, be.dtype), np.int32(0)
    dtype = y_true.dtype if y_true.dtype.name in ("int32", "int64") else "int64"
    labels = cupy.ascontiguousarray(y_true, dtype)
    return labels, np.int32(labels.dtype.itemsize)


def _weights(be: Any, dlosses: Any) -> tuple[Any, Any]:
    """Return the weight of each sample, or None, and the weight of all."""
    if isinstance(dlosses, float):
        return None, be.dtype(dlosses)
    return dlosses, be.dtype(1.0)


def _launch(be: Any, name: str, rows: Any, arguments: tuple[Any, ...]) -> None:
    n, k = rows.shape
    if k <= _FEW_CLASSES:
        grid, block = (-(-n // _ROWS_OF_BLOCK),), (32, _ROWS_OF_BLOCK)
    else:
        grid, block = (n,), (256, 1)
    kernel(be.dtype_name, name)(grid, block, (*arguments, n, k))
