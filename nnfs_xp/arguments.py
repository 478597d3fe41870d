"""Checks of single arguments: counts, seeds, rates.

Each returns the value as a plain Python number, so that NumPy's numbers are
welcome and JSON can hold what a unit keeps, or raises `InputError`.
"""

from __future__ import annotations

import contextlib
import math
import numbers
import operator
from typing import Any

from nnfs_xp.errors import InputError


def check_count(value: Any, name: str, least: int = 1) -> int:
    """Return an integer of at least `least`."""
    wanted = "a positive integer" if least == 1 else f"an integer of {least} or more"
    return _integer(value, name, wanted, least=least)


def check_integer(value: Any, name: str) -> int:
    """Return an integer, of any sign."""
    return _integer(value, name, "an integer")


def check_seed(value: Any) -> int:
    """Return an integer of 64 bits."""
    wanted = "an integer from 0 to 2**64 - 1"
    return _integer(value, "seed", wanted, least=0, most=2**64 - 1)


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


def check_positive(value: Any, name: str) -> float:
    """Return a finite number above 0."""
    if not _is_real(value) or not math.isfinite(value) or value <= 0:
        raise InputError(f"{name} must be a finite number above 0, got {value!r}")
    return float(value)


def check_factor(value: Any, name: str) -> float:
    """Return a number above 0, up to 1."""
    if check_positive(value, name) > 1:
        raise InputError(f"{name} must be at most 1, got {value!r}")
    return float(value)


def check_flag(value: Any, name: str) -> bool:
    """Return True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {value!r}")
    return value


def check_ignore_index(value: Any) -> int | None:
    """Return a label as wide as labels are, 32 bits, or None."""
    if value is None:
        return None
    wanted = "an integer of 32 bits or None"
    return _integer(value, "ignore_index", wanted, least=-(2**31), most=2**31 - 1)


def check_choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """Return one of several words."""
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"{name} must be one of {choices}, got {value!r}")
    return value


def check_rates(value: Any, name: str) -> tuple[float, ...]:
    """Return a sequence or an array of finite numbers of 0 or more, at least one."""
    items = value.tolist() if hasattr(value, "tolist") else value
    rates = isinstance(items, (list, tuple)) and all(
        _is_real(item) and math.isfinite(item) and item >= 0 for item in items
    )
    if not rates or not items:
        raise InputError(f"{name} must hold finite numbers of 0 or more, got {value!r}")
    return tuple(float(item) for item in items)


def _integer(
    value: Any,
    name: str,
    wanted: str,
    least: float = -math.inf,
    most: float = math.inf,
) -> int:
    """Return an integer, which is never a bool; those of NumPy count."""
    number = None
    if not isinstance(value, bool):
        with contextlib.suppress(TypeError):
            number = operator.index(value)
    if number is None or not least <= number <= most:
        raise InputError(f"{name} must be {wanted}, got {value!r}")
    return number


def _is_real(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
