"""Choose how a network is run."""

from __future__ import annotations

from typing import Any

from nnfs_xp.arguments import check_choice
from nnfs_xp.errors import BackendUnavailableError
from nnfs_xp.executors.eager import EagerExecutor
from nnfs_xp.kernels import uses_twin
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
        If a compiler is required and the backend has none, or cannot use it.
    """
    check_mode(compile)
    if compile == "off":
        return EagerExecutor(network, "compile='off'")
    be, required = network.backend, compile == "require"
    if be.name == "jax":
        from nnfs_xp.executors.jax_jit import JaxJitExecutor

        return JaxJitExecutor(network)
    if be.name == "torch" and (required or be.device.type == "cuda"):
        from nnfs_xp.executors.torch_compile import TorchCompileExecutor

        return TorchCompileExecutor(network, required)
    reason = _why_not_captured(network)
    if reason and required:
        raise BackendUnavailableError(f"compile='require', and {reason}")
    if reason:
        return EagerExecutor(network, reason)
    from nnfs_xp.executors.cuda_graph import CudaGraphExecutor

    return CudaGraphExecutor(network, required)


def _why_not_captured(network: Network) -> str:
    """Return why the step cannot be captured as a CUDA graph, empty if it can."""
    be = network.backend
    if be.name == "torch":
        return "torch.compile makes such steps no faster on a CPU"
    if be.name != "cupy":
        return f"there is no compiled step for backend {be.name!r}"
    if not uses_twin("gather_batch", be.name):
        return "kernels are off, and only they gather batches on the device"
    for layer in network.layers:
        if layer.noisy and not layer.draws_from_streams:
            return f"{layer!r} draws its random numbers on the host"
    return be.why_no_capture()
