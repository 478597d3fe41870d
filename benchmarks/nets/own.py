"""nnfs_xp, with the kernels that a mode allows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from benchmarks.contenders.nnfs import NnfsXp, copied, internals
from benchmarks.nets.problems import NetProblem
from nnfs_xp.kernels import kernel_mode, set_kernel_mode


class OwnNet(NnfsXp):
    """The step that `Model.fit` takes on one of these networks.

    Its seed draws the initial values of the problem on every backend. `mode` is a mode
    of kernels, such as ``no_loops`` for NumPy without numba.
    """

    def __init__(self, problem: NetProblem, backend: str, mode: str = "auto") -> None:
        self.mode = mode
        self.model = problem.model(backend)
        self.be = self.model.backend
        is_ids = problem.batches[0][0].dtype.kind == "i"
        dtype = "int32" if is_ids else self.be.dtype
        with self.context():
            self.batches = [
                (self.be.asarray(x, dtype), self.be.asarray(y, "int32"))
                for x, y in problem.batches
            ]
            self.train, self.many, self.state = internals(
                self.model, self.batches, is_ids
            )
            self.initial = copied(self.be, self.state)

    @contextlib.contextmanager
    def context(self) -> Iterator[None]:
        """Compute as `Model.fit` does, in the mode."""
        before = kernel_mode()
        set_kernel_mode(self.mode)
        try:
            with self.be.context():
                yield
        finally:
            set_kernel_mode(before)
