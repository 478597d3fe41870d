"""Scaling of raw features to the numbers that a network is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from nnfs_xp.errors import DTypeError, InputError


@dataclass(frozen=True)
class Scaling:
    """The map ``x -> (x - offset) / scale``, per column or for all values.

    A network is saved together with the scaling it was trained with, so that later
    inputs are treated the same way.

    Parameters
    ----------
    offset : float or sequence of float
        Subtracted from every value, or one number for each column.
    scale : float or sequence of float
        Divides every value afterwards. Positive; as many numbers as `offset`.

    Raises
    ------
    InputError
        If a number is not finite, a scale is not positive, or the two differ in
        length.

    Examples
    --------
    >>> Scaling(127.5, 127.5).apply([[0, 255]]).tolist()
    [[-1.0, 1.0]]
    >>> Scaling([0, 100], [1, 50]).apply([[3, 200], [4, 50]]).tolist()
    [[3.0, 2.0], [4.0, -1.0]]
    """

    offset: float | tuple[float, ...]
    scale: float | tuple[float, ...]

    def __post_init__(self) -> None:
        """Check that the numbers can be used."""
        for name in ("offset", "scale"):
            given = getattr(self, name)
            numbers = np.asarray(given)
            # True and "1", which NumPy would take for numbers, are of other kinds.
            if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
                raise InputError(f"{name} must be a finite number, not {given!r}")
            if numbers.ndim > 1 or numbers.shape != np.shape(self.offset):
                raise InputError(
                    "offset and scale must be two numbers, or have one number for "
                    f"each column; {name} is {given!r}"
                )
            value = numbers.astype(np.float64).tolist()
            object.__setattr__(self, name, tuple(value) if numbers.ndim else value)
        if np.min(self.scale, initial=1.0) <= 0:
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
    def standard(cls, x: ArrayLike, axis: Literal[0] | None = None) -> Scaling:
        """Choose a scaling to mean 0 and standard deviation 1.

        Parameters
        ----------
        x : array_like
            Finite training features of any shape, at least one value.
        axis : 0 or None, default None
            With 0, each column has a mean and a deviation of its own. With None, there
            is one for all values together, and 8-bit values above 1 are treated as
            images, see `Scaling.images`. Values that are all equal are moved to 0.

        Returns
        -------
        Scaling

        Raises
        ------
        InputError
            If `x` is empty or holds NaN or infinity.

        References
        ----------
        scikit-learn's ``StandardScaler`` does the same with each column.

        Examples
        --------
        >>> Scaling.standard([[10.0, 30.0]])
        Scaling(offset=20.0, scale=10.0)
        >>> Scaling.standard([[7, 7]])
        Scaling(offset=7.0, scale=1.0)
        >>> Scaling.standard([[0.0, 7.0], [0.2, 7.0]], axis=0)
        Scaling(offset=(0.1, 7.0), scale=(0.1, 1.0))
        """
        values = np.asarray(x)
        if values.size == 0:
            raise InputError("x must hold at least one value; it is empty")
        if axis is None and values.dtype == np.uint8 and values.max() > 1:
            return cls.images()

        low, high = (values.min(axis), values.max(axis))
        if not np.isfinite(low).all() or not np.isfinite(high).all():
            raise InputError("x must be finite; it holds NaN or infinity")
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        # Squares of values beyond 1e154 would overflow, so mean and deviation
        # are taken of fractions. A power of two divides without rounding.
        exponent = np.frexp(np.maximum(-low, high))[1]
        fractions = np.ldexp(values.astype(np.float64), -exponent)
        mean = np.ldexp(fractions.mean(axis), exponent)
        deviation = np.ldexp(fractions.std(axis), exponent)
        # Constant data is recognized by its range: rounding leaves its computed
        # deviation just above zero.
        constant = low == high
        offset = np.where(constant, low, mean)
        return cls(offset, np.where(constant | (deviation == 0), 1.0, deviation))  # type: ignore[arg-type]

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
        InputError
            If the scaling is per column and `x` has a different number of columns, or a
            finite value becomes one that `dtype` cannot hold.

        Notes
        -----
        The arithmetic uses `dtype` itself wherever that holds every value
        of `x`, as for 8-bit images, and a wider type otherwise. In float32, two time
        stamps a minute apart would be the same number before their mean is subtracted.
        """
        try:
            wanted = np.dtype(dtype)
        except TypeError as error:
            raise DTypeError(f"dtype {dtype!r} is unknown: {error}") from error
        if wanted.kind != "f":
            raise DTypeError(f"dtype must be a floating type, not {wanted}")

        values = np.asarray(x)
        columns = np.shape(self.offset)
        if columns and values.shape[-1:] != columns:
            raise InputError(
                f"x must have {columns[0]} columns, as the scaling has, not shape "
                f"{values.shape}"
            )
        try:
            with np.errstate(over="raise", under="ignore", invalid="ignore"):
                scaled = values.astype(np.result_type(values.dtype, wanted))
                scaled -= np.asarray(self.offset, scaled.dtype)
                scaled /= np.asarray(self.scale, scaled.dtype)
                return scaled.astype(wanted, copy=False)
        except FloatingPointError:
            raise InputError(
                f"x has values that are too large, once scaled, for {wanted}"
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as a dictionary that JSON can hold."""
        return asdict(self)

    def undo(self, x: ArrayLike) -> np.ndarray:
        """Return ``x scale + offset`` in float64, which takes `apply` back."""
        return np.asarray(x, np.float64) * self.scale + self.offset

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
