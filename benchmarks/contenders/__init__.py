"""The contenders, one module for each family.

A module is imported only if its library works here, so that one that is not
installed costs a row of the table and nothing else.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from typing import Any

import nnfs_xp
from benchmarks.contenders.base import Contender
from benchmarks.workloads import Problem

DEVICES = ("cpu", "cuda")
BASELINE = "PyTorch eager, fused Adam"
REFERENCE = "the book's way, NumPy"


@dataclasses.dataclass(frozen=True)
class Entry:
    """How to make a contender.

    Attributes
    ----------
    label : str
        Its row of the table.
    library : str
        What has to work here.
    factory : str
        Module in this folder, and class in it.
    options : dict
        Further arguments of the class.
    devices : tuple of str
        Where it runs.
    """

    label: str
    library: str
    factory: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    devices: tuple[str, ...] = DEVICES

    def why_not(self, device: str) -> str:
        """Return why it cannot run on a device; nothing if it can."""
        if self.library == "sklearn":
            found = importlib.util.find_spec("sklearn")
            return "" if found else "scikit-learn is not installed"
        try:
            nnfs_xp.get_backend(self.library, device=device)
        except nnfs_xp.BackendUnavailableError as error:
            return str(error)
        return ""

    def make(self, problem: Problem, device: str) -> Contender:
        """Return the contender, with its data on the device."""
        file, name = self.factory.split(".")
        module = importlib.import_module(f"benchmarks.contenders.{file}")
        return getattr(module, name)(problem, device, **self.options)


CPU, CUDA = ("cpu",), ("cuda",)
ENTRIES = (
    Entry("nnfs_xp, NumPy", "numpy", "nnfs.NnfsXp", {"backend": "numpy"}, CPU),
    Entry("nnfs_xp, CuPy", "cupy", "nnfs.NnfsXp", {"backend": "cupy"}, CUDA),
    Entry("nnfs_xp, JAX (jit)", "jax", "nnfs.NnfsXp", {"backend": "jax"}),
    Entry("nnfs_xp, PyTorch", "torch", "nnfs.NnfsXp", {"backend": "torch"}),
    Entry(REFERENCE, "numpy", "book.Book", {}, CPU),
    Entry("PyTorch eager, default Adam", "torch", "pytorch.PyTorch", {"fused": None}),
    Entry(BASELINE, "torch", "pytorch.PyTorch", {"fused": True}),
    Entry("JAX, jit of grad", "jax", "jax_grad.JaxGrad"),
    Entry("scikit-learn, partial_fit", "sklearn", "scikit.ScikitLearn", {}, CPU),
)

# What a report from a GPU compares: steps of nnfs_xp on one backend, and the rivals
# at their best on the same device.
COMPILED, EAGER, FIT = "nnfs_xp, compiled", "nnfs_xp, eager", "nnfs_xp, Model.fit"
TORCH_COMPILE = (
    "torch.compile, reduce-overhead",
    "torch.compile, functional step",
)
JAX_JIT = "JAX, jit of grad"
RIVALS = (
    Entry(BASELINE, "torch", "pytorch.PyTorch", {"fused": True}),
    Entry(TORCH_COMPILE[0], "torch", "pytorch_compiled.Compiled"),
    Entry(TORCH_COMPILE[1], "torch", "pytorch_compiled.Functional"),
    Entry(JAX_JIT, "jax", "jax_grad.JaxGrad"),
)


def own_entries(backend: str) -> tuple[Entry, ...]:
    """Return the ways in which nnfs_xp itself takes steps on a backend."""
    compiled = {"backend": backend, "compile": "auto"}
    eager = {"backend": backend, "compile": "off"}
    return (
        Entry(COMPILED, backend, "nnfs.NnfsXp", compiled),
        Entry(EAGER, backend, "nnfs.NnfsXp", eager),
        Entry(FIT, backend, "nnfs.NnfsFit", {"backend": backend}),
    )


def available(device: str) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries for a device, and why some of them cannot run."""
    entries, left_out = [], {}
    for entry in ENTRIES:
        if device not in entry.devices:
            continue
        reason = entry.why_not(device)
        if reason:
            left_out[entry.label] = reason
        else:
            entries.append(entry)
    return entries, left_out
