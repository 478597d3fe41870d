"""Checks of single arguments: counts, seeds, rates.

Each returns the value as a plain Python number, so that NumPy's numbers are
welcome and JSON can hold what a unit keeps, or raises `InputError`.
"""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

from nnfs_xp.errors import InputError


def check_count(value: Any, name: str, least: int = 1) -> int:
    """Return an integer of at least `least`."""
    wanted = "a positive integer" if least == 1 else f"an integer of {least} or more"
    number = _integer(value)
    if number is None or number < least:
        raise InputError(f"{name} must be {wanted}, got {value!r}")
    return number


def check_seed(value: Any) -> int:
    """Return an integer of 64 bits."""
    number = _integer(value)
    if number is None or not 0 <= number < 2**64:
        raise InputError(f"seed must be an integer from 0 to 2**64 - 1, got {value!r}")
    return number


def check_number(value: Any, name: str) -> float:
    """Return a finite number."""
    if not _is_real(value) or not math.isfinite(value):
        raise InputError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def check_rate(value: Any, name: str) -> float:
    """Return a finite number of 0 or more."""
    if not _is_real(value) or not math.isfinite(value) or value < 0:
        raise InputError(f"{name} must be a finite number of 0 or more, got {value!r}")
    return float(value)


def check_decay(value: Any, name: str) -> float:
    """Return a number from 0 up to, not including, 1."""
    if check_rate(value, name) >= 1:
        raise InputError(f"{name} must be less than 1, got {value!r}")
    return float(value)


def _integer(value: Any) -> int | None:
    """Return a Python integer, None for what is not one; True is not."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
