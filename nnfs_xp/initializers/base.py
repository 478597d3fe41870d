"""The base of all initializers, and helpers that several of them need."""

from __future__ import annotations

import math
from typing import Any

from nnfs_xp.errors import InputError
from nnfs_xp.random import Stream
from nnfs_xp.unit import Unit


class Initializer(Unit):
    """Base of all initializers: ``initializer(stream, shape)`` draws values.

    Examples
    --------
    >>> from nnfs_xp import Dense, Initializer
    >>> class Ramp(Initializer):
    ...     def __call__(self, stream, shape):
    ...         rows, columns = shape
    ...         return [[row / rows] * columns for row in range(rows)]
    >>> Dense(2, 2, weight_initializer=Ramp(), dtype="float64").weights
    array([[0. , 0. ],
           [0.5, 0.5]])
    """

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Any:
        """Return host values of the shape, drawn from the stream."""
        raise NotImplementedError


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan_in and fan_out: the number of inputs per output, and the reverse.

    They are the two lengths of a weight matrix. For a convolution, (sizes..., channels,
    filters), both are multiplied by the number of entries of its window.

    Raises
    ------
    InputError
        If this is not the shape of such weights, or has no elements.
    """
    if len(shape) < 2 or min(shape) < 1:
        raise InputError(
            "shape must be (fan_in, fan_out), that of a weight matrix, or (sizes..., "
            f"channels, filters), got {tuple(shape)}"
        )
    places = math.prod(shape[:-2])
    return places * shape[-2], places * shape[-1]


def matrix_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the lengths of weights as a matrix with a column for each output.

    Raises
    ------
    InputError
        As in `fans`.
    """
    return fans(shape)[0], shape[-1]
