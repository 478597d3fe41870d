"""Checks of single arguments: counts, seeds, rates.

Each returns the value as a plain Python number, so that NumPy's numbers are
welcome and JSON can hold what a unit keeps, or raises `InputError`.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import numbers
import operator
from typing import Any

from nnfs_xp.errors import InputError


def check_count(value: Any, name: str, least: int = 1, most: int = 2**63 - 1) -> int:
    """Return an integer of at least `least`, as wide as the sizes of arrays are."""
    wanted = "a positive integer" if least == 1 else f"an integer of {least} or more"
    number = _integer(value, name, wanted, least=least)
    if number > most:
        raise InputError(f"{name} must be at most {most:,}, got {_shown(value)}")
    return number


def check_counts(value: Any, name: str) -> tuple[int, ...]:
    """Return a sequence or an array of positive integers."""
    if isinstance(value, str) or not hasattr(value, "__len__"):
        raise InputError(
            f"{name} must be a sequence of positive integers, got {_shown(value)}"
        )
    return tuple(check_count(item, name) for item in value)


def check_integer(value: Any, name: str) -> int:
    """Return an integer, of any sign."""
    return _integer(value, name, "an integer")


def check_seed(value: Any) -> int:
    """Return an integer of 64 bits."""
    wanted = "an integer from 0 to 2**64 - 1"
    return _integer(value, "seed", wanted, least=0, most=2**64 - 1)


def check_seed_or_none(value: Any) -> int | None:
    """Return an integer of 64 bits, or None where the model's seed serves."""
    return None if value is None else check_seed(value)


def check_number(value: Any, name: str) -> float:
    """Return a finite number."""
    return _finite(value, name, "a finite number", -math.inf)


def check_rate(value: Any, name: str) -> float:
    """Return a finite number of 0 or more."""
    return _finite(value, name, "a finite number of 0 or more", 0.0)


def check_decay(value: Any, name: str) -> float:
    """Return a number in [0, 1)."""
    number = check_rate(value, name)
    if number >= 1:
        raise InputError(f"{name} must be less than 1, got {value!r}")
    return number


def check_positive(value: Any, name: str) -> float:
    """Return a finite number above 0."""
    # The smallest of all floats.
    return _finite(value, name, "a finite number above 0", math.ulp(0.0))


def check_factor(value: Any, name: str) -> float:
    """Return a number above 0, up to 1."""
    number = check_positive(value, name)
    if number > 1:
        raise InputError(f"{name} must be at most 1, got {value!r}")
    return number


def check_share(value: Any, name: str) -> float:
    """Return a number from 0 to 1."""
    number = check_rate(value, name)
    if number > 1:
        raise InputError(f"{name} must be at most 1, got {value!r}")
    return number


def check_growth(value: Any, name: str) -> float:
    """Return a finite number of 1 or more."""
    return _finite(value, name, "a finite number of 1 or more", 1.0)


def check_flag(value: Any, name: str) -> bool:
    """Return True or False."""
    if not (isinstance(value, bool) or _is_numpys_flag(type(value))):
        raise InputError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def _is_numpys_flag(kind: type) -> bool:
    return kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")


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
    numbers = list(map(_real, items)) if isinstance(items, (list, tuple)) else []
    if not numbers or not all(0 <= number < math.inf for number in numbers):
        raise InputError(
            f"{name} must hold finite numbers of 0 or more, got {_shown(value)}"
        )
    return tuple(numbers)


def check_names(value: Any, name: str) -> tuple[str, ...]:
    """Return a sequence of strings, none of them empty."""
    words = value if isinstance(value, (list, tuple)) else [None]
    if not all(isinstance(word, str) and word for word in words):
        raise InputError(f"{name} must be a sequence of names, got {_shown(value)}")
    return tuple(words)


def check_increasing(value: Any, name: str) -> tuple[int, ...]:
    """Return a sequence or an array of integers of 0 or more, each above the last."""
    items = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(items, (list, tuple)) or not items:
        raise InputError(f"{name} must hold integers of 0 or more, got {_shown(value)}")
    counts = tuple(check_count(item, name, least=0) for item in items)
    if any(low >= high for low, high in itertools.pairwise(counts)):
        raise InputError(f"{name} must increase, got {_shown(value)}")
    return counts


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
        raise InputError(f"{name} must be {wanted}, got {_shown(value)}")
    return number


def _finite(value: Any, name: str, wanted: str, least: float) -> float:
    """Return a finite number of at least `least`."""
    number = _real(value)
    if not (math.isfinite(number) and number >= least):
        raise InputError(f"{name} must be {wanted}, got {_shown(value)}")
    return number


def _real(value: Any) -> float:
    """Return a real number as Python's, NaN for what is none: a bool, a string."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:
        return "an integer of more digits than Python prints"
    return text if len(text) < 200 else f"{text[:100]}..."
