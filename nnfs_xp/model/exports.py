"""What writes a model in the format of another program, by the ending of the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from nnfs_xp.errors import InputError

Writer = TypeVar("Writer", bound=Callable[..., None])

_WRITERS: dict[str, Callable[..., None]] = {}


def writer(ending: str) -> Callable[[Writer], Writer]:
    """Return a decorator for ``function(model, path, **options)``."""

    def enter(function: Writer) -> Writer:
        _WRITERS[ending] = function
        return function

    return enter


def writer_for(path: Any) -> Callable[..., None]:
    """Return what writes a file of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    ending = os.path.splitext(os.fsdecode(path))[1].lower()
    if ending not in _WRITERS:
        raise InputError(
            f"path must end with one of {sorted(_WRITERS)}, got {os.fspath(path)!r}; "
            "model.save writes nnfs_xp's own files"
        )
    return _WRITERS[ending]
