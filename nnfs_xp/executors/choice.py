"""Choose how a network is run."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.executors.eager import EagerExecutor
from nnfs_xp.step import Network

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
        Compile where the backend has a compiler; never; or raise where it has
        none.

    Raises
    ------
    InputError
        If there is no such mode.
    BackendUnavailableError
        If a compiler is required and the backend has none.
    """
    check_mode(compile)
    name = network.backend.name
    if compile != "off" and name == "jax":
        from nnfs_xp.executors.jax_jit import JaxJitExecutor

        return JaxJitExecutor(network)
    if compile == "require":
        raise BackendUnavailableError(
            f"compile='require', and there is no compiled step for backend {name!r}"
        )
    return EagerExecutor(network)
