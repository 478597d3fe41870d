"""Portable functions, and implementations that compute the same faster on one backend.

The portable function is the reference: it holds the formula, runs on every
backend, and every implementation is tested against it. An implementation is used
where one is registered for the backend, and returns NotImplemented, before it has
written to anything, where the reference is to compute instead. The environment
variable ``NNFS_XP_KERNELS`` may say otherwise:

``auto``
    an implementation where there is one (the default);
``off``
    the references only;
``no_loops``
    as ``auto``, without the loops that numba compiles for NumPy;
``no_dense_step``
    as ``auto``, without whole training steps in a few kernels;
``no_fork``
    as ``auto``, without a second branch in CUDA graphs;
``require``
    an error where a backend has no implementation.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

from nnfs_xp.errors import BackendUnavailableError, InputError

Function = Callable[..., Any]

KERNEL_MODES = ("auto", "off", "no_loops", "no_dense_step", "no_fork", "require")
# Implementations for arrays of a backend that come before its own, if a library for
# them is installed, and are for training alone.
_LAYERS = {"numpy": ("loops", "numba")}

_REFERENCES: dict[str, Function] = {}
_IMPLEMENTATIONS: dict[tuple[str, str], Function] = {}
# Of a whole training step, by backend.
_STEPS: dict[str, Function] = {}
# What a call resolves to, by name and then by backend.
_RESOLVED: dict[str, dict[str, Function]] = {}
# Backends whose implementations are registered, or that have none.
_LOADED: set[str] = set()
_mode = os.environ.get("NNFS_XP_KERNELS") or "auto"


def portable(reference: Function) -> Function:
    """Make a function replaceable by an implementation of the same name.

    Parameters
    ----------
    reference : callable
        ``reference(be, ...)``, written with ``be.xp`` only.

    Returns
    -------
    callable
        Calls the implementation for ``be.name`` if there is one, else the reference,
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
    resolved = _RESOLVED[name] = {}

    @functools.wraps(reference)
    def call(be: Any, *arguments: Any) -> Any:
        function = resolved.get(be.name)
        if function is None:
            function = resolved[be.name] = _resolve(name, be.name, reference)
        if be.recorder is not None:
            return be.recorder.kernel(function, reference, arguments)
        found = function(be, *arguments)
        return reference(be, *arguments) if found is NotImplemented else found

    call.reference = reference  # type: ignore[attr-defined]
    return call


def implements(name: str, backend: str) -> Callable[[Function], Function]:
    """Return a decorator that registers an implementation of the reference `name`."""

    def enter(function: Function) -> Function:
        _IMPLEMENTATIONS[name, backend] = function
        _resolve_anew()
        return function

    return enter


def implements_step(backend: str) -> Callable[[Function], Function]:
    """Return a decorator that registers an implementation of whole training steps.

    Its reference is ``nnfs_xp.engine.step.train_step`` on gathered rows. It is called
    with a network, the rows and the state, before the first step, and returns a
    function that takes a step, or the reason why it takes none for these.
    """

    def enter(function: Function) -> Function:
        _STEPS[backend] = function
        return function

    return enter


def whole_step(be: Any, network: Any, rows: Any, state: Any) -> Function | str:
    """Return what takes a whole training step by a few kernels, or why nothing does."""
    if kernel_mode() in ("off", "no_dense_step"):
        return f"NNFS_XP_KERNELS={kernel_mode()}"
    _load_implementations(be.name)
    if be.name not in _STEPS:
        return "there are no kernels for it"
    return _STEPS[be.name](network, rows, state)


def forget(name: str) -> None:
    """Take a portable function and its implementations out of the registry.

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
    for key in [key for key in _IMPLEMENTATIONS if key[0] == name]:
        del _IMPLEMENTATIONS[key]
    _resolve_anew()


def _resolve_anew() -> None:
    for resolved in _RESOLVED.values():
        resolved.clear()


def _resolve(name: str, backend: str, reference: Function) -> Function:
    # What is written into a file is the formula.
    if kernel_mode() == "off" or backend == "onnx":
        return reference
    found = [
        _IMPLEMENTATIONS[name, owner]
        for owner in _owners(backend)
        if (name, owner) in _IMPLEMENTATIONS
    ]
    if not found and kernel_mode() == "require":
        raise BackendUnavailableError(
            f"NNFS_XP_KERNELS=require, and backend {backend!r} has no implementation "
            f"of the kernel {name!r}"
        )
    return functools.reduce(_first_of, found) if found else reference


def _owners(backend: str) -> list[str]:
    """Return whose implementations compute for a backend, loaded, the first first."""
    owners = [_LAYERS[backend][0], backend] if has_loops(backend) else [backend]
    for owner in owners:
        _load_implementations(owner)
    return owners


def has_loops(backend: str) -> bool:
    """Return whether loops that numba compiles compute for a backend."""
    if backend not in _LAYERS or kernel_mode() in ("off", "no_loops"):
        return False
    if sys.platform == "win32":
        # Machine code has another form there, which nobody has tried.
        return False
    return importlib.util.find_spec(_LAYERS[backend][1]) is not None


def loops_note(backend: str) -> str:
    """Return whether loops compute for a backend, in words; nothing if it has none.

    Whether they can be compiled is known from the first training on.
    """
    if backend not in _LAYERS:
        return ""
    if not has_loops(backend):
        switched_off = kernel_mode() in ("off", "no_loops")
        missing = "Windows" if sys.platform == "win32" else "no numba"
        reason = f"NNFS_XP_KERNELS={kernel_mode()}" if switched_off else missing
        return f"without loops ({reason})"
    _owners(backend)
    # Where loops are compiled, array libraries are imported.
    compiled = importlib.import_module("nnfs_xp.kernels.loops.compiled")
    reason = compiled.why_not()
    return f"without loops ({reason})" if reason else "with loops of numba"


def _first_of(first: Function, second: Function) -> Function:
    """Return an implementation by one of two, the second where the first is none.

    The same for `planned`, what some have besides: a plan of a call.
    """

    @functools.wraps(first)
    def implementation(be: Any, *arguments: Any) -> Any:
        found = first(be, *arguments)
        return second(be, *arguments) if found is NotImplemented else found

    plans = [f.planned for f in (first, second) if hasattr(f, "planned")]
    if plans:
        implementation.planned = (  # type: ignore[attr-defined]
            plans[0] if len(plans) == 1 else _first_of(*plans)
        )
    return implementation


def resolve_all(backend: str) -> None:
    """Find for every portable function what calls of a backend go to.

    A compiler that traces a first call would take for a condition that nothing was
    found yet, and compile anew at the second.
    """
    if kernel_mode() != "require":
        for name, reference in _REFERENCES.items():
            _RESOLVED[name][backend] = _resolve(name, backend, reference)


def _load_implementations(backend: str) -> None:
    """Import the module that registers a backend's implementations, if there is one."""
    # A set and no cached function, as torch.compile traces this and warns of those.
    if backend in _LOADED:
        return
    module = f"nnfs_xp.kernels.{backend}"
    if importlib.util.find_spec(module) is not None:
        importlib.import_module(module)
    _LOADED.add(backend)


def references() -> dict[str, Function]:
    """Return every portable function by name."""
    return dict(_REFERENCES)


def implementations(backend: str) -> dict[str, Function]:
    """Return the implementations of one backend, by the name of their reference.

    Those that numba compiles for NumPy are under ``"loops"``.
    """
    _load_implementations(backend)
    return {
        name: implementation
        for (name, owner), implementation in _IMPLEMENTATIONS.items()
        if owner == backend
    }


def has_implementation(name: str, backend: str, training: bool = False) -> bool:
    """Return whether calls go to an implementation, in training or in any case."""
    if kernel_mode() == "off":
        return False
    owners = _owners(backend) if training else [backend]
    for owner in owners:
        _load_implementations(owner)
    return any((name, owner) in _IMPLEMENTATIONS for owner in owners)


def kernel_mode() -> str:
    """Return which implementations are used, one of `KERNEL_MODES`."""
    if _mode not in KERNEL_MODES:
        raise InputError(
            f"NNFS_XP_KERNELS must be one of {KERNEL_MODES}, got {_mode!r}"
        )
    return _mode


def set_kernel_mode(mode: str) -> None:
    """Set whether implementations are used, for the whole process.

    Parameters
    ----------
    mode : {"auto", "off", "no_loops", "no_dense_step", "no_fork", "require"}
        See the head of this module.
    """
    global _mode
    if mode not in KERNEL_MODES:
        raise InputError(f"mode must be one of {KERNEL_MODES}, got {mode!r}")
    _mode = mode
    _resolve_anew()
