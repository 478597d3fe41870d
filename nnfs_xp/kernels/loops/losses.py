"""Softmax with cross-entropy, as a loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnfs_xp.kernels.loops.launch import New, bound, is_plain, labels_of, loop


@loop("softmax_cross_entropy_with_gradient")
def softmax_cross_entropy_with_gradient(
    be: Any, new: New, z: np.ndarray, y_true: np.ndarray, dlosses: np.ndarray | float
) -> Any:
    """Go through blocks of rows that stay in the cache."""
    weighted = not isinstance(dlosses, float)
    weights: list[Any] = [dlosses] if weighted else []
    if not is_plain(be, z, *weights):
        return NotImplemented
    (n, k), labels = z.shape, labels_of(y_true)
    as_many = len(y_true) == n and all(each.shape == (n,) for each in weights)
    if labels is None or not k or not as_many:
        return NotImplemented
    dz, losses = new((n, k), z.dtype), new((n,), z.dtype)
    factors = (0.0, dlosses, True) if weighted else (dlosses, None, False)
    arguments = n, k, z, *labels, *factors, dz, losses
    return (losses, dz), bound(be, "softmax_cross_entropy_with_gradient", *arguments)
