"""Choose how a network is run."""

from __future__ import annotations

import importlib
from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.engine.network import Network
from nnfs_xp.engine.step import EagerExecutor
from nnfs_xp.errors import BackendUnavailableError

COMPILE_MODES = ("auto", "off", "require")


def check_mode(compile: str) -> str:
    """Return the mode, or raise InputError if there is none of that name."""
    return check_choice(compile, "compile", COMPILE_MODES)


def executor_for(network: Network, compile: str) -> Any:
    """Return the executor for a network.

    Parameters
    ----------
    network : Network
        What to run.
    compile : {"auto", "off", "require"}
        Compile if the backend can; never; or raise an error if it cannot.

    Raises
    ------
    InputError
        If the mode is unknown.
    BackendUnavailableError
        If a compiler is required and the backend has none, or cannot use it.
    """
    check_mode(compile)
    if compile == "off":
        return EagerExecutor(network, "compile='off'")
    be, required = network.backend, compile == "require"
    reason = f"there is no compiled step for backend {be.name!r}"
    for path in filter(None, (be.compiled_executor, be.recorded_executor)):
        module, _, name = path.partition(":")
        offered = getattr(importlib.import_module(module), name)
        reason = offered.why_not(network, required)
        if not reason:
            return offered(network, required)
    if required:
        raise BackendUnavailableError(f"compile='require', and {reason}")
    return EagerExecutor(network, reason)
