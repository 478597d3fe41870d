"""Label smoothing."""

from __future__ import annotations

from nnfs_xp.backends import Array


def smooth(y: Array, smoothing: float, n_classes: int) -> Array:
    """Return ``y (1 - s) + s / C``: a share `s` of every target spread evenly.

    Szegedy et al., "Rethinking the Inception Architecture for Computer
    Vision", 2016, section 7.
    """
    return y if smoothing == 0 else y * (1.0 - smoothing) + smoothing / n_classes
