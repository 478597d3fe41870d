"""How raw features become the numbers that a network is fed."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from nnfs_xp.errors import DTypeError, InputError


@dataclass(frozen=True)
class Scaling:
    """The map ``x -> (x - offset) / scale``.

    A network is saved together with the scaling it was trained on, so that
    later inputs are treated alike.

    Parameters
    ----------
    offset : float
        Subtracted from every value.
    scale : float
        Divides every value afterwards. Positive.

    Raises
    ------
    InputError
        If either is not finite, or `scale` is not positive.

    Examples
    --------
    >>> Scaling(127.5, 127.5).apply([[0, 255]]).tolist()
    [[-1.0, 1.0]]
    """

    offset: float
    scale: float

    def __post_init__(self) -> None:
        """Check that both numbers can be used."""
        for name in ("offset", "scale"):
            value = getattr(self, name)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not abs(value) <= sys.float_info.max:
                raise InputError(f"{name} must be a finite number, not {value!r}")
        if self.scale <= 0:
            raise InputError(f"scale must be positive, not {self.scale!r}")

    @classmethod
    def identity(cls) -> Scaling:
        """Return the scaling that changes nothing."""
        return cls(0.0, 1.0)

    @classmethod
    def images(cls) -> Scaling:
        """Return the scaling of 8-bit images, from 0..255 to -1..1."""
        return cls(127.5, 127.5)

    @classmethod
    def standard(cls, x: ArrayLike) -> Scaling:
        """Choose a scaling for data of unknown range.

        8-bit values that go above 1 are taken for images. Anything else is
        moved to mean 0 and standard deviation 1, taken over all values
        together.

        Parameters
        ----------
        x : array_like
            Finite training features of any shape, at least one value.

        Returns
        -------
        Scaling

        Raises
        ------
        InputError
            If `x` is empty or holds NaN or infinity.

        Examples
        --------
        >>> Scaling.standard([[10.0, 30.0]])
        Scaling(offset=20.0, scale=10.0)
        >>> Scaling.standard([[7, 7]])
        Scaling(offset=7.0, scale=1.0)
        """
        values = np.asarray(x)
        if values.size == 0:
            raise InputError("x must hold at least one value; it is empty")
        if values.dtype == np.uint8 and values.max() > 1:
            return cls.images()

        low, high = float(values.min()), float(values.max())
        if not math.isfinite(low) or not math.isfinite(high):
            raise InputError("x must be finite; it holds NaN or infinity")
        # Constant data is told apart by its range: rounding leaves its
        # computed deviation just above zero.
        if low == high:
            return cls(low, 1.0)

        # Squares of values beyond 1e154 would overflow, so mean and deviation
        # are taken of fractions. A power of two divides without rounding.
        exponent = math.frexp(max(-low, high))[1]
        fractions = np.ldexp(values.astype(np.float64), -exponent)
        mean = math.ldexp(float(fractions.mean()), exponent)
        deviation = math.ldexp(float(fractions.std()), exponent)
        return cls(mean, deviation or 1.0)

    def apply(self, x: ArrayLike, dtype: DTypeLike = "float32") -> np.ndarray:
        """Return ``(x - offset) / scale`` as a new array.

        Parameters
        ----------
        x : array_like
            Raw features.
        dtype : dtype, default "float32"
            Floating type of the result.

        Returns
        -------
        numpy.ndarray

        Raises
        ------
        DTypeError
            If `dtype` is not a floating type.

        Notes
        -----
        The arithmetic uses `dtype` itself wherever that holds every value of
        `x`, as for 8-bit images, and a wider type otherwise. In float32 two
        time stamps a minute apart would be the same number before their mean
        is taken away.
        """
        try:
            wanted = np.dtype(dtype)
        except TypeError as error:
            raise DTypeError(f"dtype {dtype!r} is unknown: {error}") from error
        if wanted.kind != "f":
            raise DTypeError(f"dtype must be a floating type, not {wanted}")

        values = np.asarray(x)
        scaled = values.astype(np.result_type(values.dtype, wanted))
        scaled -= self.offset
        scaled /= self.scale
        return scaled.astype(wanted, copy=False)

    def to_dict(self) -> dict[str, float]:
        """Return the two numbers as a dictionary that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Scaling:
        """Return the scaling that `to_dict` described.

        Parameters
        ----------
        numbers : mapping
            Holds ``"offset"`` and ``"scale"`` and nothing else.

        Returns
        -------
        Scaling

        Raises
        ------
        InputError
            If a key is missing or unknown, or a value is not usable.

        Examples
        --------
        >>> Scaling.from_dict(Scaling(8.0, 8.0).to_dict())
        Scaling(offset=8.0, scale=8.0)
        """
        if not isinstance(numbers, Mapping) or set(numbers) != {"offset", "scale"}:
            raise InputError(
                f"a scaling has the keys 'offset' and 'scale', not {numbers!r}"
            )
        return cls(numbers["offset"], numbers["scale"])
