"""Class names beside an axes: in lines, and small or sparse enough to be read."""

from __future__ import annotations

import math

from nnfs_xp.plots.style import LINE_HEIGHT, TICK, text_width, widest_line, wrap

# A line is at least about this many inches before a second one is begun.
_LINE_WIDTH = 1.4
_LINES = 2
# Names of more classes than this stand too close for a second line.
_MOST_BROKEN = 10
_SMALLEST = 6.0


def break_names(names: list[str]) -> list[str]:
    """Return the names, the long ones of a few classes in two lines."""
    if len(names) > _MOST_BROKEN:
        return [" ".join(name.split()) for name in names]
    return [_break_name(name) for name in names]


def _break_name(name: str) -> str:
    # A fifth more, because lines that end between words are seldom full.
    half = 1.2 * text_width(name, TICK) / _LINES
    return wrap(name, max(_LINE_WIDTH, half), TICK)


def names_width(names: list[str]) -> float:
    """Return the inches that the names take up beside an axes."""
    return widest_line(break_names(names), TICK)


def fit_names(names: list[str], inches: float) -> tuple[float, int]:
    """Return a font size, and that every how many-th name is to be shown.

    With them names that are `inches` apart, measured across their lines, do
    not touch.
    """
    lines = max(name.count("\n") + 1 for name in break_names(names))
    size = 72 * inches / lines / LINE_HEIGHT
    if size >= _SMALLEST:
        return min(size, TICK), 1
    return _SMALLEST, math.ceil(_SMALLEST / size)
