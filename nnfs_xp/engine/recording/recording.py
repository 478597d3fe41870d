"""A recording: the calls of a step, prepared to be replayed with few buffers.

Calls whose results are not used are left out, and calls that give the same result at
every step are made only once. A result that is only copied to another place is written
there directly. A result overwrites an operand that is no longer needed, where that is
possible. All other results share one block of memory, in which two results may have the
same place if they are not needed at the same time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nnfs_xp.engine.recording.tape import (
    Call,
    Memory,
    Place,
    address_of,
    filled,
    places_in,
)

# Alignment of buffers in bytes, for NumPy's fastest loops.
_ALIGNMENT = 64


class Recording:
    """The calls of a step, for arrays of any state with the same shapes.

    Parameters
    ----------
    calls : sequence of Call
        In order.
    outputs : tree
        The results of the step, with places for arrays. They do not change until the
        step is taken again.
    """

    def __init__(self, calls: Sequence[Call], outputs: Any) -> None:
        self.outputs = outputs
        kept = {place.memory for place in places_in(outputs)}
        needed = _uncopied(_forwarded(_needed(calls, kept), kept), kept)
        self.once, self.calls = _split(needed, kept)
        # Results outlive the buffer, so they are not stored in it.
        apart = kept | {memory for call in self.once for memory in _written(call)}
        lives = _lives(self.calls, apart)
        self.starts, self.size = _layout(_shared(self.calls, lives), lives)

    def bind(self, state: Mapping[tuple[str, ...], np.ndarray]) -> Bound:
        """Return the step on the arrays of a state, by their paths."""
        return Bound(self, state)


class Bound:
    """A recording with the arrays that it reads and writes.

    Attributes
    ----------
    outputs : tree
        The results of the step.
    nbytes : int
        Memory of all buffers.
    """

    def __init__(
        self, recording: Recording, state: Mapping[tuple[str, ...], np.ndarray]
    ) -> None:
        self._state, self._starts = state, recording.starts
        self._buffer = aligned(recording.size)
        self.nbytes = self._buffer.nbytes
        # Its own memory: results, arrays that are computed once, copies of given
        # arrays.
        self._own: dict[Memory, np.ndarray] = {}
        self._views: dict[Place, np.ndarray] = {}
        # Given arrays are not copied, unless a kernel is bound to them.
        self._copies: list[tuple[int, np.ndarray]] = []
        self._open: list[tuple[list[Any], int, Place]] = []
        for call in recording.once:
            call.bound(self._array_of)()
        self._calls = [self._bound(call) for call in recording.calls]
        self.outputs = filled(recording.outputs, self._array_of)

    @property
    def count(self) -> int:
        """Number of calls."""
        return len(self._calls)

    def __call__(self, given: Sequence[np.ndarray]) -> None:
        """Take the step on the arrays of a batch."""
        for number, copy in self._copies:
            np.copyto(copy, given[number])
        for arguments, index, place in self._open:
            array = given[place.memory.given]  # type: ignore[index]
            whole = place is place.memory.whole
            arguments[index] = array if whole else place.of(array)
        for call in self._calls:
            call()

    def _bound(self, call: Call) -> Callable[[], Any]:
        """Return a call without arguments. Given arrays are filled in at every step."""
        at = [
            index
            for index, one in enumerate(call.arguments)
            if isinstance(one, Place) and one.memory.given is not None
        ]
        given = sum(place.memory.given is not None for place in call.reads)
        if not at or given != len(at) or call.planned is not None:
            return call.bound(self._array_of)
        if any(place.memory.given is not None for place in places_in(call.options)):
            return call.bound(self._array_of)
        arguments = [
            None if index in at else filled(one, self._array_of)
            for index, one in enumerate(call.arguments)
        ]
        self._open += [(arguments, index, call.arguments[index]) for index in at]
        options = filled(call.options, self._array_of)
        return functools.partial(_apply, call.function, arguments, options)

    def _array_of(self, place: Place) -> np.ndarray:
        found = self._views.get(place)
        if found is None:
            found = self._views[place] = self._made(place)
        return found

    def _made(self, place: Place) -> np.ndarray:
        memory = place.memory
        if memory.state:
            leaf = self._state[memory.state]
            return leaf if place is memory.whole else place.of(leaf)
        if memory in self._starts:
            return place.of(self._buffer, self._starts[memory])
        if memory not in self._own:
            own = self._own[memory] = aligned(memory.size)
            self.nbytes += own.nbytes
            if memory.given is not None:
                array = memory.whole.of(own)  # type: ignore[union-attr]
                self._copies.append((memory.given, array))
        return place.of(self._own[memory])


def _apply(function: Callable[..., Any], arguments: list[Any], options: Any) -> Any:
    return function(*arguments, **options)


def aligned(size: int) -> np.ndarray:
    """Return this many bytes of memory, aligned for NumPy's loops."""
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -address_of(raw) % _ALIGNMENT
    return raw[start : start + size]


def _written(call: Call) -> list[Memory]:
    return [place.memory for place in call.writes]


def _read(call: Call) -> list[Memory]:
    return [place.memory for place in call.reads]


def _needed(calls: Sequence[Call], kept: set[Memory]) -> list[Call]:
    """Return the calls whose results are used, or that write to the state."""
    used, found = set(kept), []
    for call in reversed(calls):
        if any(memory.state or memory in used for memory in _written(call)):
            used.update(_read(call))
            found.append(call)
    return found[::-1]


def _users(calls: list[Call]) -> dict[Memory, list[int]]:
    """Return the numbers of the calls that read or write each memory."""
    users: dict[Memory, list[int]] = {}
    for number, call in enumerate(calls):
        for memory in {*_read(call), *_written(call)}:
            users.setdefault(memory, []).append(number)
    return users


def _forwarded(calls: list[Call], kept: set[Memory]) -> list[Call]:
    """Let calls write directly to the place that their results are only copied to."""
    users, dropped = _users(calls), set()
    for number, call in enumerate(calls):
        source, target = _copy(call)
        if source is None or target is None or source.memory in kept:
            continue
        numbers = users[source.memory]
        if not source.memory.is_temporary or len(numbers) != 2 or numbers[1] != number:
            continue
        maker = calls[numbers[0]]
        place = _new_target(maker, source, target)
        of_target = users[target.memory]
        between = (numbers[0] < other < number for other in of_target)
        if place is not None and not any(between):
            maker.redirect(place)
            dropped.add(number)
            users[target.memory] = sorted({*of_target, numbers[0]} - {number})
    return [call for number, call in enumerate(calls) if number not in dropped]


def _copy(call: Call) -> tuple[Place | None, Place | None]:
    """Return source and target of a call that copies without conversion, else None."""
    if call.function is not np.copyto or call.into != 0:
        return None, None
    target, source = call.arguments[:2]
    if not isinstance(source, Place):
        return None, None
    same = source.shape == target.shape and source.dtype == target.dtype
    return (source, target) if same else (None, None)


def _new_target(maker: Call, source: Place, target: Place) -> Place | None:
    """Return where a call can write directly what would be copied to a target."""
    made = maker.target
    # Products and sums may be computed in another order if the memory has gaps.
    if made is None or not all(place.is_contiguous for place in (made, source, target)):
        return None
    if (made.offset, made.nbytes, made.dtype) != (
        source.offset, source.nbytes, source.dtype,
    ):  # fmt: skip
        return None
    place = target.memory.like(made, target.offset)
    for read in maker.reads:
        if read.memory is target.memory and not (maker.elementwise and read is place):
            return None
    return place


def _uncopied(calls: list[Call], kept: set[Memory]) -> list[Call]:
    """Omit copies whose original is not written to while they are read."""
    users, dropped = _users(calls), set()
    for number, call in enumerate(calls):
        source, target = _copy(call)
        if source is None or target is None or not target.is_whole:
            continue
        memory = target.memory
        numbers = users[memory]
        if not memory.is_temporary or memory in kept or numbers[0] != number:
            continue
        readers = [calls[other] for other in numbers[1:]]
        if not readers or not all(_only_reads(one, target) for one in readers):
            continue
        last = numbers[-1]
        written = [
            other
            for other in users[source.memory]
            if number < other <= last
            and source.memory in _written(calls[other])
            and not (
                other == last
                and calls[last].elementwise
                and all(one is source for one in calls[last].writes)
            )
        ]
        if not written:
            for one in readers:
                one.read_instead(target, source)
            dropped.add(number)
            users[source.memory] = sorted({*users[source.memory], *numbers} - {number})
    return [call for number, call in enumerate(calls) if number not in dropped]


def _only_reads(call: Call, place: Place) -> bool:
    """Return whether a call uses memory only by reading this place of it."""
    places = [one for one in call.reads if one.memory is place.memory]
    return place.memory not in _written(call) and all(one is place for one in places)


def _split(calls: list[Call], kept: set[Memory]) -> tuple[list[Call], list[Call]]:
    """Return the calls that give the same at every step, and all others."""
    writers: dict[Memory, int] = {}
    for call in calls:
        for memory in {*_written(call)}:
            writers[memory] = writers.get(memory, 0) + 1
    constant: set[Memory] = set()
    once: list[Call] = []
    rest: list[Call] = []
    for call in calls:
        same = not call.changes and call.planned is None
        same = same and all(memory in constant for memory in _read(call))
        same = same and all(
            memory.is_temporary and writers[memory] == 1 and memory not in kept
            for memory in _written(call)
        )
        if same:
            constant.update(_written(call))
        (once if same else rest).append(call)
    return once, rest


def _lives(calls: list[Call], apart: set[Memory]) -> dict[Memory, list[int]]:
    """Return the first and the last call that uses each temporary."""
    lives: dict[Memory, list[int]] = {}
    for number, call in enumerate(calls):
        for memory in (*_read(call), *_written(call)):
            if memory.is_temporary and memory not in apart:
                lives.setdefault(memory, [number, number])[1] = number
    return lives


def _shared(calls: list[Call], lives: dict[Memory, list[int]]) -> dict[Memory, Memory]:
    """Return, for each result that overwrites an operand, that operand.

    The lifetimes of operands are extended by those of the results.
    """
    over: dict[Memory, Memory] = {}
    for number, call in enumerate(calls):
        out = call.target
        if not call.elementwise or out is None:
            continue
        if lives.get(out.memory, [-1])[0] != number or not out.is_whole:
            continue
        for place in call.reads:
            memory = over.get(place.memory, place.memory)
            life = lives.get(memory)
            others = [p for p in call.reads if over.get(p.memory, p.memory) is memory]
            if (
                life is not None
                and life[1] == number
                and memory is not out.memory
                and place.is_whole
                and place.is_like(out)
                and all(other.is_like(place) for other in others)
            ):
                over[out.memory] = memory
                life[1] = lives.pop(out.memory)[1]
                break
    return over


def _layout(
    over: dict[Memory, Memory], lives: dict[Memory, list[int]]
) -> tuple[dict[Memory, int], int]:
    """Return the offset of each temporary in one buffer, and the buffer's size.

    The largest are placed first, each as low as the ones needed at the same time allow.
    """
    placed: list[tuple[int, int, int, int]] = []
    starts: dict[Memory, int] = {}
    for memory in sorted(lives, key=lambda one: -one.size):
        first, last = lives[memory]
        size = -(-max(memory.size, 1) // _ALIGNMENT) * _ALIGNMENT
        start = 0
        for low, high, began, ended in placed:
            if began <= last and first <= ended:
                if start + size <= low:
                    break
                start = max(start, high)
        starts[memory] = start
        placed.append((start, start + size, first, last))
        placed.sort()
    end = max((high for _, high, _, _ in placed), default=0)
    return starts | {memory: starts[one] for memory, one in over.items()}, end
