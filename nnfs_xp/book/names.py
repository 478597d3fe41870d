"""Which class of the book stands for which of the library, also in files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnfs_xp.registry import UnitClass

BOOK_CLASSES: dict[type, type] = {}


def stands_for(core: type) -> Callable[[UnitClass], UnitClass]:
    """Return a class decorator: a model is saved with the library's class instead."""

    def enter(book: UnitClass) -> UnitClass:
        book.saved_as = core  # type: ignore[attr-defined]
        BOOK_CLASSES[core] = book
        return book

    return enter


def give_book_name(unit: Any) -> None:
    """Let a unit of the library have the book's methods too, if the book has it."""
    book = BOOK_CLASSES.get(type(unit))
    if book is not None:
        unit.__class__ = book
        # Some of what the library fixes, the book's programs set.
        vars(unit)["_settings"] = frozenset(unit._setting_names())
