"""Matrix products in mixed precision: which formats, and how operands are rounded.

The formula is written once, on the bits of a float32, so that every backend gives the
same numbers. Arithmetic tricks with floats, such as adding and subtracting a large
number, would not work: XLA recognizes and removes them.
"""

from __future__ import annotations

from typing import Any

Array = Any
# "full" is the backend's own dtype, without any rounding.
MATMUL_PRECISIONS = ("full", "tf32", "bfloat16", "float16")
# How many of the 23 bits after a float32's point a format lacks.
_DROPPED_BITS = {"tf32": 13, "bfloat16": 16, "float16": 13}
_FLOAT16_LARGEST = 65504.0
_FLOAT16_SMALLEST_NORMAL = 2.0**-14
_FLOAT16_STEP_BELOW = 2.0**-24


class Operand:
    """A matrix that is rounded already, as `Backend.operand` returns it.

    Attributes
    ----------
    array : array
        Its values, in whichever dtype the backend multiplies them.
    """

    __slots__ = ("array",)

    def __init__(self, array: Array) -> None:
        self.array = array

    @property
    def T(self) -> Operand:
        """The transposed matrix."""
        return Operand(self.array.T)


def rounded(be: Any, a: Array, precision: str) -> Array:
    """Round float32 numbers to a shorter format, to nearest and ties to even.

    Parameters
    ----------
    be : Backend
        Where the array is.
    a : array
        float32 numbers.
    precision : {"tf32", "bfloat16", "float16"}
        tf32 has the range of float32 and 10 bits after the point; bfloat16 has that
        range and 7 bits; float16 has 10 bits and numbers up to 65504.

    Returns
    -------
    array
        float32 numbers that the format represents exactly. Numbers that are too large
        become infinite, and NaN stays NaN.

    References
    ----------
    IEEE 754-2019, section 4.3.1.
    """
    xp, dropped = be.xp, _DROPPED_BITS[precision]
    bits = be.float_bits(a)
    # A little less than half of the last bit kept, and that bit: what lies halfway
    # is carried up only from an odd number. A carry out of the fraction goes on
    # into the exponent, as it should.
    half = (1 << (dropped - 1)) - 1
    bits = (bits + half + ((bits >> dropped) & 1)) & -(1 << dropped)
    y = be.float_of_bits(bits)
    if precision == "float16":
        # Below the normal numbers the step from one to the next is always the same.
        tiny = xp.round(a * (1.0 / _FLOAT16_STEP_BELOW)) * _FLOAT16_STEP_BELOW
        y = xp.where(xp.abs(a) < _FLOAT16_SMALLEST_NORMAL, tiny, y)
        y = xp.where(xp.abs(y) > _FLOAT16_LARGEST, y * float("inf"), y)
    # The carry would turn some NaNs into numbers.
    return xp.where(a == a, y, a)
