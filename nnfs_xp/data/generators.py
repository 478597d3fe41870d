"""What the generators of points share: their arguments, and their noise."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from nnfs_xp.errors import DTypeError, InputError

Seed = int | np.random.RandomState | None


def check_size(value: Any, name: str, most: int = 2**31 - 1) -> int:
    """Return an integer from 1 to `most`, or raise InputError."""
    return _integer(value, name, 1, most)


def check_point_dtype(value: Any) -> np.dtype:
    """Return float32 or float64, or raise DTypeError."""
    try:
        # NumPy would take None for float64.
        name = "" if value is None else np.dtype(value).str
    except TypeError:
        name = ""
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        if name == dtype.str:
            return dtype
    raise DTypeError(f"dtype must be 'float32' or 'float64', got {value!r}")


def normal_numbers(seed: Seed) -> Callable[[int], np.ndarray]:
    """Return a function that draws standard normal numbers, as ``randn`` does.

    Parameters
    ----------
    seed : int, RandomState or None
        A seed of NumPy's legacy generator, such a generator, which goes on from
        where it is, or None for the global one of ``numpy.random``.

    Returns
    -------
    callable
        From a count to an array of shape (count,), dtype float64.

    Raises
    ------
    InputError
        If `seed` is none of these.
    """
    if seed is None:
        # Not randn: nnfs.init() puts another function in its place.
        return np.random.standard_normal
    if isinstance(seed, np.random.RandomState):
        return seed.standard_normal
    number = _integer(
        seed, "seed", 0, 2**32 - 1, or_else=", a numpy.random.RandomState or None"
    )
    return np.random.RandomState(number).standard_normal


def _integer(value: Any, name: str, low: int, high: int, or_else: str = "") -> int:
    """Return `value` as an int, or raise if it is not one of low..high."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise InputError(
            f"{name} must be an integer from {low} to {high}{or_else}, got {value!r}"
        )
    return number
