"""The nodes of a captured step of W1-W5 are those that docs/gpu.md lists."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnfs_xp as nx
from benchmarks.workloads import WORKLOADS, nnfs_model
from nnfs_xp import kernels
from nnfs_xp.kernels.cupy.dense_step import MOST_HIDDEN
from tests.conftest import backend_or_skip

PAGE = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text(encoding="utf-8")
# Fewer neurons, and as before no more or more than the three kernels are for.
SIZES = {
    "W1": (2, 64, 3),
    "W2": (20, 12, 8, 4),
    "W3": (20, 12, 12, 4),
    "W4": (20, 257, 257, 4),
    "W5": (20, 257, 257, 8),
}


class Nodes(nx.Callback):
    """Sees the graph of a training before it is given up."""

    names: list[str]

    def on_fit_begin(self, model: Any, epochs: int, batches: int) -> None:
        (graph,) = model._trainer.executor._graphs.values()
        ops = sys.modules["cupy_on_cpu"].graph_ops(graph)
        self.names = ["product" if op.startswith("gemm") else op for op in ops]


def listed(key: str, column: int) -> list[str]:
    """Return what the page says, where several of a kind follow each other too."""
    (row,) = re.findall(rf"^\| {key} \|.*$", PAGE, re.MULTILINE)
    cell = row.split("|")[column]
    found = []
    for part in cell.partition(":")[2].split(","):
        count, _, name = part.strip().rpartition(" ")
        found += int(count or 1) * [name.strip("`")]
    return found


def test_sizes_are_as_large_or_small_as_those_of_the_workloads() -> None:
    for key, sizes in SIZES.items():
        own = WORKLOADS[key].sizes
        assert len(own) == len(sizes)
        assert (max(own[1:-1]) > MOST_HIDDEN) == (max(sizes[1:-1]) > MOST_HIDDEN)


@pytest.mark.backend("cupy")
@pytest.mark.parametrize(("mode", "column"), [("no_dense_step", 2), ("auto", 3)])
@pytest.mark.parametrize("key", SIZES)
def test_nodes(
    monkeypatch: pytest.MonkeyPatch, key: str, mode: str, column: int
) -> None:
    be = backend_or_skip("cupy", "float32")
    if "cupy_on_cpu" not in sys.modules:
        pytest.skip("nodes are named on the emulated device only")
    monkeypatch.setattr(kernels.registry, "_mode", mode)
    workload = dataclasses.replace(WORKLOADS[key], sizes=SIZES[key])
    model = nnfs_model(workload, be.name, "cuda")
    nodes, random = Nodes(), np.random.default_rng(0)
    x = random.standard_normal((16, SIZES[key][0])).astype("float32")
    y = random.integers(0, SIZES[key][-1], 16)
    model.fit(x, y, batch_size=16, callbacks=nodes)
    assert nodes.names == listed(key, column)
    said = re.findall(rf"^\| {key} \|.*$", PAGE, re.MULTILINE)[0].split("|")[column]
    assert int(said.partition(":")[0]) == len(nodes.names)
