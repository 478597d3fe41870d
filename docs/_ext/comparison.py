"""All optimizers on three problems: pictures and tables of trainings in this build.

``.. optimizer-comparison:: PROBLEM`` trains with every registered optimizer at several
learning rates, draws what the best of each does, and lists the losses.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from docutils import nodes
from docutils.statemachine import StringList
from matplotlib.figure import Figure
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

import nnfs_xp as nx
from _ext.tables import list_table
from _ext.unit_lists import ref
from nnfs_xp.data import spiral_data
from nnfs_xp.plots import save_figure
from nnfs_xp.plots.style import (
    BLUE,
    GREY,
    grid_of,
    new_figure,
    set_labels,
    set_title,
    style_axes,
)
from nnfs_xp.registry import UNITS

NUMPY = nx.get_backend("numpy", dtype="float64")
RATES = (1.0, 0.3, 0.1, 0.03, 0.01)
FOLDER = Path("generated", "comparison")
Losses = list[float]


def valley(optimizer: nx.Optimizer) -> Losses:
    """Return the heights on a way down a valley, a hundred times as steep across."""
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    steepness = turn @ np.diag([0.01, 1.0]) @ turn.T
    parameters, losses = {"w": np.array([[3.0, -2.0], [1.0, 2.0]])}, []
    with NUMPY.context():
        state = optimizer.init(NUMPY, parameters)
        for _ in range(150):
            gradient = steepness @ parameters["w"]
            losses.append(0.5 * float(np.sum(parameters["w"] * gradient)))
            optimizer.update(NUMPY, parameters, {"w": gradient}, state)
    return losses


def spiral(optimizer: nx.Optimizer) -> Losses:
    """Return the losses of a network that tells the arms of a spiral apart."""
    x, y = spiral_data(40, 3)
    model = nx.Model(
        [nx.Dense(2, 32), nx.Tanh(), nx.Dense(32, 3)],
        loss=nx.SoftmaxCrossEntropy(), optimizer=optimizer, seed=0, backend="numpy",
    )  # fmt: skip
    return model.fit(4.0 * x, y, epochs=150, batch_size=None)["loss"]


def noise(optimizer: nx.Optimizer) -> Losses:
    """Return the losses of a network that learns a sine from noisy small batches."""
    random = np.random.default_rng(0)
    x = random.uniform(-1.0, 1.0, (160, 1))
    y = np.sin(5.0 * x) + 0.3 * random.standard_normal(x.shape)
    model = nx.Model(
        [nx.Dense(1, 32), nx.Tanh(), nx.Dense(32, 1)],
        loss="mean_squared_error", optimizer=optimizer, seed=0, backend="numpy",
    )  # fmt: skip
    return model.fit(x, y, epochs=40, batch_size=32)["loss"]


PROBLEMS: dict[str, Callable[[nx.Optimizer], Losses]] = {
    "valley": valley, "spiral": spiral, "noise": noise,
}  # fmt: skip

# What a loss is of.
UNIT_OF_TIME = {"valley": "step", "spiral": "step", "noise": "epoch"}


def losses_at(problem: str, optimizer: type, rate: float) -> Losses:
    """Return the losses of a training, or infinity for one that has diverged."""
    try:
        return PROBLEMS[problem](optimizer(rate))
    except nx.DivergenceError:
        return [math.inf]


@functools.cache
def best_of(
    problem: str, rates: tuple[float, ...] = RATES
) -> dict[str, tuple[float, Losses]]:
    """Return rate and losses of the lowest end, for each optimizer by name."""

    def end(training: tuple[float, Losses]) -> float:
        found = training[1][-1]
        return found if math.isfinite(found) else math.inf

    return {
        name: min(((r, losses_at(problem, unit, r)) for r in rates), key=end)
        for name, unit in sorted(UNITS["optimizer"].items())
    }


def figure_of(best: dict[str, tuple[float, Losses]], time: str) -> Figure:
    """Return a panel for each optimizer, with the others in grey."""
    columns = 4
    figure = new_figure(9.0, 1.75 * math.ceil(len(best) / columns))
    axes = grid_of(figure, len(best), columns)
    for place, (ax, name) in enumerate(zip(axes, best, strict=False)):
        style_axes(ax)
        for _, losses in best.values():
            ax.plot(losses, color=GREY, linewidth=0.6, alpha=0.5)
        ax.plot(best[name][1], color=BLUE, linewidth=2.0)
        ax.set_yscale("log")
        set_title(ax, f"{name}({best[name][0]:g})")
        below = place + columns >= len(best)
        set_labels(ax, time if below else "", "loss" if place % columns == 0 else "")
    return figure


def rows_of(best: dict[str, tuple[float, Losses]]) -> list[list[str]]:
    """Return a table: for each optimizer its best rate, and losses on the way."""
    rows = [["optimizer", "best learning rate", "loss halfway", "final loss"]]
    for name, (rate, losses) in sorted(best.items(), key=lambda item: item[1][1][-1]):
        some = losses[len(losses) // 2], losses[-1]
        rows.append([ref(name), f"{rate:g}", *(f"{loss:.3g}" for loss in some)])
    return rows


class OptimizerComparison(SphinxDirective):
    """``.. optimizer-comparison:: PROBLEM``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return picture and table."""
        (problem,) = self.arguments
        best = best_of(problem)
        path = Path(self.env.srcdir, FOLDER, f"{problem}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_figure(figure_of(best, UNIT_OF_TIME[problem]), path)
        text = f".. image:: /{FOLDER.as_posix()}/{problem}.png\n   :alt: losses\n\n"
        lines = StringList((text + list_table(rows_of(best))).splitlines(), self.name)
        node = nodes.section(document=self.state.document)
        nested_parse_with_titles(self.state, lines, node)
        return node.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("optimizer-comparison", OptimizerComparison)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
