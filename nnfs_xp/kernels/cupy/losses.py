"""Implementations of softmax with cross-entropy; ``cuda/losses.cu``."""

from __future__ import annotations

from typing import Any

from nnfs_xp.kernels.cupy.launch import empty, is_plain, launch_rows, targets_of
from nnfs_xp.kernels.registry import implements


@implements("softmax_cross_entropy", "cupy")
def softmax_cross_entropy(be: Any, z: Any, y_true: Any) -> Any:
    """Compute losses and softmax in one launch."""
    if not _fits(be, z):
        return NotImplemented
    losses, p = empty(z.shape[:1], be.dtype), empty(z.shape, be.dtype)
    arguments = z, *targets_of(be, y_true), losses, p
    launch_rows(be, "softmax_cross_entropy", *z.shape, *arguments)
    return losses, (p, y_true)


@implements("softmax_cross_entropy_backward", "cupy")
def softmax_cross_entropy_backward(be: Any, p: Any, y_true: Any, dlosses: Any) -> Any:
    """Compute the gradient in one launch."""
    if not _fits(be, p, dlosses):
        return NotImplemented
    dz = empty(p.shape, be.dtype)
    arguments = p, *targets_of(be, y_true), *_weights(be, dlosses), dz
    launch_rows(be, "softmax_cross_entropy_backward", *p.shape, *arguments)
    return dz


@implements("softmax_cross_entropy_with_gradient", "cupy")
def softmax_cross_entropy_with_gradient(
    be: Any, z: Any, y_true: Any, dlosses: Any
) -> Any:
    """Compute losses and gradient in one launch, without the softmax in memory."""
    if not _fits(be, z, dlosses):
        return NotImplemented
    losses, dz = empty(z.shape[:1], be.dtype), empty(z.shape, be.dtype)
    arguments = z, *targets_of(be, y_true), *_weights(be, dlosses), losses, dz
    launch_rows(be, "softmax_cross_entropy_with_gradient", *z.shape, *arguments)
    return losses, dz


def _fits(be: Any, rows: Any, dlosses: Any = 1.0) -> bool:
    weighted = not isinstance(dlosses, float)
    return rows.size > 0 and is_plain(be, rows, *([dlosses] if weighted else []))


def _weights(be: Any, dlosses: Any) -> tuple[Any, Any]:
    """Return the weight of each sample, or None, and the weight of all."""
    if isinstance(dlosses, float):
        return None, be.dtype(dlosses)
    return dlosses, be.dtype(1.0)
