"""A tape: the calls of a step in order, with the memory that each reads and writes.

Memory is identified by its purpose, not by its address, so a tape can be played on
arrays other than those it was recorded with.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnfs_xp.engine.recording.walks import found_in, mapped


class StalePlanError(RuntimeError):
    """A kernel plans another call than it did when it was recorded."""


class CannotRecord(TypeError, AttributeError):
    """A step does something that a tape cannot hold; the message says what."""


@dataclasses.dataclass(eq=False)
class Memory:
    """Memory that calls read and write.

    Attributes
    ----------
    address : int
        Where it was while the step was recorded.
    size : int
        In bytes.
    state : tuple of str
        Path of the array of the state that it is, if it is one.
    given : int or None
        Number of the array of the batch that it is, if it is one.
    whole : Place or None
        All of it, as the array that it is.
    """

    address: int
    size: int
    state: tuple[str, ...] = ()
    given: int | None = None
    whole: Place | None = None

    def __post_init__(self) -> None:
        self._places: dict[Any, Place] = {}

    @property
    def is_temporary(self) -> bool:
        """Whether only the step uses it."""
        return not self.state and self.given is None

    def place(self, array: np.ndarray) -> Place:
        """Return the place of an array in this memory."""
        offset = address_of(array) - self.address
        return self._place(offset, array.shape, array.strides, array.dtype)

    def like(self, other: Place, offset: int) -> Place:
        """Return a place here of the kind of another."""
        return self._place(offset, other.shape, other.strides, other.dtype)

    def _place(self, *key: Any) -> Place:
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = Place(self, *key)
        return found


@dataclasses.dataclass(eq=False, frozen=True)
class Place:
    """An array in a memory. There is one object for each."""

    memory: Memory
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its memory."""
        return self.offset == 0 and self.nbytes == self.memory.size

    @property
    def nbytes(self) -> int:
        """Bytes of its elements."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def is_contiguous(self) -> bool:
        """Whether its elements are contiguous, row by row."""
        expected = self.dtype.itemsize
        axes = zip(reversed(self.shape), reversed(self.strides), strict=True)
        for length, stride in axes:
            if length != 1 and stride != expected:
                return False
            expected *= length
        return True

    def is_like(self, other: Place) -> bool:
        """Return whether elements are laid out like those of another, in any memory."""
        mine = self.shape, self.strides, self.dtype
        return mine == (other.shape, other.strides, other.dtype)

    def of(self, buffer: np.ndarray, start: int = 0) -> np.ndarray:
        """Return the array, in a buffer in which the memory begins at `start`."""
        at = start + self.offset
        return np.ndarray(self.shape, self.dtype, buffer, at, self.strides)


@dataclasses.dataclass(eq=False)
class Call:
    """One call.

    Attributes
    ----------
    function : callable
    arguments, options : list and dict
        Trees of tuples, lists and dicts, in which places stand for arrays.
    reads, writes : list of Place
    elementwise : bool
        Whether each element written depends on the same elements of what is read, and
        on no others, so that it may be written where one of them was.
    into : int, "out" or None
        Position or name of the argument that it writes all of, not reading it first.
    changes : bool
        Whether its result differs at every step, as for random numbers.
    planned : object
        Makes the call for arrays, in place of function and arguments.
    """

    function: Callable[..., Any]
    arguments: list[Any]
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    reads: list[Place] = dataclasses.field(default_factory=list)
    writes: list[Place] = dataclasses.field(default_factory=list)
    elementwise: bool = False
    into: int | str | None = None
    changes: bool = False
    planned: Planned | None = None

    @property
    def target(self) -> Place | None:
        """The argument that `into` names."""
        if self.into is None:
            return None
        return (self.options if self.into == "out" else self.arguments)[self.into]  # type: ignore[index]

    def redirect(self, place: Place) -> None:
        """Write to another place than before."""
        (self.options if self.into == "out" else self.arguments)[self.into] = place  # type: ignore[index]
        self.writes = [place]

    def read_instead(self, before: Place, place: Place) -> None:
        """Read another place than before."""
        target = self.target
        self.arguments = swapped(self.arguments, before, place)
        self.options = swapped(self.options, before, place)
        self.reads = swapped(self.reads, before, place)
        if target is before:
            self.redirect(before)

    def bound(self, array_of: Callable[[Place], np.ndarray]) -> Callable[[], Any]:
        """Return the call as a function without arguments, on arrays at places."""
        if self.planned is not None:
            return self.planned.bound(array_of)
        arguments = filled(self.arguments, array_of)
        options = filled(self.options, array_of)
        return functools.partial(self.function, *arguments, **options)


class Planned:
    """A kernel that makes its call itself, for given arrays.

    Parameters
    ----------
    make : callable
        ``make(new, *arguments) -> (results, call)``.
    arguments : tuple
        A tree with places.
    """

    def __init__(self, make: Callable[..., Any], arguments: Any) -> None:
        self.make, self.arguments = make, arguments
        # Places of the memory that it has asked for, in order.
        self.new: list[Place] = []

    def bound(self, array_of: Callable[[Place], np.ndarray]) -> Callable[[], Any]:
        """Return the call on arrays of its places."""
        left = list(self.new)

        def new(shape: Any, dtype: Any) -> np.ndarray:
            place = left.pop(0) if left else None
            if place is None or (place.shape, place.dtype) != (tuple(shape), dtype):
                raise StalePlanError
            return array_of(place)

        found = self.make(new, *filled(self.arguments, array_of))
        if found is NotImplemented or left:
            raise StalePlanError
        return found[1]


def address_of(array: np.ndarray) -> int:
    """Return the address of the first element of an array."""
    return array.__array_interface__["data"][0]


def filled(tree: Any, array_of: Callable[[Place], Any]) -> Any:
    """Return a tree with arrays in place of places."""
    return mapped(tree, Place, array_of)


def places_in(tree: Any) -> Iterator[Place]:
    """Yield the places in a tree."""
    return found_in(tree, Place)


def swapped(tree: Any, before: Place, place: Place) -> Any:
    """Return a tree with one place in place of another."""
    return filled(tree, lambda one: place if one is before else one)
