"""Kernels: portable references and the faster implementations of some of them."""

from nnfs_xp.kernels.registry import (
    KERNEL_MODES,
    forget,
    has_implementation,
    has_loops,
    implementations,
    implements,
    implements_step,
    kernel_mode,
    loops_note,
    portable,
    references,
    resolve_all,
    set_kernel_mode,
    whole_step,
)

__all__ = [
    "KERNEL_MODES",
    "forget",
    "kernel_mode",
    "loops_note",
    "portable",
    "references",
    "resolve_all",
    "set_kernel_mode",
    "implements",
    "implements_step",
    "whole_step",
    "implementations",
    "has_implementation",
    "has_loops",
]
