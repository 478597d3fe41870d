"""The two ways to keep the logarithm of a probability finite."""

from __future__ import annotations

from nnfs_xp.arguments import check_choice
from nnfs_xp.backends import Array, Backend

MODES = ("exact", "book")


def check_mode(mode: str) -> str:
    """Return the mode, or raise InputError if it is unknown."""
    return check_choice(mode, "mode", MODES)


def keep_log_finite(be: Backend, p: Array, mode: str) -> Array:
    """Return probabilities whose logarithm and inverse are finite in a mode."""
    if mode == "book":
        return clip_probabilities(be, p)
    return floor_probabilities(be, p)


def clip_probabilities(be: Backend, p: Array) -> Array:
    """Clip to [1e-7, 1 - 1e-7], as the book does before every logarithm."""
    # The standard's clip takes several kernels and synchronizations on CuPy; these take
    # one kernel each.
    p = be.xp.maximum(p, be.constant(1e-7))
    return be.xp.minimum(p, be.constant(1 - 1e-7))


def floor_probabilities(be: Backend, p: Array) -> Array:
    """Raise to the smallest normal number, so that 1/p stays finite.

    No other probability is changed. The loss of a probability of 0 is 87.3 in float32
    and 708.4 in float64.
    """
    smallest = float(be.xp.finfo(p.dtype).smallest_normal)
    return be.xp.maximum(p, be.constant(smallest))
