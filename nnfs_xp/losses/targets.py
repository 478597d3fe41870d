"""Targets in the form in which losses compute with them."""

from __future__ import annotations

from nnfs_xp.backends import Array, Backend


def as_rows(be: Backend, targets: Array, like: Array) -> Array:
    """Return targets as rows of the shape of `like`, in its dtype.

    Labels of shape (n,) become one-hot rows by comparison with the class
    numbers; indexing by two integer arrays is not in the Array API. A label
    beyond them gives a row of zeros.
    """
    xp = be.xp
    if targets.ndim == 1:
        classes = xp.arange(like.shape[1], dtype=targets.dtype, device=be.device)
        targets = targets[:, None] == classes
    # Integers would wrap around where they are negated.
    return targets if targets.dtype == like.dtype else xp.astype(targets, like.dtype)


def as_column(weights: Array | float, ndim: int = 2) -> Array | float:
    """Return the weights of samples so that they multiply arrays of `ndim` axes.

    A single number, which is the same for all of them, is returned as it is.
    """
    if isinstance(weights, float):
        return weights
    return weights[(slice(None), *(None,) * (ndim - 1))]
