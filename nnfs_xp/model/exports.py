"""What writes a model in the format of another program, by the ending of the file."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from nnfs_xp.errors import InputError

# Of each ending the module that has ``export(model, path, **options)``.
_MODULES = {".onnx": "nnfs_xp.onnx"}


def writer_for(path: Any) -> Callable[..., None]:
    """Return what writes a file of this name.

    Raises
    ------
    InputError
        If there is none.
    """
    ending = os.path.splitext(os.fsdecode(path))[1].lower()
    if ending not in _MODULES:
        raise InputError(
            f"path must end with one of {sorted(_MODULES)}, got {os.fspath(path)!r}; "
            "model.save writes nnfs_xp's own files"
        )
    write: Callable[..., None] = importlib.import_module(_MODULES[ending]).export
    return write
