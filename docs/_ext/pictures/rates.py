"""Pictures of schedules and regularizers: curves of one number."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import nnfs_xp as nx
from _ext.pictures.drawing import FUNCTION, SLOPE, curves, panels

NUMPY = nx.get_backend("numpy", dtype="float64")
FACTORS = {nx.L1: ("l1",), nx.L2: ("l2",), nx.L1L2: ("l1", "l2")}
STEPS = np.arange(0, 301)
WEIGHTS = np.linspace(-2.0, 2.0, 401)


def rates(first: nx.Schedule, second: nx.Schedule) -> Figure:
    """Return the rates of two variants."""
    figure, axes = panels(2, width=4.4)
    for ax, schedule in zip(axes, (first, second), strict=True):
        values = np.array([schedule(int(step)) for step in STEPS])
        lines = {"rate": (values, FUNCTION)}
        arguments = ", ".join(
            f"{key}={type(value).__name__ if isinstance(value, nx.Schedule) else value}"
            for key, value in vars(schedule).items()
        )
        curves(ax, arguments, STEPS, lines, ("step", "learning rate"))
        ax.set_ylim(0, None)
    return figure


def penalty(unit: nx.Regularizer) -> Figure:
    """Return penalty and gradient of one parameter."""
    figure, (ax,) = panels(1, width=5.0)
    penalties = np.array([float(unit.penalty(NUMPY, np.array([w]))) for w in WEIGHTS])
    slope = unit.gradient(NUMPY, WEIGHTS)
    # At 0 the slope jumps; a line there would be a steep one.
    slope = np.where(WEIGHTS == 0, np.nan, slope) if getattr(unit, "l1", 0) else slope
    lines = {"penalty": (penalties, FUNCTION), "gradient": (slope, SLOPE)}
    title = ", ".join(f"{name}={unit.config()[name]}" for name in FACTORS[type(unit)])
    curves(ax, title, WEIGHTS, lines, ("parameter w", "penalty, gradient"))
    return figure


SCHEDULES = {
    "InverseTimeDecay": lambda: rates(
        nx.InverseTimeDecay(0.1, decay=0.01), nx.InverseTimeDecay(0.1, decay=0.1)
    ),
    "StepDecay": lambda: rates(
        nx.StepDecay(0.1, factor=0.5, every=100),
        nx.StepDecay(0.1, factor=0.8, every=25),
    ),
    "ExponentialDecay": lambda: rates(
        nx.ExponentialDecay(0.1, factor=0.5, every=100),
        nx.ExponentialDecay(0.1, factor=0.98),
    ),
    "CosineDecay": lambda: rates(
        nx.CosineDecay(0.1, steps=250), nx.CosineDecay(0.1, steps=150, final=0.02)
    ),
    "WarmUp": lambda: rates(
        nx.WarmUp(50, then=0.1), nx.WarmUp(50, then=nx.CosineDecay(0.1, steps=200))
    ),
}
REGULARIZERS = {
    "L1": lambda: penalty(nx.L1(0.5)),
    "L2": lambda: penalty(nx.L2(0.5)),
    "L1L2": lambda: penalty(nx.L1L2(0.5, 0.5)),
}
