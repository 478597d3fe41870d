"""Targets in the form in which losses compute with them."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend


def as_rows(be: Backend, targets: Array, like: Array) -> Array:
    """Return targets as rows of the shape of `like`.

    Labels of shape (n,) become one-hot rows by comparison with the class
    numbers; indexing by two integer arrays is not in the Array API. Rows of
    shape (n, k) are returned as they are.
    """
    if targets.ndim == 2:
        return targets
    xp = be.xp
    classes = xp.arange(like.shape[1], dtype=targets.dtype, device=be.device)
    return xp.astype(targets[:, None] == classes, like.dtype)


def as_column(weights: Array | float) -> Array | float:
    """Return the weights of samples so that they multiply rows.

    A single number, which is the same for all of them, is returned as it is.
    """
    return weights if isinstance(weights, float) else weights[:, None]
