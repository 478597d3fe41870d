"""Who takes the steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.contenders.base import Contender
from benchmarks.nets.by_jax import JaxNet
from benchmarks.nets.by_pytorch import PyTorchNet
from benchmarks.nets.own import OwnNet
from benchmarks.nets.problems import NetProblem

EAGER, JIT = "PyTorch eager", "JAX, jit of grad"
CHANNELS_LAST = "PyTorch eager, channels last"
PLAIN = "nnfs_xp, NumPy"
FAST = "nnfs_xp, NumPy with loops"
TORCH, JAX = "nnfs_xp, PyTorch", "nnfs_xp, JAX"

_MAKERS: dict[str, Callable[[NetProblem], Contender]] = {
    PLAIN: lambda problem: OwnNet(problem, "numpy", "no_loops"),
    FAST: lambda problem: OwnNet(problem, "numpy"),
    TORCH: lambda problem: OwnNet(problem, "torch"),
    JAX: lambda problem: OwnNet(problem, "jax"),
    EAGER: PyTorchNet,
    f"{EAGER}, fused Adam": lambda problem: PyTorchNet(problem, fused=True),
    CHANNELS_LAST: lambda problem: PyTorchNet(problem, channels_last=True),
    JIT: JaxNet,
}


def make(problem: NetProblem, chosen: Sequence[str] | None) -> dict[str, Contender]:
    """Return contenders by their labels: all, or those that contain a text."""
    return {
        label: maker(problem)
        for label, maker in _MAKERS.items()
        if (chosen is None or any(text in label for text in chosen))
        and (label != CHANNELS_LAST or problem.key == "cnn")
    }
