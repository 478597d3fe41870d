"""The nodes of captured steps are those that docs/gpu.md lists.

They are W1-W5 of the benchmarks, and of a network of images and a GPT.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnfs_xp as nx
from benchmarks.workloads import WORKLOADS, nnfs_model
from nnfs_xp import kernels
from nnfs_xp.kernels.cupy.dense_step import MOST_HIDDEN
from tests.conftest import backend_or_skip
from tests.engine.language_models import gpt

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
        # CuPy's own kernels are named after their dtypes, too.
        self.names = [
            "product" if op.startswith("gemm") else op.partition("__")[0] for op in ops
        ]


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


# What these have kernels for; without them the references compute.
KERNELS = (
    "convolve", "max_pool", "average_pool", "layer_norm", "attention", "copy_arrays",
)  # fmt: skip


def cnn(be: nx.Backend) -> nx.Model:
    def stage(channels: int, filters: int) -> list[nx.Layer]:
        convolution = nx.Conv2D(channels, filters, 3, padding="same")
        return [convolution, nx.ReLU(), nx.MaxPool2D(2)]

    head = [nx.Flatten(), nx.Dense(2 * 2 * 6, 4), nx.Softmax()]
    return nx.Model(
        [*stage(1, 4), *stage(4, 6), *head],
        loss="categorical_crossentropy", optimizer="adam", backend=be,
    )  # fmt: skip


def language_model(be: nx.Backend) -> nx.Model:
    return nx.Model(
        [gpt(11, 6, 8, 2, 2)],
        loss="softmax_cross_entropy", optimizer="adamw", backend=be,
    )  # fmt: skip


def of_references(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in kernels.implementations("cupy"):
        if name.startswith(KERNELS):
            key = name, "cupy"
            monkeypatch.delitem(kernels.registry._IMPLEMENTATIONS, key)
    kernels.registry._resolve_anew()


@pytest.mark.backend("cupy")
@pytest.mark.parametrize(
    "column", [pytest.param(2, marks=[pytest.mark.slow, pytest.mark.rare]), 3]
)
@pytest.mark.parametrize("key", ["CNN", "GPT"])
def test_nodes_of_larger_networks(
    monkeypatch: pytest.MonkeyPatch, key: str, column: int
) -> None:
    be = backend_or_skip("cupy", "float32")
    if "cupy_on_cpu" not in sys.modules:
        pytest.skip("nodes are named on the emulated device only")
    nodes, random = Nodes(), np.random.default_rng(0)
    if key == "CNN":
        model, x = cnn(be), random.standard_normal((8, 8, 8, 1))
        y = random.integers(0, 4, 8)
    else:
        ids = random.integers(0, 11, (8, 7))
        model, x, y = language_model(be), ids[:, :-1], ids[:, 1:]
    try:
        with monkeypatch.context() as patch:
            if column == 2:
                of_references(patch)
            model.fit(x, y, batch_size=8, callbacks=nodes)
    finally:
        kernels.registry._resolve_anew()
    said = listed(key, column)
    assert Counter(nodes.names) == Counter(said)
    row = re.findall(rf"^\| {key} \|.*$", PAGE, re.MULTILINE)[0].split("|")[column]
    assert int(row.partition(":")[0]) == len(nodes.names)
