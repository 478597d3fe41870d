"""Portable functions, and twins that compute the same faster on one backend.

The portable function is the reference: it holds the formula, runs on every
backend, and every twin is tested against it. A twin is used where one is
registered for the backend, unless the environment variable
``NNFS_XP_KERNELS`` says otherwise:

``auto``
    a twin where there is one (the default);
``off``
    the references only;
``require``
    an error where a backend has no twin.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

from nnfs_xp.errors import BackendUnavailableError, InputError

Function = Callable[..., Any]

KERNEL_MODES = ("auto", "off", "require")

_REFERENCES: dict[str, Function] = {}
_TWINS: dict[tuple[str, str], Function] = {}
# What a call resolves to, so that a step looks each kernel up in one dict.
_RESOLVED: dict[tuple[str, str], Function] = {}
_mode = os.environ.get("NNFS_XP_KERNELS") or "auto"


def portable(reference: Function) -> Function:
    """Make a function replaceable by a twin of the same name.

    Parameters
    ----------
    reference : callable
        ``reference(be, ...)``, written with ``be.xp`` only.

    Returns
    -------
    callable
        Calls the twin for ``be.name`` if there is one, else the reference,
        which stays reachable as ``.reference``.

    Raises
    ------
    InputError
        If another module has a portable function of this name.
    """
    name = reference.__name__
    known = _REFERENCES.get(name, reference)
    if known.__module__ != reference.__module__:
        raise InputError(
            f"there is a portable function {name!r} already, in {known.__module__}"
        )
    _REFERENCES[name] = reference
    # A cell of a notebook that is run again defines its function anew.
    _RESOLVED.clear()

    @functools.wraps(reference)
    def call(be: Any, *arguments: Any) -> Any:
        key = (name, be.name)
        function = _RESOLVED.get(key)
        if function is None:
            function = _RESOLVED[key] = _resolve(name, be.name, reference)
        return function(be, *arguments)

    call.reference = reference  # type: ignore[attr-defined]
    return call


def twin_of(name: str, backend: str) -> Callable[[Function], Function]:
    """Return a decorator that registers a twin of the reference `name`."""

    def enter(function: Function) -> Function:
        _TWINS[name, backend] = function
        _RESOLVED.clear()
        return function

    return enter


def forget(name: str) -> None:
    """Take a portable function and its twins out of the registry.

    For functions that were made to try something, as in a notebook. It can
    still be called, and computes as its reference does.

    Parameters
    ----------
    name : str
        Name of the reference.

    Raises
    ------
    InputError
        If there is no portable function of that name.
    """
    if name not in _REFERENCES:
        raise InputError(
            f"name must be that of a portable function, {sorted(_REFERENCES)}, "
            f"got {name!r}"
        )
    del _REFERENCES[name]
    for key in [key for key in _TWINS if key[0] == name]:
        del _TWINS[key]
    _RESOLVED.clear()


def _resolve(name: str, backend: str, reference: Function) -> Function:
    if kernel_mode() == "off":
        return reference
    _load_twins(backend)
    twin = _TWINS.get((name, backend))
    if twin is None and kernel_mode() == "require":
        raise BackendUnavailableError(
            f"NNFS_XP_KERNELS=require, and backend {backend!r} has no twin "
            f"of the kernel {name!r}"
        )
    return twin or reference


@functools.cache
def _load_twins(backend: str) -> None:
    """Import the module that registers a backend's twins, if there is one."""
    module = f"nnfs_xp.kernels.{backend}"
    if importlib.util.find_spec(module) is not None:
        importlib.import_module(module)


def references() -> dict[str, Function]:
    """Return every portable function by name."""
    return dict(_REFERENCES)


def twins(backend: str) -> dict[str, Function]:
    """Return the twins of one backend, by the name of their reference."""
    _load_twins(backend)
    return {name: twin for (name, owner), twin in _TWINS.items() if owner == backend}


def uses_twin(name: str, backend: str) -> bool:
    """Return whether calls of a portable function go to a twin on a backend."""
    if kernel_mode() == "off":
        return False
    _load_twins(backend)
    return (name, backend) in _TWINS


def kernel_mode() -> str:
    """Return whether twins are used: ``auto``, ``off`` or ``require``."""
    if _mode not in KERNEL_MODES:
        raise InputError(
            f"NNFS_XP_KERNELS must be one of {KERNEL_MODES}, got {_mode!r}"
        )
    return _mode


def set_kernel_mode(mode: str) -> None:
    """Set whether twins are used, for the whole process.

    Parameters
    ----------
    mode : {"auto", "off", "require"}
        See the head of this module.
    """
    global _mode
    if mode not in KERNEL_MODES:
        raise InputError(f"mode must be one of {KERNEL_MODES}, got {mode!r}")
    _mode = mode
    _RESOLVED.clear()
