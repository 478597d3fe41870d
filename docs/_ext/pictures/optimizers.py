"""Pictures of the optimizers: the way down a valley that is ten times as steep."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import FUNCTION, SLOPE, curves, panels
from nnfs_xp.optimizers.muon import orthogonal
from nnfs_xp.plots.style import (
    BLUE,
    SHARES,
    VERMILLION,
    set_labels,
    set_legend_above,
    set_title,
    style_axes,
)

NUMPY = nx.get_backend("numpy", dtype="float64")
START = np.array([-4.0, 2.0])
STEEPNESS = np.array([1.0, 10.0])
STEPS = 40


def height(w: np.ndarray) -> np.ndarray:
    """Return the height of the valley, lowest at 0."""
    return 0.5 * np.sum(STEEPNESS * w**2, axis=-1)


def path(optimizer: nx.Optimizer) -> np.ndarray:
    """Return the places that an optimizer comes to."""
    parameters = {"w": START.copy()}
    state = optimizer.init(NUMPY, parameters)
    places = [START]
    for _ in range(STEPS):
        optimizer.update(NUMPY, parameters, {"w": STEEPNESS * parameters["w"]}, state)
        places.append(parameters["w"].copy())
    return np.array(places)


def ways(*optimizers: tuple[str, nx.Optimizer]) -> Figure:
    """Return the way down as seen from above, and the height over the steps."""
    figure, (above, course) = panels(2, width=4.3, height=3.4)
    x, y = np.meshgrid(np.linspace(-5, 2, 200), np.linspace(-3, 3, 200))
    style_axes(above, grid=None)
    heights = height(np.stack([x, y], axis=-1))
    above.contourf(x, y, heights**0.5, levels=12, cmap=SHARES, alpha=0.45)
    style_axes(course)
    looks = ((BLUE, "o", "-"), (VERMILLION, "s", "--"))
    for (name, optimizer), (color, marker, dashes) in zip(
        optimizers, looks, strict=False
    ):
        places = path(optimizer)
        look = {"color": color, "marker": marker, "linestyle": dashes, "markersize": 3}
        above.plot(*places.T, linewidth=1.2, label=name, **look)
        course.plot(height(places), linewidth=1.4, label=name, **look)
    above.plot(0, 0, "*", color="black", markersize=9)
    above.set_xlim(-5, 2)
    above.set_ylim(-3, 3)
    set_title(above, "Way to the lowest point (star)")
    set_labels(above, "parameter 1", "parameter 2")
    course.set_yscale("log")
    course.set_ylim(1e-8, 1e2)
    set_title(course, "Height")
    set_labels(course, "step", "height above the lowest point")
    if len(optimizers) > 1:
        set_legend_above(course)
    return figure


def of_optimizer(cases: list) -> Figure:
    """Return the picture of any optimizer: the way that its first case takes."""
    optimizer = cases[0].make()
    return ways((type(optimizer).__name__, optimizer))


def of_singular_values() -> Figure:
    """Return what becomes of singular values, which is the same for all matrices."""
    figure, (ax,) = panels(1, width=5.0)
    before = np.linspace(0.0, 1.0, 401)
    # Of a diagonal matrix they are the entries, and this one has a norm of 1.
    after = []
    for value in before:
        matrix = np.diag([value, np.sqrt(1.0 - value**2)])
        after.append(orthogonal(NUMPY, matrix)[0, 0])
    lines = {"after": (np.array(after), FUNCTION), "before": (before, SLOPE)}
    title = "Five times the polynomial"
    curves(ax, title, before, lines, ("singular value of u / |u|", "singular value"))
    return figure


OPTIMIZERS = {
    "SGD": lambda: ways(
        ("plain", nx.SGD(0.15)), ("momentum 0.6", nx.SGD(0.08, momentum=0.6))
    ),
    "Adagrad": lambda: ways(("Adagrad(1.0)", nx.Adagrad(1.0))),
    "RMSprop": lambda: ways(("RMSprop(0.2)", nx.RMSprop(0.2))),
    "Adam": lambda: ways(("Adam(0.5)", nx.Adam(0.5))),
    "Adadelta": lambda: ways(("epsilon 0.01", nx.Adadelta(epsilon=0.01))),
    "Adamax": lambda: ways(("Adamax(0.5)", nx.Adamax(0.5))),
    "Nadam": lambda: ways(("Nadam(0.5)", nx.Nadam(0.5)), ("Adam(0.5)", nx.Adam(0.5))),
    "Lion": lambda: ways(("Lion(0.2)", nx.Lion(0.2))),
    "LAMB": lambda: ways(("LAMB(0.1)", nx.LAMB(0.1)), ("Adam(0.5)", nx.Adam(0.5))),
    "Muon": lambda: of_singular_values(),
    "AdamW": lambda: ways(
        ("decay 0", nx.AdamW(0.5, weight_decay=0.0)),
        ("decay 0.3", nx.AdamW(0.5, weight_decay=0.3)),
    ),
}
