"""Errors that come out of a user's own units, explained in the library's words."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path
from typing import Any

from nnfs_xp.backends import Backend
from nnfs_xp.errors import BackendMismatchError, DTypeError, InputError
from nnfs_xp.registry import is_of_library
from nnfs_xp.unit import Unit

# Errors of JAX for a function that needs the values of what is traced.
_TRACED = {"JAXTypeError", "JAXIndexError"}


class explain_own_units:
    """Say which unit of a user's own has asked its array library for what it refuses.

    Raises
    ------
    InputError
        In place of an error of JAX, which compiles a step before there are values.
    DTypeError
        In place of an error about two dtypes.
    BackendMismatchError
        In place of an error about an array of NumPy.
    """

    def __init__(self, be: Backend) -> None:
        self.be = be

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Raise the error that explains one of the library."""
        if not isinstance(error, Exception) or isinstance(error, InputError):
            return
        traced = any(base.__name__ in _TRACED for base in kind.__mro__)
        mixed = isinstance(error, (RuntimeError, TypeError)) and "dtype" in str(error)
        foreign = isinstance(error, TypeError) and "numpy" in str(error).lower()
        found = _innermost(trace) if traced or mixed or foreign else None
        if found is None:
            return
        method, line = found
        if traced:
            raise InputError(
                f"{method} needs the values of arrays {line}, which JAX does not have "
                "when it compiles a step; use where(condition, a, b) of cx.xp or "
                "be.xp, or make the model with compile='off'"
            ) from error
        reason = str(error).partition("\n")[0]
        if foreign and not mixed:
            raise BackendMismatchError(
                f"{method} mixes arrays of NumPy and of {self.be.name} {line}: "
                f"{reason}; use be.asarray(array, be.dtype) and nnfs_xp.to_numpy(array)"
            ) from error
        raise DTypeError(
            f"{method} mixes dtypes {line}: {reason}; the model computes in "
            f"{self.be.dtype_name}: use be.asarray(array, be.dtype)"
        ) from error


def _innermost(trace: Any) -> tuple[str, str] | None:
    """Return the innermost method of a user's own unit in a traceback, and its line."""
    found = None
    for frame, number in traceback.walk_tb(trace):
        unit, code = frame.f_locals.get("self"), frame.f_code
        if isinstance(unit, Unit) and not is_of_library(type(unit)):
            text = linecache.getline(code.co_filename, number).strip()
            place = f"({Path(code.co_filename).name}, line {number}: {text})"
            found = f"{code.co_name} of {unit!r}", place
    return found
