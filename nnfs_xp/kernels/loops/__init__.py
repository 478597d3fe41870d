"""Loops that numba compiles: implementations for NumPy, used where numba is installed.

A loop goes through memory once where NumPy goes several times, and it is called on
arrays without gaps only. Loops serve training alone: predictions and evaluations have
the same bits with and without them, and load nothing for them.

`source` has the loops, `compiled` makes machine code of them, `launch` binds it to
arrays, and `threads` shares large arrays out.
"""

from nnfs_xp.kernels.loops import (
    attention,
    dense,
    images,
    losses,
    norms,
    optimizers,
    statistics,
)

__all__ = [
    "attention",
    "dense",
    "images",
    "losses",
    "norms",
    "optimizers",
    "statistics",
]
