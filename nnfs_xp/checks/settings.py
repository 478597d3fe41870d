"""Checks of a unit's settings in the precision that it computes in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from nnfs_xp.backends import Backend
from nnfs_xp.errors import InputError
from nnfs_xp.unit import Unit

# Bytes that a process can address.
_ADDRESSES = 2**47


def check_settings(be: Backend, unit: Unit) -> None:
    """Raise InputError if a number that a unit was made with is lost in a dtype.

    It may be too large, or so small that it would be 0. That is looked for once for
    each dtype, since settings are fixed.
    """
    if be.dtype_name not in unit._fitting:
        for name, value in _numbers(unit):
            check_fits(be, value, name)
        for name in unit._below_one & unit._arguments().keys():
            if getattr(unit, name) and 1.0 - getattr(unit, name) < _info(be)[2] / 4:
                raise InputError(
                    f"{name} must be below 1 in {be.dtype_name} too, got "
                    f"{getattr(unit, name)!r}"
                )
        unit._fitting |= {be.dtype_name}


def check_fits(be: Backend, value: float, name: str) -> None:
    """Raise InputError if a number is infinite in the backend's dtype, or 0."""
    smallest, largest, _ = _info(be)
    if value and not smallest <= abs(value) <= largest:
        raise InputError(
            f"{name} must be 0, or from {smallest:.4g} to {largest:.4g} in size, to be "
            f"a number of {be.dtype_name}, got {value!r}"
        )


def check_sizes(be: Backend, unit: Unit, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise InputError if an array of a unit fits into no memory at all."""
    for name, shape in shapes.items():
        size = math.prod(shape) * (4 if be.dtype_name == "float32" else 8)
        if size > _ADDRESSES:
            counts = [k for k, v in unit._arguments().items() if type(v) is int]
            raise InputError(
                f"{', '.join(counts)}: {name} of {unit!r} would have shape {shape} and "
                f"take {size:,} bytes, more than any memory holds"
            )


def _info(be: Backend) -> tuple[float, float, float]:
    info = be.xp.finfo(be.dtype)
    return float(info.smallest_normal), float(info.max), float(info.eps)


def _numbers(unit: Unit) -> Iterator[tuple[str, float]]:
    """Yield the numbers among the arguments of a unit, and those of units in them."""
    for name, value in unit._arguments().items():
        if isinstance(value, Unit):
            yield from ((f"{own} of {name}", number) for own, number in _numbers(value))
        elif isinstance(value, (tuple, dict)):
            numbers = value.values() if isinstance(value, dict) else value
            yield from ((name, number) for number in numbers if type(number) is float)
        elif type(value) is float:
            yield name, value
