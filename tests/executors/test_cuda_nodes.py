"""A step of many launches is told by the note, and by docs/gpu.md, for every unit."""

import re
import sys
from pathlib import Path

import pytest

import nnfs_xp as nx
from tests.conftest import backend_or_skip
from tests.executors.trainings import (
    of_layer,
    of_loss,
    of_metric,
    of_optimizer,
    targets_like,
)
from tests.kernels.on_cpu import files_of_kernels
from tests.matrix.cases import ALL

PAGE = Path(__file__).parents[2] / "docs" / "gpu.md"
LISTED = re.compile(r"^\| `(\w+)` \| more than 70 \|", re.MULTILINE)
MANY = 70
NOTE = re.compile(
    r"(\d+) kernels, products and copies a step(?:, (\d+) of them CuPy's)?"
)
UNITS = [
    pytest.param(kind, name, id=f"{kind}-{name}")
    for kind in ("layer", "loss", "optimizer", "metric")
    for name in ALL[kind]
]


def training(kind, case):
    """Return what trains a network with a unit, as for one batch."""
    if kind == "layer":
        layers, x = of_layer(case)
        outputs = nx.Model(layers(), backend="numpy", seed=5).predict(x)
        y, loss = targets_like(outputs), nx.MeanSquaredError
        return {"layers": layers, "x": x, "y": y, "loss": loss}
    found = {
        "loss": lambda: of_loss(case, False),
        "optimizer": lambda: of_optimizer(case, False),
        "metric": lambda: of_metric(case, False),
    }[kind]()
    return {k: v for k, v in found.items() if k not in ("epochs", "weight")}


class Seen(nx.Callback):
    """The names of the nodes, and the note, before a training is over."""

    def on_fit_begin(self, model, epochs, batches):
        (graph,) = model._trainer.executor._graphs.values()
        self.names = sys.modules["cupy_on_cpu"].graph_ops(graph)
        self.note = model.executor_note


def seen(be, kind, case):
    """Return how many nodes a step has, how many are CuPy's, and the note."""
    given, seen = training(kind, case), Seen()
    layers, x, y = (given.pop(name) for name in ("layers", "x", "y"))
    options = {name: one() if callable(one) else one for name, one in given.items()}
    model = nx.Model(
        layers(),
        **{"optimizer": nx.SGD(0.01), "seed": 5, "metrics": None, **options},
        backend=be, compile="require",
    )  # fmt: skip
    model.fit(x, y, batch_size=10, callbacks=seen)
    own = files_of_kernels()
    of_cupy = sum(not n.startswith("gemm") and n not in own for n in seen.names)
    return len(seen.names), of_cupy, seen.note


@pytest.mark.backend("cupy")
@pytest.mark.parametrize(("kind", "name"), UNITS)
def test_many_launches_are_told(kind, name):
    be = backend_or_skip("cupy", "float32")
    if "cupy_on_cpu" not in sys.modules:
        pytest.skip("nodes are named on the emulated device only")
    most = 0
    for case in ALL[kind][name]:
        nodes, of_cupy, note = seen(be, kind, case)
        said = NOTE.search(note)
        assert said, note
        assert (int(said[1]), int(said[2] or 0)) == (nodes, of_cupy), note
        most = max(most, of_cupy)
    listed = name in LISTED.findall(PAGE.read_text(encoding="utf-8"))
    assert listed == (most > MANY), (
        f"a step with {name} has {most} nodes that are CuPy's own; those with more "
        f"than {MANY} are listed in docs/gpu.md, others are not"
    )


def test_the_page_lists_units():
    names = LISTED.findall(PAGE.read_text(encoding="utf-8"))
    assert len(set(names)) == len(names) > 3
    assert set(names) <= {name for units in ALL.values() for name in units}
