"""Kernels: portable references and the faster twins of some of them."""

from nnfs_xp.kernels.registry import (
    KERNEL_MODES,
    forget,
    kernel_mode,
    portable,
    references,
    set_kernel_mode,
    twin_of,
    twins,
    uses_twin,
)

__all__ = [
    "KERNEL_MODES",
    "forget",
    "kernel_mode",
    "portable",
    "references",
    "set_kernel_mode",
    "twin_of",
    "twins",
    "uses_twin",
]
