"""Windows that move over pictures: their positions, and the values below each entry.

Pictures have shape (n, length, ..., channels): one length for texts and signals, height
and width for images. A window has one entry for each entry of a kernel. The values
below an entry, in all positions of the window, are a part of the padded picture, which
slices select with the stride as their step. Convolution and pooling are therefore sums
and maxima over the entries.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from typing import Any

from nnfs_xp.arguments import check_count
from nnfs_xp.backends import Array, Backend
from nnfs_xp.errors import InputError
from nnfs_xp.layers.nesting import MoreAxes

Lengths = tuple[int, ...]
Key = tuple[slice, ...]
Padding = str | tuple[int, ...]

_WORDS = ("valid", "same")
# The largest 32-bit index of compiled code; and more numbers than a process can
# address.
_LONGEST, _TOO_MANY = 2**31 - 1, 2**45


@dataclasses.dataclass(frozen=True)
class Windows:
    """The positions of a window, from its settings along each axis of a picture.

    Attributes
    ----------
    size, stride, dilation : tuple of int
        Length of the window, steps between its positions, and steps between its
        entries.
    padding : {"valid", "same"} or tuple of int
        Padding around a picture: none; as much as ``ceil(length / stride)`` positions
        need, with an odd one at the end; or the given number on both sides.
    """

    size: Lengths
    stride: Lengths
    padding: Padding
    dilation: Lengths

    @property
    def extent(self) -> Lengths:
        """Return the length from the first to the last entry, along each axis."""
        return tuple(
            (size - 1) * dilation + 1
            for size, dilation in zip(self.size, self.dilation, strict=True)
        )

    def pads(self, lengths: Lengths) -> tuple[tuple[int, int], ...]:
        """Return the padding before and after a picture, along each axis."""
        if self.padding == "valid":
            return ((0, 0),) * len(lengths)
        if self.padding != "same":
            return tuple((int(width), int(width)) for width in self.padding)
        found = []
        for length, extent, step in zip(lengths, self.extent, self.stride, strict=True):
            total = max((-(-length // step) - 1) * step + extent - length, 0)
            found.append((total // 2, total - total // 2))
        return tuple(found)

    def counts(self, lengths: Lengths) -> Lengths:
        """Return the number of positions along each axis; below 1 if none fits."""
        return tuple(
            (length + sum(pads) - extent) // step + 1
            for length, pads, extent, step in zip(
                lengths, self.pads(lengths), self.extent, self.stride, strict=True
            )
        )

    def places(self, lengths: Lengths) -> Iterator[tuple[Lengths, Key]]:
        """Yield each entry of the window, and the slices of the values below it.

        They are those of a padded array of these lengths before padding.
        """
        counts = self.counts(lengths)
        for place in itertools.product(*map(range, self.size)):
            spans = [
                slice(at * apart, at * apart + (count - 1) * step + 1, step)
                for at, apart, count, step in zip(
                    place, self.dilation, counts, self.stride, strict=True
                )
            ]
            yield place, (slice(None), *spans, slice(None))


def padded(
    be: Backend, x: Array, pads: tuple[tuple[int, int], ...], value: float = 0.0
) -> Array:
    """Return pictures with a value around them, or unchanged without padding."""
    if not any(map(any, pads)):
        return x
    n, *lengths, channels = x.shape
    wide = [length + sum(of) for length, of in zip(lengths, pads, strict=True)]
    whole = be.full((n, *wide, channels), value)
    return be.replaced(whole, inside(pads, tuple(lengths)), x)


def inside(pads: tuple[tuple[int, int], ...], lengths: Lengths) -> Key:
    """Return the slices of a padded array that select the picture."""
    spans = [
        slice(before, before + length)
        for (before, _), length in zip(pads, lengths, strict=True)
    ]
    return (slice(None), *spans, slice(None))


def checked_output(
    unit: Any, windows: Windows, shape: Lengths, channels: int | None = None
) -> Lengths:
    """Return the number of positions along each axis of a sample's picture.

    Raises
    ------
    InputError
        If samples of that shape are not such pictures or are smaller than the window.
    """
    names = check_picture(unit, shape, len(windows.size), channels)
    pads = windows.pads(shape[:-1])
    wide = [length + sum(of) for length, of in zip(shape, pads, strict=False)]
    check_room(unit, (*wide, shape[-1]))
    counts = windows.counts(shape[:-1])
    for name, length, count, extent in zip(
        names, shape, counts, windows.extent, strict=False
    ):
        if count < 1:
            raise InputError(
                f"layers: {unit!r} has windows of {name} {extent}, too large for "
                f"samples of {name} {length}, got {shape}"
            )
    return counts


def check_room(unit: Any, shape: Lengths) -> Lengths:
    """Return the shape of a picture, or raise InputError if it fits no memory."""
    if math.prod(shape) >= _TOO_MANY:
        raise InputError(
            f"layers: {unit!r} would create an image of shape {shape}, too large for "
            "any memory"
        )
    return shape


def check_picture(
    unit: Any, shape: Lengths, axes: int = 2, channels: int | None = None
) -> tuple[str, ...]:
    """Return the names of the axes of a picture, or raise InputError."""
    names = ("length",) if axes == 1 else ("height", "width")
    if len(shape) != axes + 1 or channels not in (None, shape[-1]):
        last = "channels" if channels is None else str(channels)
        wanted = ", ".join((*names, last))
        error = MoreAxes if len(shape) <= axes else InputError
        raise error(f"layers: {unit!r} takes samples of shape ({wanted}), got {shape}")
    return names


def check_lengths(
    value: Any, name: str, axes: int, least: int = 1
) -> int | tuple[int, ...]:
    """Return one length for all axes, or a tuple of one for each."""
    if not isinstance(value, (list, tuple)):
        return check_count(value, name, least, _LONGEST)
    if len(value) != axes:
        wanted = "an integer" if axes == 1 else f"an integer or {axes} of them"
        raise InputError(f"{name} must be {wanted}, got {value!r}")
    lengths = tuple(check_count(one, name, least, _LONGEST) for one in value)
    return lengths[0] if len(set(lengths)) == 1 else lengths


def check_padding(value: Any, name: str, axes: int) -> str | int | tuple[int, ...]:
    """Return a word, or the padding on both sides of each axis."""
    if not isinstance(value, str):
        return check_lengths(value, name, axes, least=0)
    if value not in _WORDS:
        raise InputError(f"{name} must be one of {_WORDS} or a number, got {value!r}")
    return value


def windows_of(
    axes: int, size: Any, stride: Any, padding: Any, dilation: Any
) -> Windows:
    """Return windows whose settings are each one number for all axes or a tuple."""

    def each(value: Any) -> Any:
        return value if isinstance(value, (tuple, str)) else (value,) * axes

    return Windows(each(size), each(stride), each(padding), each(dilation))
