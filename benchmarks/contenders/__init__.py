"""The contenders, one module for each family.

A module is imported only if its library works here, so that one that is not
installed costs a row of the table and nothing else.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

import nnfs_xp
from benchmarks.contenders.base import Contender
from benchmarks.workloads import CHECKED_IF_SMALL, Problem, Workload

DEVICES = ("cpu", "cuda")
# Libraries that nnfs_xp has no backend for.
OTHERS = {"sklearn": "scikit-learn", "keras": "Keras, or JAX for it,"}
NEEDED = {"sklearn": ("sklearn",), "keras": ("keras", "jax")}
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
    adam_only : bool
        Whether it has no other optimizer.
    small_only : bool
        Whether it clips probabilities, or takes too long, on large networks.
    """

    label: str
    library: str
    factory: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    devices: tuple[str, ...] = DEVICES
    adam_only: bool = False
    small_only: bool = False

    def takes(self, workload: Workload) -> bool:
        """Return whether it takes part in a workload."""
        small = workload.checked_steps >= CHECKED_IF_SMALL
        return (workload.optimizer == "adam" or not self.adam_only) and (
            small or not self.small_only
        )

    def why_not(self, device: str) -> str:
        """Return why it cannot run on a device; nothing if it can."""
        if self.library in OTHERS:
            name = OTHERS[self.library]
            found = all(map(importlib.util.find_spec, NEEDED[self.library]))
            return "" if found else f"{name} is not installed"
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
NUMPY, CUPY, JAX, TORCH = ({"backend": b} for b in ("numpy", "cupy", "jax", "torch"))
SCAN = "JAX, lax.scan over an epoch"
# Who takes a training step.
ENTRIES = (
    Entry("nnfs_xp, NumPy", "numpy", "nnfs.NnfsXp", NUMPY, CPU),
    Entry("nnfs_xp, CuPy", "cupy", "nnfs.NnfsXp", CUPY, CUDA),
    Entry("nnfs_xp, JAX (jit)", "jax", "nnfs.NnfsXp", JAX),
    Entry("nnfs_xp, PyTorch", "torch", "nnfs.NnfsXp", TORCH),
    Entry(REFERENCE, "numpy", "book.Book", {}, CPU, True, True),
    Entry("PyTorch eager, default Adam", "torch", "pytorch.PyTorch", {"fused": None}),
    Entry(BASELINE, "torch", "pytorch.PyTorch", {"fused": True}),
    Entry("PyTorch, torch.compile", "torch", "pytorch_compiled.Compiled"),
    Entry("JAX, jit of grad", "jax", "jax_grad.JaxGrad"),
    Entry("Keras on JAX", "keras", "keras_model.Keras", {}, CPU, small_only=True),
    Entry(
        "scikit-learn", "sklearn", "scikit.ScikitLearn", {}, CPU, True, small_only=True
    ),
)
# Who goes through whole epochs, and shuffles.
EPOCHS = (
    Entry("nnfs_xp, NumPy", "numpy", "nnfs.NnfsFit", NUMPY, CPU),
    Entry("nnfs_xp, CuPy", "cupy", "nnfs.NnfsFit", CUPY, CUDA),
    Entry("nnfs_xp, JAX (jit)", "jax", "nnfs.NnfsFit", JAX),
    Entry("nnfs_xp, PyTorch", "torch", "nnfs.NnfsFit", TORCH),
    Entry(BASELINE, "torch", "pytorch.PyTorchEpochs", {"fused": True}),
    Entry(SCAN, "jax", "jax_grad.JaxScan"),
    Entry("Keras on JAX", "keras", "keras_model.KerasEpochs", {}, CPU),
    Entry("scikit-learn", "sklearn", "scikit.ScikitLearnEpochs", {}, CPU),
)
# Who predicts.
PREDICTS = (
    Entry("nnfs_xp, NumPy", "numpy", "nnfs.NnfsPredicts", NUMPY, CPU),
    Entry("nnfs_xp, CuPy", "cupy", "nnfs.NnfsPredicts", CUPY, CUDA),
    Entry("nnfs_xp, JAX (jit)", "jax", "nnfs.NnfsPredicts", JAX),
    Entry("nnfs_xp, PyTorch", "torch", "nnfs.NnfsPredicts", TORCH),
    Entry("PyTorch, inference mode", "torch", "pytorch.PyTorchPredicts"),
    Entry("JAX, jit", "jax", "jax_grad.JaxPredicts"),
    Entry("Keras on JAX", "keras", "keras_model.KerasPredicts", {}, CPU),
    Entry("scikit-learn", "sklearn", "scikit.ScikitLearnPredicts", {}, CPU),
)
OWN = "nnfs_xp"

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


def available(
    device: str, entries: Sequence[Entry] | None = None
) -> tuple[list[Entry], dict[str, str]]:
    """Return those of some entries that can run on a device, and why others cannot."""
    found, left_out = [], {}
    for entry in ENTRIES if entries is None else entries:
        if device not in entry.devices:
            continue
        reason = entry.why_not(device)
        if reason:
            left_out[entry.label] = reason
        else:
            found.append(entry)
    return found, left_out
