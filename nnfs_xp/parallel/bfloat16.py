"""bfloat16: the first 16 bits of a float32, rounded to nearest, ties to even.

They have the range of float32 and 8 significant bits, so each is off by no more than
2^-8 of itself, 0.4 %.

References
----------
Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training", 2019.
"""

from __future__ import annotations

import numpy as np

_NAN = 0x7FC0


def compressed(values: np.ndarray) -> np.ndarray:
    """Return numbers as bfloat16, whose bits are given as uint16."""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(values, np.float32)
    bits = values.view(np.uint32)
    # Half of the last bit kept; a tie goes to the number where that bit is 0.
    rounded = (bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) >> 16
    return np.where(np.isnan(values), _NAN, rounded).astype(np.uint16)


def expanded(bits: np.ndarray) -> np.ndarray:
    """Return the float32 that the bits of bfloat16 stand for."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
