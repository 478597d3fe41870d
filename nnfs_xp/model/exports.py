"""Functions that write a model in another program's format, by file extension."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from nnfs_xp.errors import InputError

# For each extension, the module with ``export(model, path, **options)``.
_MODULES = {".onnx": "nnfs_xp.onnx"}


def writer_for(path: Any) -> Callable[..., None]:
    """Return the function that writes a file of this name.

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
